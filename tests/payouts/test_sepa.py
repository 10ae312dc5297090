"""The SEPA file: valid by the bank's schema, exactly what was ordered, and none of the library's traps."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files

import pytest
import xmlschema
from lxml import etree
from sepaxml import SepaTransfer

from payouts import sepa
from payouts.rules import creditor_reference

D = Decimal

DEBTOR = sepa.Debtor("Adventure Works", "FR1420041010050500013M02606", "PSSTFRPPXXX")
FIRST = sepa.Transfer(
    "PAYOUT-00000001-1-1", "Éts Müller & Fils", "DE89370400440532013000", "COBADEFFXXX", D("1234.50"),
    reference=creditor_reference("ST1"),
)  # fmt: skip
SECOND = sepa.Transfer(
    "PAYOUT-00000001-2-1", "Dupont", "FR7630006000011234567890189", "", D("0.10"), text="Relevé de mars"
)
THIRD = sepa.Transfer("PAYOUT-00000001-3-1", "Dupont", "BE68539007547034", "", D("999999999.99"), text="Statement ST3")
ORDER = sepa.Order("PAYOUT-00000001", datetime(2026, 4, 2, 9, 30), date(2026, 4, 7), DEBTOR, [FIRST, SECOND, THIRD])  # noqa: DTZ001


def found(content: bytes, path: str) -> list[str | None]:
    root = etree.fromstring(content)
    return [one.text for one in root.iterfind(path, {"p": etree.QName(root).namespace})]


@pytest.mark.parametrize("version", sepa.VERSIONS)
def test_it_is_valid_by_the_schema_of_its_version(version: str) -> None:
    """By another validator than the one that checks it when it is made."""
    schema = xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / f"{version}.xsd"))
    assert list(schema.iter_errors(sepa.write(ORDER, version).decode())) == []


@pytest.mark.parametrize("version", sepa.VERSIONS)
def test_it_pays_each_once_and_says_how_many_and_how_much(version: str) -> None:
    content = sepa.write(ORDER, version)
    assert found(content, ".//p:EndToEndId") == [one.end_to_end_id for one in ORDER.transfers]
    assert found(content, ".//p:InstdAmt") == ["1234.50", "0.10", "999999999.99"]
    assert found(content, ".//p:NbOfTxs") == ["3", "3"]
    assert found(content, ".//p:CtrlSum") == ["1000001234.59", "1000001234.59"]
    assert found(content, ".//p:CdtrAcct/p:Id/p:IBAN") == [one.iban for one in ORDER.transfers]
    assert found(content, ".//p:Cdtr/p:Nm") == ["Ets Muller + Fils", "Dupont", "Dupont"]


def test_ids_and_time_are_those_of_the_order_and_the_same_order_is_the_same_file() -> None:
    content = sepa.write(ORDER)
    assert found(content, ".//p:MsgId") == found(content, ".//p:PmtInfId") == ["PAYOUT-00000001"]
    assert found(content, ".//p:CreDtTm") == ["2026-04-02T09:30:00"]
    assert found(content, ".//p:ReqdExctnDt/p:Dt") == ["2026-04-07"]
    assert content == sepa.write(ORDER)


def test_a_reference_is_structured_and_a_text_is_not() -> None:
    content = sepa.write(ORDER)
    assert found(content, ".//p:RmtInf/p:Strd/p:CdtrRefInf/p:Ref") == [FIRST.reference]
    assert found(content, ".//p:CdtrRefInf/p:Tp/p:CdOrPrtry/p:Cd") == ["SCOR"]
    assert found(content, ".//p:RmtInf/p:Ustrd") == ["Releve de mars", "Statement ST3"]


def test_the_library_doubles_payments_when_it_exports_twice_and_the_check_sees_it() -> None:
    """Both of its files are valid, so only counting finds the second one."""
    writer = SepaTransfer(
        {"name": "A", "IBAN": DEBTOR.iban, "BIC": DEBTOR.bic, "batch": True, "currency": "EUR"},
        schema=sepa.VERSIONS[0], clean=False,
    )  # fmt: skip
    for one in ORDER.transfers:
        writer.add_payment({
            "name": "x", "IBAN": one.iban, "amount": sepa.cents(one.amount), "execution_date": ORDER.execute_on,
            "description": "x", "endtoend_id": one.end_to_end_id,
        })  # fmt: skip
    sepa.check(writer.export(validate=True), ORDER)
    twice = writer.export(validate=True)
    assert len(found(twice, ".//p:CdtTrfTxInf/p:Amt/p:InstdAmt")) == 6
    with pytest.raises(sepa.SepaError, match="does not pay what the order says"):
        sepa.check(twice, ORDER)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((b"1234.50", b"1234.51"), "does not pay what the order says"),
        ((b"BE68539007547034", b"BE71096123456769"), "does not pay what the order says"),
        ((b"<NbOfTxs>3", b"<NbOfTxs>4"), "number of payments"),
        ((b"<CtrlSum>1000001234.59", b"<CtrlSum>1000001234.58"), "sum"),
    ],
)
def test_a_file_that_is_not_its_order_is_refused(change: tuple[bytes, bytes], says: str) -> None:
    with pytest.raises(sepa.SepaError, match=says):
        sepa.check(sepa.write(ORDER).replace(*change), ORDER)


@pytest.mark.parametrize("amount", ["0", "-1.00", "1.005", "0.001"])
def test_only_positive_whole_cents_are_paid(amount: str) -> None:
    with pytest.raises(sepa.SepaError, match="no amount that a SEPA transfer carries"):
        sepa.write(replace(ORDER, transfers=[replace(FIRST, amount=D(amount))]))


def test_what_cannot_be_an_order() -> None:
    refused = {
        "without payments": replace(ORDER, transfers=[]), "SEPA pays EUR": replace(ORDER, currency="USD"),
        "one end-to-end id": replace(ORDER, transfers=[FIRST, replace(SECOND, end_to_end_id=FIRST.end_to_end_id)]),
        "not valid by": replace(ORDER, transfers=[replace(SECOND, text="")]),
    }  # fmt: skip
    for says, order in refused.items():
        with pytest.raises(sepa.SepaError, match=says):
            sepa.write(order)
    with pytest.raises(sepa.SepaError, match="is not one of"):
        sepa.write(ORDER, "pain.001.001.11")
