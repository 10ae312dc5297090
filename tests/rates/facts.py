"""Rates and files for tests."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

from rates.models import Rate, RateSource
from rates.services import publish_rates

MONDAY, TUESDAY, FRIDAY = date(2026, 10, 26), date(2026, 10, 27), date(2026, 10, 30)
SATURDAY = date(2026, 10, 31)


def make_source(code: str = "bank", base: str = "EUR") -> RateSource:
    return RateSource.objects.create(code=code, name={"en": code.title()}, base=base)


def make_rate(
    quote: str = "USD", value: str = "1.25", on: date = FRIDAY, base: str = "EUR", source: str = "ecb"
) -> Rate:
    publish_rates(rates=[rate(quote, value, on, base, source)], actor=None)
    return Rate.objects.filter(source=source, base=base, quote=quote, on=on).latest("version")


def rate(
    quote: str = "USD", value: str = "1.25", on: date = FRIDAY, base: str = "EUR", source: str = "ecb"
) -> dict[str, Any]:
    return {"source_id": source, "base": base, "quote": quote, "on": on, "value": Decimal(value)}


def cube(*days: tuple[str, dict[str, str]]) -> str:
    """What the ECB's XML holds, as it is laid out there."""
    inside = "\n".join(
        f"\t\t<Cube time='{day}'>\n"
        + "\n".join(f"\t\t\t<Cube currency='{code}' rate='{value}'/>" for code, value in rates.items())
        + "\n\t\t</Cube>"
        for day, rates in days
    )
    return f"\t<Cube>\n{inside}\n\t</Cube>\n"


def ecb_xml(*days: tuple[str, dict[str, str]], head: str = "") -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n" + head + "<gesmes:Envelope xmlns:gesmes="
        "'http://www.gesmes.org/xml/2002-08-01' xmlns='http://www.ecb.int/vocabulary/2002-08-01/eurofxref'>\n"
        "\t<gesmes:subject>Reference rates</gesmes:subject>\n"
        "\t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n"
        + cube(*days)
        + "</gesmes:Envelope>\n"
    ).encode()


def file(content: bytes | str, name: str = "rates.csv") -> io.BytesIO:
    made = io.BytesIO(content.encode() if isinstance(content, str) else content)
    made.name = name
    return made
