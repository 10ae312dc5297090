"""Rates from files: the ECB's as they are, and tables by a mapping. All or none, each bad row by its line."""

import gzip
import io
import tracemalloc
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from imports.engine import bring_in
from imports.errors import FileError, ImportRefusedError
from journal.models import Entry
from rates.ecb import is_ecb_file
from rates.imports import RateImporter, plain_mapping, source_of
from rates.models import Rate
from tests.rates.facts import FRIDAY, MONDAY, ecb_xml, file, make_source

pytestmark = pytest.mark.django_db
DAYS = (("2026-10-30", {"USD": "1.1172", "GBP": "0.83380"}), ("2026-10-29", {"USD": "1.1130", "GBP": "0.83578"}))
DAILY_CSV = "Date, USD, JPY, ISK, \n30 October 2026, 1.1172, 175.68, N/A, \n"
HISTORY_CSV = "Date,USD,JPY,CYP,\n2026-10-30,1.1172,175.68,N/A,\n2026-10-29,1.113,175.92,N/A,\n"
SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "rates" / "eurofxref-hist.zip"


def take(content: bytes | str, source: str = "ecb", mapping: Any = None) -> Any:
    opened = file(content)
    return bring_in(
        importer=RateImporter,
        file=opened,
        file_name="rates",
        mapping=mapping or plain_mapping(source_of(opened, source)),
    )


def refused(content: bytes | str, source: str = "ecb", mapping: Any = None) -> list[str]:
    """What is said of each bad row; nothing was written."""
    with pytest.raises(ImportRefusedError) as error:
        take(content, source, mapping)
    assert not Rate.objects.exists()
    return [str(one) for one in error.value.report.problems]


def zipped(content: str, name: str = "eurofxref-hist.csv") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def kept() -> list[tuple[str, str, str, Decimal]]:
    return list(Rate.objects.order_by("on", "quote").values_list("source", "quote", "on", "value"))


# --- The files of the ECB --------------------------------------------------------------------------


def test_the_banks_xml_comes_in_as_it_is() -> None:
    report = take(ecb_xml(*DAYS))
    assert (report.rows, report.added) == (4, 4)
    assert kept() == [
        ("ecb", "GBP", date(2026, 10, 29), Decimal("0.83578")), ("ecb", "USD", date(2026, 10, 29), Decimal("1.113")),
        ("ecb", "GBP", FRIDAY, Decimal("0.8338")), ("ecb", "USD", FRIDAY, Decimal("1.1172")),
    ]  # fmt: skip
    assert set(Rate.objects.values_list("base", flat=True)) == {"EUR"}


@pytest.mark.parametrize("content", [DAILY_CSV, HISTORY_CSV, zipped(HISTORY_CSV), zipped(DAILY_CSV, "eurofxref.csv")])
def test_so_do_its_csv_files_alone_and_zipped(content: bytes | str) -> None:
    take(content)
    rows = list(Rate.objects.filter(on=FRIDAY).order_by("quote").values_list("quote", "value"))
    assert rows == [("JPY", Decimal("175.68")), ("USD", Decimal("1.1172"))]


def test_the_same_file_again_adds_nothing_and_a_corrected_one_a_version() -> None:
    take(ecb_xml(*DAYS))
    report = take(ecb_xml(*DAYS))
    assert (report.added, report.changed, report.unchanged) == (0, 0, 4)
    report = take(ecb_xml(("2026-10-30", {"USD": "1.1175", "GBP": "0.8338"})))
    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    assert Rate.objects.get(on=FRIDAY, quote="USD", version=2).value == Decimal("1.1175")
    assert Rate.objects.count() == 5
    assert list(Entry.objects.order_by("pk").values_list("verb", flat=True)) == [
        "imports.file.taken", "rates.rate.corrected", "imports.file.taken"]  # fmt: skip


def test_its_zip_then_its_xml_say_the_same() -> None:
    take(zipped("Date,USD,GBP,\n2026-10-30,1.1172,0.8338,\n2026-10-29,1.113,0.83578,\n"))
    assert take(ecb_xml(*DAYS)).unchanged == 4


def test_files_are_known_by_their_form() -> None:
    assert is_ecb_file(file(ecb_xml(*DAYS)))
    assert is_ecb_file(file(b"\xef\xbb\xbf" + DAILY_CSV.encode()))
    assert is_ecb_file(file(zipped(HISTORY_CSV)))
    assert not is_ecb_file(file("day,base,quote,value\n"))
    assert not is_ecb_file(file(zipped("x", "xl/workbook.xml")))
    assert not is_ecb_file(file(b"PK\x03\x04 not a zip"))
    assert source_of(file("day,base,quote,value\n")) == "manual"
    assert source_of(file(ecb_xml(*DAYS)), "bank") == "bank"


def test_the_sample_is_an_excerpt_of_the_banks_file() -> None:
    with SAMPLE.open("rb") as opened:
        report = bring_in(importer=RateImporter, file=opened, file_name="x", mapping=plain_mapping("ecb"))
    assert (report.rows, report.added) == (14_364, 14_364)
    assert Rate.objects.get(quote="USD", on=date(2026, 10, 30)).value == Decimal("1.1172")
    assert Rate.objects.get(quote="JPY", on=date(2017, 6, 26)).value == Decimal("124.93")


