"""CSV reader: a header and rows become columns of JSON texts, one per non-empty cell."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.platform.problems import DomainError
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
"""A JSON number (RFC 8259 §6). `007`, `+1` and `1.` are not, so they travel as strings and keep
their spelling."""


class TableInvalid(ValueError):
    """The file is not a table; the text names the line."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns are activities, rows participants, a cell the JSON text of an answer or None."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    @property
    def cells(self) -> int:
        """Number of answers."""
        return sum(cell is not None for row in self.rows for cell in row)

    def column(self, index: int) -> list[tuple[int, str]]:
        """Return (row, JSON text) of the answers to one activity, in row order."""
        return [(place, row[index]) for place, row in enumerate(self.rows) if (row[index]) is not None]  # type: ignore[misc]


def read_table(lines: Iterable[str]) -> Table:
    """Return the table of a CSV file with a header (RFC 4180); empty lines are skipped.

    Raises:
        TableInvalid: no header, unnamed or repeated columns, rows of unequal length, or no rows.
    """
    reader = csv.reader(lines, strict=True)
    try:
        columns = tuple(name.strip() for name in next(reader, []))
        if not columns or "" in columns or len(set(columns)) < len(columns):
            raise TableInvalid("Line 1 must name every column, each with a name of its own.")
        rows = []
        for row in reader:
            if row and len(row) != len(columns):
                raise TableInvalid(f"Line {reader.line_num} has {len(row)} cells, the header has {len(columns)}.")
            if row:
                rows.append(tuple(json_text(cell) for cell in row))
    except (csv.Error, UnicodeDecodeError) as error:
        raise TableInvalid(f"Line {reader.line_num} cannot be read: {error}.") from error
    if not rows:
        raise TableInvalid("There are no rows below the header.")
    return Table(columns, tuple(rows))


def json_text(cell: str) -> str | None:
    """Return a cell as JSON: a number keeps its spelling, other text is a string, nothing is None.

    >>> json_text("1.50"), json_text("007"), json_text("")
    ('1.50', '"007"', None)
    """
    if not cell:
        return None
    return cell if _is_number(cell) else json.dumps(cell, ensure_ascii=False)


def _is_number(cell: str) -> bool:
    if not NUMBER.fullmatch(cell):
        return False
    try:
        compact(cell.encode(), RESPONSE_LIMITS)
    except DomainError:
        return False
    return True
