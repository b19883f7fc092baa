"""CSV (RFC 4180, UTF-8) that no spreadsheet will run as a formula."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from conflicto.exports.rows import Number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conflicto.exports.sheets import Sheet

MARK = b"\xef\xbb\xbf"
"""UTF-8's byte order mark. Without it Excel reads the file in the machine's old code page, and every é is two wrong letters."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What Excel, LibreOffice and Sheets may take for the start of a formula, full-width forms included (OWASP, CSV injection)."""

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def guarded(cell: str) -> str:
    """Return a cell that is text to every spreadsheet: an apostrophe goes before what looks like a formula and is no plain number.

    >>> guarded("=1+1"), guarded("-5"), guarded("-5+1"), guarded("a=b")
    ("'=1+1", '-5', "'-5+1", 'a=b')
    """
    safe = isinstance(cell, Number) or not cell.startswith(FORMULA_STARTS) or NUMBER.fullmatch(cell)
    return cell if safe else "'" + cell


def csv_lines(sheet: Sheet) -> Iterator[bytes]:
    """Yield the mark, the header and a line for each row."""
    yield MARK + _line(sheet.header)
    yield from map(_line, sheet.rows)


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([guarded(cell) for cell in cells])
    return line.getvalue().encode()