@pytest.mark.parametrize(
    ("cubes", "said"),
    [
        (("2026-10-30", {"USD": "-1.1"}), "line 9, value “-1.1”: is not a rate: a number above zero"),
        (("2026-10-30", {"USD": "0"}), "line 9, value “0”: is not a rate: a number above zero"),
        (("2026-10-30", {"USD": "1,1"}), "line 9, value “1,1”: is not a number"),
        (("2026-10-30", {"USD": ""}), "line 9, value “”: is empty"),
        (("2026-10-30", {"XQQ": "1.1"}), "line 9, quote “XQQ”: is not a currency of ISO 4217"),
        (("2026-10-30", {"EUR": "1"}), "line 9, quote “EUR”: is the same currency twice"),
        (("2026-13-30", {"USD": "1.1"}), "line 9, day “2026-13-30”: is not a date written as 2020-05-31"),
        (("", {"USD": "1.1"}), "line 9, day “”: is empty"),
    ],
)
def test_a_bad_rate_in_xml_is_named_with_its_line(cubes: Any, said: str) -> None:
    assert said in refused(ecb_xml(cubes, DAYS[1]))


def test_every_bad_rate_is_told_at_once() -> None:
    assert refused(ecb_xml(("2026-10-30", {"USD": "0", "XQQ": "2", "GBP": "0.8"}), ("2026-10-29", {"USD": "x"}))) == [
        "line 9, value “0”: is not a rate: a number above zero",
        "line 14, value “x”: is not a number",
        "line 10, quote “XQQ”: is not a currency of ISO 4217",
    ]


def test_a_day_twice_is_refused() -> None:
    assert refused(ecb_xml(DAYS[0], DAYS[0])) == [
        "line 13: stands on line 9 already", "line 14: stands on line 10 already"]  # fmt: skip


def test_a_bad_line_in_its_csv_is_named() -> None:
    assert refused("Date,USD,JPY,\n2026-10-30,1.1,\n2026-10-29,1.1,-2,\n") == [
        "line 2: has 3 cells, the first line has 4", "line 3, value “-2”: is not a rate: a number above zero",
    ]  # fmt: skip


