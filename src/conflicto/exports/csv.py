"""A table of participants by activities (RFC 4180, UTF-8) that no spreadsheet will run as a formula."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING

from conflicto.activities.queries import activities_in_order
from conflicto.exports.rows import SEAT_COLUMNS, anonymous_rows, columns_of, seat_rows
from conflicto.participants.queries import every_seat
from conflicto.responses.queries import responses_of_seats, texts_in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conflicto.platform.db.transaction import ReadTx

SEATS_AT_ONCE = 500
"""Participants whose answers are in memory together."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What Excel, LibreOffice and Sheets may take for the start of a formula, full-width forms included (OWASP, CSV injection)."""

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def guarded(cell: str) -> str:
    """Return a cell that is text to every spreadsheet: an apostrophe goes before what looks like a formula and is no plain number.

    >>> guarded("=1+1"), guarded("-5"), guarded("-5+1"), guarded("a=b")
    ("'=1+1", '-5', "'-5+1", 'a=b')
    """
    return "'" + cell if cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell) else cell


def csv_lines(tx: ReadTx, session_id: int) -> Iterator[bytes]:
    """Yield the header, a row for each participant, and then one for each answer to an anonymous activity.

    The anonymous rows have no participant and stand in the order of their text, so neither column nor place says who sent them. Read the
    lines inside the transaction.
    """
    activities = activities_in_order(tx, session_id)
    columns = columns_of(activities)
    yield _line([*SEAT_COLUMNS, *(column.heading for column in columns)])
    seats = iter(list(every_seat(tx, session_id)))
    while some := list(islice(seats, SEATS_AT_ONCE)):
        yield from map(_line, seat_rows(columns, some, responses_of_seats(tx, [seat.id for seat in some])))
    for activity in activities:
        if activity.anonymous:
            yield from map(_line, anonymous_rows(columns, activity.id, texts_in_order(tx, activity.id)))


def anonymous_titles(tx: ReadTx, session_id: int) -> list[str]:
    """Return the headings of the columns whose answers stand apart from the participants."""
    return [column.heading for column in columns_of(activities_in_order(tx, session_id)) if column.anonymous]


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([guarded(cell) for cell in cells])
    return line.getvalue().encode()
