"""CSV (RFC 4180, UTF-8) that no spreadsheet will run as a formula."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING
from unicodedata import category, normalize

from conflicto.exports.cells import NumberCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conflicto.exports.sheets import Sheet

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""UTF-8's byte order mark. Without it Excel reads the file in the machine's old code page, and every é is two wrong letters."""

FORMULA_STARTS = frozenset("=+-@\N{MINUS SIGN}")
"""First letters of formulas in Excel, LibreOffice and Sheets, also as full-width, small or raised forms (OWASP, CSV injection)."""

CONTROL_STARTS = ("\t", "\r", "\n")
"""Starts that some spreadsheets drop, together with what they were meant to hide."""

BLANK_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Unicode categories of characters without a sure shape: spaces, controls, formats such as U+200B, combining marks, unassigned."""

BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as a blank: Hangul fillers and the empty Braille pattern."""

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def escape_formula(cell: str) -> str:
    """Return a cell that is text to every spreadsheet: an apostrophe goes before what looks like a formula and is no plain number.

    >>> guarded("=1+1"), guarded("-5"), guarded("-5+1"), guarded("a=b"), guarded(" =1+1")
    ("'=1+1", '-5', "'-5+1", 'a=b', "' =1+1")
    """
    safe = isinstance(cell, NumberCell) or not looks_like_formula(cell) or NUMBER.fullmatch(cell)
    return cell if safe else "'" + cell


def looks_like_formula(cell: str) -> bool:
    """Return whether the first character with a shape begins a formula, or the cell begins with a tab or the end of a line."""
    first = next((letter for letter in cell if not _is_blank(letter)), "")
    return cell.startswith(CONTROL_STARTS) or normalize("NFKC", first)[:1] in FORMULA_STARTS


def _is_blank(letter: str) -> bool:
    return category(letter) in BLANK_CATEGORIES or letter in BLANK_LETTERS


def csv_lines(sheet: Sheet) -> Iterator[bytes]:
    """Yield the mark, the header and a line for each row."""
    yield BYTE_ORDER_MARK + _line(sheet.header)
    yield from map(_line, sheet.rows)


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([escape_formula(cell) for cell in cells])
    return line.getvalue().encode()