BOMB = "<!DOCTYPE x [" + '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">' + "]>\n"
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd">\n'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE])
def test_entities_and_document_types_are_refused(head: str) -> None:
    with pytest.raises(FileError, match="declares entities or a document type"):
        take(ecb_xml(*DAYS, head=head))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body>Service unavailable</body></html>", "starts with <html>"),
        (b"<Envelope><Cube/></Envelope>", "starts with <Envelope>"),
        (ecb_xml(*DAYS)[:-40], "is damaged"),
        (ecb_xml(), "holds no rates"),
        (b"<", "is damaged"),
        ("Date,USD,\n", "holds no rates"),
        ("Date,USD,\n2026-10-30,N/A,\n", "holds no rates"),
        (zipped("nothing\n"), "first column is not “Date”"),
        (zipped(HISTORY_CSV)[:-30] + b"x" * 30, "Excel workbook"),
        ("Date,USD,\n2026-10-30,\xff,\n".encode("latin-1"), "is damaged"),
        ("Date,USD," + "x" * 70_000, "not a file of the ECB"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_said_so(content: bytes | str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        take(content)
    assert not Rate.objects.exists()


class _Long(io.RawIOBase):
    """A file of any size that holds its start, a middle as often as it takes, and nothing of it in memory."""

    def __init__(self, start: bytes, middle: bytes, size: int) -> None:
        self.start, self.middle, self.size, self.at = start, middle, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = self.size + offset if whence == io.SEEK_END else offset
        return self.at

    def read(self, number: int = -1) -> bytes:
        number = min(number if number >= 0 else self.size, self.size - self.at)
        if self.at < len(self.start):
            part = self.start[self.at : self.at + number]
        else:
            part = (self.middle * (number // len(self.middle) + 1))[:number]
        self.at += len(part)
        return part

    def readinto(self, buffer: Any) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def memory_of(content: Any, said: str) -> int:
    """The most that a refusal took."""
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=said):
            bring_in(importer=RateImporter, file=content, file_name="x", mapping=plain_mapping("ecb"))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("start", [ecb_xml(*DAYS)[:-30], b"Date,USD,\n", b"day,base,quote,value\n"])
def test_three_hundred_megabytes_are_refused_in_flat_memory(start: bytes) -> None:
    assert memory_of(_Long(start, b"<!-- -->\n", 300 << 20), "larger than the 64 MB|at most") < 1 << 20


def test_a_tag_without_end_is_refused_early() -> None:
    assert memory_of(_Long(b"<Cube x='", b"a", 60 << 20), "not a file of the ECB") < 8 << 20


def test_a_zip_that_unpacks_too_large_is_refused() -> None:
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.csv", "w", force_zip64=True) as out,
    ):
        for _block in range(65):
            out.write(b"\0" * (1 << 20))
    assert len(bomb.getvalue()) < 200_000
    assert memory_of(bomb, "larger than the 64 MB") < 1 << 20


def test_memory_does_not_grow_with_the_history() -> None:
    def rows(days: int) -> int:
        made = file(ecb_xml(*((f"{1900 + at // 336}-{at % 12 + 1:02}-{at // 12 % 28 + 1:02}", dict.fromkeys(
            ("USD", "GBP", "JPY", "CHF", "CAD"), "1.1")) for at in range(days))))  # fmt: skip
        tracemalloc.start()
        try:
            with RateImporter.open(made, None) as table:
                assert sum(1 for _row in table.rows) == 5 * days
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert rows(3_000) < rows(300) + (1 << 18)


# --- Tables --------------------------------------------------------------------------------------


def test_a_table_of_the_plain_columns() -> None:
    make_source("bank")
    report = take("day,base,quote,value\n2026-10-26,usd,GBP,0.75\n2026-10-26,EUR,USD,1.10\n", "bank")
    assert (report.added, report.changed) == (2, 0)
    assert Rate.objects.get(base="USD").value == Decimal("0.75")
    assert set(Rate.objects.values_list("source", "on")) == {("bank", MONDAY)}


def test_a_table_by_a_mapping_as_the_finance_system_writes_it() -> None:
    mapping = {
        "file": {"delimiter": ";", "encoding": "cp1252"},
        "fields": {
            "day": {"column": "Date", "format": "%d/%m/%Y"}, "base": {"constant": "EUR"}, "quote": {"column": "Devise"},
            "value": {"column": "Cours", "decimal": ","},
        },
    }  # fmt: skip
    take("Date ;Devise;Cours\n26/10/2026;USD;1,1123\n26/10/2026;JPY;1 175,5\n".encode("cp1252"), mapping=mapping)
    assert sorted(Rate.objects.values_list("source", "quote", "value")) == [
        ("manual", "JPY", Decimal("1175.5")), ("manual", "USD", Decimal("1.1123")),
    ]  # fmt: skip


def test_a_table_whose_first_column_is_the_date_is_not_taken_for_the_banks() -> None:
    mapping = {
        "fields": {
            "day": {"column": "Date"}, "base": {"constant": "EUR"}, "quote": {"column": "Currency"}, "value": {"column": "Rate"},
        }
    }  # fmt: skip
    assert take("Date,Currency,Rate\n2026-10-26,USD,1.1\n", mapping=mapping).added == 1


def test_bad_rows_of_a_table_are_told_by_line_and_nothing_is_kept() -> None:
    said = refused(
        "day,base,quote,value\n2026-10-26,EUR,USD,1.1\n2026-10-26,EUR,USD,1.2\n2026-10-26,EUR,USX,1.1\n"
        "2026-10-26,USD,USD,1\n2026-10-26,EUR,GBP,0.00000000001\nyesterday,EUR,GBP,nan\n", "manual",
    )  # fmt: skip
    assert said == [
        "line 6, value “0.00000000001”: has more than ten decimals: give the pair the other way round",
        "line 7, day “yesterday”: is not a date written as 2020-05-31",
        "line 7, value “nan”: is not a rate: a number above zero",
        "line 3: stands on line 2 already",
        "line 4, quote “USX”: is not a currency of ISO 4217",
        "line 5, quote “USD”: is the same currency twice",
    ]


def test_a_source_that_there_is_not_is_told() -> None:
    (said,) = refused("day,base,quote,value\n2026-10-26,EUR,USD,1.1\n", "nobody")
    assert said == "line 2, source “nobody”: is not a source of rates: add it in the admin, or correct it"


# --- The command line ------------------------------------------------------------------------------


def command(path: Path, content: bytes, **options: Any) -> str:
    path.write_bytes(content)
    out = io.StringIO()
    call_command("import_rates", path, stdout=out, **options)
    return out.getvalue()


def test_the_command_knows_the_banks_files_and_tables(tmp_path: Path) -> None:
    said = command(tmp_path / "eurofxref-daily.xml", ecb_xml(*DAYS))
    assert said.startswith("4 rates in ")
    assert said.endswith(": 4 added, 0 corrected, 0 unchanged.\n")
    command(tmp_path / "own.csv.gz", gzip.compress(b"day,base,quote,value\n2026-10-26,USD,GBP,0.75\n"))
    assert set(Rate.objects.values_list("source", flat=True)) == {"ecb", "manual"}
    make_source("bank")
    command(tmp_path / "own.csv", b"day,base,quote,value\n2026-10-26,USD,GBP,0.75\n", source="bank")
    assert Rate.objects.filter(source="bank").count() == 1


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing was written.\n  line 9, value “0”"):
        command(tmp_path / "x.xml", ecb_xml(("2026-10-30", {"USD": "0"})))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_rates", tmp_path / "none.xml")
    with pytest.raises(CommandError, match="mapping says the source itself"):
        call_command("import_rates", tmp_path / "x.xml", source="ecb", mapping=tmp_path / "m.json")
