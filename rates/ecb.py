"""The reference rates of the European Central Bank as it publishes them, read as a table of day, base, quote and value.

XML (eurofxref-daily.xml, -hist-90d.xml, -hist.xml) and CSV, alone or zipped (eurofxref.zip, eurofxref-hist.zip). Read block by
block: memory stays flat. What an XML file must not bring, entities and document types, is refused.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser
from django.conf import settings
from django.utils.translation import gettext as _

from imports.errors import FileError
from imports.reading import Table

HEADER = ["day", "base", "quote", "value"]
BASE = "EUR"
GESMES = "http://www.gesmes.org/xml/2002-08-01"
ECB = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref"
BLOCK = 1 << 16
LONGEST_TAG = 1 << 20  # bytes without the end of one: no tag of such a file is as long
LONGEST_LINE = 1 << 16
MOST_BYTES = 64 << 20  # the whole history since 1999 has 9 MB
FIRST_LINE = re.compile(rb"Date, ?[A-Z]{3},")  # a column a currency
NOT_GIVEN = {"", "N/A"}

Line = tuple[int, list[str], str]


def is_ecb_file(file: BinaryIO) -> bool:
    """Whether it looks like one of them, by its first bytes; a workbook, a table and anything else does not."""
    file.seek(0)
    start = file.read(64)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        return _zipped_csv(file) is not None
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return bare.startswith(b"<") or FIRST_LINE.match(bare) is not None


def _zipped_csv(file: BinaryIO) -> zipfile.ZipInfo | None:
    try:
        with zipfile.ZipFile(file) as archive:
            inside = archive.infolist()
    except zipfile.BadZipFile:
        return None
    finally:
        file.seek(0)
    return inside[0] if len(inside) == 1 and inside[0].filename.lower().endswith(".csv") else None


@contextmanager
def open_file(file: BinaryIO) -> Iterator[Table]:
    """The rates in `file`, a binary file that can seek. Raises FileError, also while rows are read."""
    most = min(MOST_BYTES, settings.IMPORT_MAX_BYTES)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > most:
        raise _too_large(most)
    zipped = _zipped_csv(file) if file.read(4) == b"PK\x03\x04" else None
    file.seek(0)
    try:
        if zipped is not None:
            if zipped.file_size > most:
                raise _too_large(most)
            with zipfile.ZipFile(file) as archive, archive.open(zipped) as inside:
                yield Table(HEADER, _csv_rows(_blocks(inside, most)), None)
        elif file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            file.seek(0)
            yield Table(HEADER, _xml_rows(_blocks(file, most)), None)
        else:
            file.seek(0)
            yield Table(HEADER, _csv_rows(_blocks(file, most)), None)
    except DefusedXmlException as error:
        raise FileError(_("The file declares entities or a document type; the ECB’s files have none.")) from error
    except (SAXException, zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, ValueError) as error:
        raise FileError(_("The file is damaged: %(error)s.") % {"error": error}) from error


def _too_large(most: int) -> FileError:
    return FileError(
        _("The file is larger than the %(limit)s MB that a file of rates may have.") % {"limit": most // 2**20}
    )


def _blocks(file: Any, most: int) -> Iterator[bytes]:
    left = most
    while block := file.read(BLOCK):
        left -= len(block)
        if left < 0:
            raise _too_large(most)
        yield block


# --- XML -----------------------------------------------------------------------------------------


class _Cubes(ContentHandler):
    """Collects the rates of the tags that were read, with their lines."""

    def __init__(self, line: Callable[[], int]) -> None:
        super().__init__()
        self.rows: list[Line] = []
        self.tags = 0
        self._day = ""
        self._line = line

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: N802  # SAX names it
        self.tags += 1
        if self.tags == 1 and name != (GESMES, "Envelope"):
            raise FileError(
                _("This is not a file of the ECB’s reference rates: it starts with <%(tag)s>.") % {"tag": name[1][:40]}
            )
        if name != (ECB, "Cube"):
            return
        said = {local: value.strip() for (_space, local), value in attrs.items()}
        if "time" in said:
            self._day = said["time"]
        if "currency" in said or "rate" in said:
            cells = [self._day, BASE, said.get("currency", ""), said.get("rate", "")]
            self.rows.append((self._line(), cells, ""))


def _xml_rows(blocks: Iterator[bytes]) -> Iterator[Line]:
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)  # noqa: FBT003  # as SAX has it
    cubes = _Cubes(parser.getLineNumber)
    parser.setContentHandler(cubes)
    found = quiet = tags = 0
    for block in blocks:
        parser.feed(block)
        quiet = 0 if cubes.tags > tags else quiet + len(block)
        if quiet > LONGEST_TAG:
            raise FileError(_("This is not a file of the ECB’s reference rates."))
        tags, found = cubes.tags, found + len(cubes.rows)
        yield from cubes.rows
        cubes.rows.clear()
    parser.close()
    found += len(cubes.rows)
    yield from cubes.rows
    if not found:
        raise FileError(_("The file holds no rates."))


# --- CSV: a line a day, a column a currency ---------------------------------------------------------


def _csv_rows(blocks: Iterator[bytes]) -> Iterator[Line]:
    reader = csv.reader(_lines(blocks), skipinitialspace=True)
    header = [cell.strip() for cell in next(reader, [])]
    if not header or header[0] != "Date":
        raise FileError(_("This is not a file of the ECB’s reference rates: its first column is not “Date”."))
    found = 0
    for cells in reader:
        line, bare = reader.line_num, [cell.strip() for cell in cells]
        if not any(bare):
            continue
        if len(bare) != len(header):
            said = _("has %(found)s cells, the first line has %(width)s")
            yield line, HEADER, said % {"found": len(bare), "width": len(header)}
            continue
        for currency, value in zip(header[1:], bare[1:], strict=True):
            if value not in NOT_GIVEN:
                found += 1
                yield line, [_day(bare[0]), BASE, currency, value], ""
    if not found:
        raise FileError(_("The file holds no rates."))


def _day(cell: str) -> str:
    """As 2026-10-30; the daily file writes 30 October 2026. What is neither is told by who reads the cell."""
    try:
        return datetime.strptime(cell, "%d %B %Y").date().isoformat()  # noqa: DTZ007  # a day
    except ValueError:
        return cell


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise FileError(_("This is not a file of the ECB’s reference rates."))
        yield from (line.decode("utf-8-sig") for line in whole)
    if rest:
        yield rest.decode("utf-8-sig")
