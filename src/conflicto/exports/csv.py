"""CSV writer (RFC 4180, UTF-8) with protection against formula injection."""

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
"""UTF-8's byte order mark. Without it Excel reads the file in the system's legacy code page."""

FORMULA_STARTS = frozenset("=+-@\N{MINUS SIGN}")
"""First characters of formulas in Excel, LibreOffice and Sheets (OWASP, CSV injection).

Full-width, small and raised forms count as well.
"""

CONTROL_STARTS = ("\t", "\r", "\n")
"""Leading characters that some spreadsheets drop, which reveals a formula behind them."""

BLANK_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Unicode categories of characters without a visible shape.

These are spaces, controls, formats such as U+200B, combining marks and unassigned code points.
"""

BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as a blank: Hangul fillers and the empty Braille pattern."""

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def escape_formula(cell: str) -> str:
    """Return a cell with an apostrophe before text that looks like a formula.

    Plain numbers stay unchanged.

    >>> escape_formula("=1+1"), escape_formula("-5"), escape_formula("-5+1")
    ("'=1+1", '-5', "'-5+1")
    >>> escape_formula("a=b"), escape_formula(" =1+1")
    ('a=b', "' =1+1")
    """
    safe = isinstance(cell, NumberCell) or not looks_like_formula(cell) or NUMBER.fullmatch(cell)
    return cell if safe else "'" + cell


def looks_like_formula(cell: str) -> bool:
    """Return whether a cell begins with a control character or a formula."""
    first = next((letter for letter in cell if not _is_blank(letter)), "")
    return cell.startswith(CONTROL_STARTS) or normalize("NFKC", first)[:1] in FORMULA_STARTS


def _is_blank(letter: str) -> bool:
    return category(letter) in BLANK_CATEGORIES or letter in BLANK_LETTERS


def csv_lines(sheet: Sheet) -> Iterator[bytes]:
    """Yield the byte order mark with the header, then a line for each row."""
    yield BYTE_ORDER_MARK + _line(sheet.header)
    yield from map(_line, sheet.rows)


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([escape_formula(cell) for cell in cells])
    return line.getvalue().encode()
