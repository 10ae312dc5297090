"""A CSV (also .csv.gz) or an XLSX as a header and numbered rows of text, read as they are asked for.

What a file is, its first bytes say, not its name.
"""

import codecs
import csv
import gzip
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

from defusedxml.ElementTree import ParseError
from django.conf import settings
from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from imports.errors import FileError

BLOCK = 1 << 20
DELIMITERS = ",;\t|"
GZIP, ZIP, OLD_EXCEL = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
HIGH = re.compile(rb"[\x80-\xff]")
UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Options:
    """What the mapping says about the file; empty is found out."""

    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` yields (line in the file, cells as stripped text, problem with the row as a whole or "")."""

    header: list[str]
    rows: Iterator[tuple[int, list[str], str]]
    total: int | None  # rows to come, about; None where the file does not say


class _Limited(io.RawIOBase):
    """The bytes of `source`, refused past the limit: a small archive may hold a huge file."""

    def __init__(self, source: Any) -> None:
        self.source, self.left = source, settings.IMPORT_MAX_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.source.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise FileError(_too_large(None))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_table(file: BinaryIO, options: Options) -> Iterator[Table]:
    """The table in `file`, a binary file that can seek and stays open. Raises FileError, also while rows are read."""
    size = file.seek(0, io.SEEK_END)
    if size > settings.IMPORT_MAX_BYTES:
        raise FileError(_too_large(size))
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if not start:
        raise FileError(_("The file is empty."))
    if start == OLD_EXCEL:
        raise FileError(_("This is an old Excel file (.xls). Save it as .xlsx or as CSV, and bring that in."))
    try:
        if start == ZIP:
            yield from _workbook(file, options)
        elif start.startswith(GZIP):
            yield from _text(file, options, packed=True)
        else:
            yield from _text(file, options, packed=False)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, ParseError) as error:
        raise FileError(_("The file is damaged: %(error)s.") % {"error": error}) from error


def _too_large(size: int | None) -> str:
    megabytes = 1024 * 1024
    limit = f"{settings.IMPORT_MAX_BYTES / megabytes:,.1f}"
    if size is None:
        return _("Unpacked, the file is larger than the %(limit)s MB that an import may have. Split it.") % {
            "limit": limit
        }
    return _("The file has %(size)s MB; an import may have %(limit)s MB at most. Split it.") % {
        "size": f"{size / megabytes:,.1f}",
        "limit": limit,
    }


# --- CSV -----------------------------------------------------------------------------------------


def _text(file: BinaryIO, options: Options, *, packed: bool) -> Iterator[Table]:
    encoding, lines = _survey(_bytes(file, packed=packed), options.encoding)
    file.seek(0)
    text = io.TextIOWrapper(_bytes(file, packed=packed), encoding=encoding, newline="")
    try:
        delimiter = options.delimiter or _delimiter(text.readline())
        file.seek(0)
        text = io.TextIOWrapper(_bytes(file, packed=packed), encoding=encoding, newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header = _header(reader)
        yield Table(header, _csv_rows(reader, len(header)), max(lines - 1, 0))
    finally:
        if not packed:
            file.seek(0)


def _bytes(file: BinaryIO, *, packed: bool) -> io.BufferedReader:
    source = gzip.GzipFile(fileobj=file) if packed else file
    return io.BufferedReader(_Limited(source), BLOCK)


class _Decoder:
    """Whether a text is written in one encoding, block by block, and the line that says no."""

    def __init__(self, name: str) -> None:
        self.name, self.lines, self.bad_line = name, 1, 0
        self._decode = codecs.getincrementaldecoder(name)().decode

    def feed(self, block: bytes, *, final: bool = False) -> None:
        if self.bad_line:
            return
        try:
            self._decode(block, final)
        except UnicodeDecodeError as error:
            self.bad_line = self.lines + error.object[: error.start].count(b"\n")
        self.lines += block.count(b"\n")


def _survey(data: io.BufferedReader, wanted: str) -> tuple[str, int]:
    """The encoding that the whole file is written in, and its number of lines, in one pass."""
    utf16 = data.peek(4).startswith(UTF16) or wanted.lower().startswith("utf-16")
    names = [wanted] if wanted else ["utf-16"] if utf16 else ["utf-8-sig", "cp1252"]
    try:
        decoders = [_Decoder(name) for name in names]
    except LookupError:
        raise FileError(_("“%(name)s” is not an encoding; use utf-8 or cp1252.") % {"name": wanted}) from None
    lines = high = paired = 0
    last = b""
    while block := data.read(BLOCK):
        if b"\0" in block and not utf16:
            raise FileError(_("This is a binary file. An import reads CSV (also .csv.gz) and Excel (.xlsx) files."))
        last = block
        lines += block.count(b"\n")
        if not block.isascii():
            high += len(HIGH.findall(block))
            paired += sum(map(len, UTF8_LETTER.findall(block)))
        for decoder in decoders:
            decoder.feed(block)
    for decoder in decoders:
        decoder.feed(b"", final=True)
    good = [decoder for decoder in decoders if not decoder.bad_line]
    if not wanted and not utf16 and decoders[0].bad_line and paired * 2 > high:
        good = []  # UTF-8 with a wrong byte: read as Windows-1252, every accent of it would come in wrong
    if not good:
        raise FileError(
            _("Line %(line)s is not written in %(name)s. Name the file’s encoding in the mapping, or correct the line.")
            % {"line": decoders[0].bad_line, "name": decoders[0].name.removesuffix("-sig")}
        )
    return good[0].name, lines + (not last.endswith(b"\n"))


def _delimiter(line: str) -> str:
    """The likeliest separator of the header: the one that it holds most often outside quotes."""
    bare = "".join(part for number, part in enumerate(line.split('"')) if number % 2 == 0)
    return max(DELIMITERS, key=bare.count)


def _header(reader: Any) -> list[str]:
    try:
        header = [cell.strip() for cell in next(reader)]
    except StopIteration:
        raise FileError(_("The file is empty.")) from None
    except csv.Error as error:
        raise FileError(_("The first line cannot be read as CSV: %(error)s.") % {"error": error}) from error
    return _checked(header)


def _checked(header: list[str]) -> list[str]:
    if not any(header):
        raise FileError(_("The first line is empty; it must name the columns."))
    return header


def _csv_rows(reader: Any, width: int) -> Iterator[tuple[int, list[str], str]]:
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], _("cannot be read as CSV (%(error)s); a quotation mark may be missing") % {"error": error}
            continue
        yield from _row(line, cells, width)


def _row(line: int, cells: list[str], width: int) -> Iterator[tuple[int, list[str], str]]:
    if not any(cells):
        return
    if len(cells) < width:
        said = _("has %(found)s cells, the first line has %(width)s")
        yield line, cells, said % {"found": len(cells), "width": width}
    elif any(cells[width:]):
        said = _("has %(found)s cells, the first line has %(width)s; is a text with a separator not quoted?")
        yield line, cells, said % {"found": len(cells), "width": width}
    else:
        yield line, cells[:width], ""


# --- XLSX ----------------------------------------------------------------------------------------


def _workbook(file: BinaryIO, options: Options) -> Iterator[Table]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(part.file_size for part in archive.infolist()) > settings.IMPORT_MAX_BYTES:
                raise FileError(_too_large(None))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and extensions that only look matters to
            book = load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, ParseError, OSError) as error:
        raise FileError(_("This is not an Excel workbook (.xlsx), or it is damaged.")) from error
    try:
        if options.sheet and options.sheet not in book.sheetnames:
            raise FileError(
                _("The workbook has no sheet “%(sheet)s”; it has: %(sheets)s.")
                % {"sheet": options.sheet, "sheets": ", ".join(book.sheetnames)}
            )
        sheet = book[options.sheet] if options.sheet else book.worksheets[0]
        total = sheet.max_row
        sheet.reset_dimensions()  # some programs write wrong ones, which would cut rows off
        rows = enumerate(sheet.iter_rows(values_only=True), start=1)
        first = next(rows, None)
        if first is None:
            raise FileError(_("The file is empty."))
        header = _trimmed([_cell(value) for value in first[1]])
        yield Table(_checked(header), _sheet_rows(rows, len(header)), total - 1 if total else None)
    finally:
        book.close()


def _sheet_rows(rows: Iterator[tuple[int, Any]], width: int) -> Iterator[tuple[int, list[str], str]]:
    for line, values in rows:
        cells = _trimmed([_cell(value) for value in values])
        yield from _row(line, cells + [""] * (width - len(cells)) if cells else cells, width)


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _cell(value: Any) -> str:
    """What a person sees in the cell, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()
