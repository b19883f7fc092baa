"""Spreadsheet writer, row by row.

Text is always written as text; numbers, instants and booleans have their types. Instants are dates
in UTC, which their format states, as spreadsheets have no time zones.
"""

from __future__ import annotations

from datetime import datetime
from itertools import count
from math import isfinite
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from conflicto.exports.cells import BooleanCell, InstantCell, NumberCell
from conflicto.exports.csv import looks_like_formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conflicto.exports.sheets import Sheet

    Page = Any
    """A worksheet; the library has no type hints."""

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_CELL_UNITS = 32_767
"""Limits of Excel: rows and columns of a sheet, UTF-16 units of a cell."""

TRUNCATION_NOTE = " … (cut; CSV and JSON Lines hold all of it)"

WIDTHS = {"activity": 30, "nickname": 20, "answer": 50}
DEFAULT_WIDTH = 18
"""Column widths in characters."""

DATE_FORMAT = 'yyyy-mm-dd hh:mm:ss.000" UTC"'
"""Date format with milliseconds, the precision of spreadsheets; CSV and JSON Lines have all six
digits.
"""

WORKBOOK_OPTIONS = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}


def write_xlsx(sheets: Mapping[str, Sheet], file: BinaryIO) -> None:
    """Write a workbook of named sheets to `file`.

    Rows beyond the limit of a sheet continue in another one; columns beyond it are dropped. Rows
    are buffered in a temporary folder.

    Raises:
        OSError: the disk is full.
    """
    with TemporaryDirectory(prefix="conflicto-export-") as folder:
        book = Workbook(file, WORKBOOK_OPTIONS | {"tmpdir": folder})
        book.use_zip64()
        try:
            for name, sheet in sheets.items():
                _WorkbookWriter(book).write(name, sheet)
            book.close()
        except FileCreateError as error:
            raise OSError(str(error)) from error
        finally:
            for page in book.worksheets():
                page.row_data_fh.close()


class _WorkbookWriter:
    def __init__(self, book: Any) -> None:  # noqa: ANN401 - the library is not typed
        self._book = book
        self._bold = book.add_format({"bold": True})
        self._quoted = book.add_format({"quote_prefix": True, "num_format": "@"})
        """Format of text that looks like a formula: it stays text even after an edit."""

        self._dated = book.add_format({"num_format": DATE_FORMAT})

    def write(self, name: str, sheet: Sheet) -> None:
        header = sheet.header[:MAX_COLUMNS]
        for page_number in count(1):
            page = self._new_page(header, f"{name} {page_number}" if page_number > 1 else name)
            if not self._fill(page, sheet.rows):
                return

    def _new_page(self, header: Sequence[str], name: str) -> Page:
        page = self._book.add_worksheet(name)
        page.freeze_panes(1, 0)
        for column, title in enumerate(header):
            page.set_column(column, column, WIDTHS.get(title, DEFAULT_WIDTH))
        for column, title in enumerate(header):
            page.write_string(0, column, truncated(title), self._bold)
        return page

    def _fill(self, page: Page, rows: Iterator[list[str]]) -> bool:
        """Write rows until the sheet is full; return whether it is."""
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row[:MAX_COLUMNS]):
                self._write_cell(page, number, column, cell)
            if number == MAX_ROWS - 1:
                return True
        return False

    def _write_cell(self, page: Page, row: int, column: int, cell: str) -> None:
        if isinstance(cell, InstantCell):
            page.write_datetime(row, column, datetime.fromisoformat(cell).replace(tzinfo=None), self._dated)
        elif isinstance(cell, BooleanCell):
            page.write_boolean(row, column, cell == "true")
        elif isinstance(cell, NumberCell) and isfinite(float(cell)):
            page.write_number(row, column, float(cell))
        elif cell:
            page.write_string(row, column, truncated(cell), self._quoted if looks_like_formula(cell) else None)


def truncated(cell: str) -> str:
    """Return text that fits a cell; longer text is cut and ends with a note."""
    if len(cell) * 2 <= MAX_CELL_UNITS or len(cell.encode("utf-16-le")) <= MAX_CELL_UNITS * 2:
        return cell
    max_bytes = (MAX_CELL_UNITS - len(TRUNCATION_NOTE)) * 2
    return cell.encode("utf-16-le")[:max_bytes].decode("utf-16-le", "ignore") + TRUNCATION_NOTE
