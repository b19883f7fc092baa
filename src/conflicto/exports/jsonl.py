"""JSON Lines writer: one answer or one participant per line, unchanged.

In the table shapes (`long`, `wide`, `codebook`) a line is a row, with the headings as names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activities.queries import activities_in_order
from conflicto.exports.cells import BooleanCell, NumberCell
from conflicto.exports.records import anonymous_record, response_record, seat_records
from conflicto.exports.sheets import Shape, build_sheet, seats_with_responses
from conflicto.participants.queries import every_seat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.registry import Registry
    from conflicto.exports.cells import Cell
    from conflicto.exports.reader import ResponseReader
    from conflicto.exports.sheets import Sheet

_encode = msgspec.json.Encoder().encode


def jsonl_lines(reader: ResponseReader, shape: Shape, types: Registry) -> Iterator[bytes]:
    """Yield the lines of a session; iterate inside the transaction."""
    if shape is Shape.RESPONSES:
        records = _responses(reader)
    elif shape is Shape.TABLE:
        records = _table(reader)
    else:
        records = _rows(build_sheet(reader, shape, types))
    for each in records:
        yield _encode(each) + b"\n"


def _rows(sheet: Sheet) -> Iterator[dict[str, Any]]:
    for row in sheet.rows:
        yield {name: _plain(cell) for name, cell in zip(sheet.header, row, strict=True)}


def _plain(cell: Cell) -> Any:  # noqa: ANN401 - JSON
    if isinstance(cell, NumberCell | BooleanCell):
        return msgspec.Raw(cell.encode())
    return str(cell) or None


def _responses(reader: ResponseReader) -> Iterator[dict[str, Any]]:
    seats = {seat.id: seat for seat in every_seat(reader.tx, reader.session_id)}
    for activity in activities_in_order(reader.tx, reader.session_id):
        for response in reader.responses_of_activity(activity.id):
            yield response_record(response, activity, seats)


def _table(reader: ResponseReader) -> Iterator[dict[str, Any]]:
    activities = activities_in_order(reader.tx, reader.session_id)
    for seats, responses in seats_with_responses(reader, activities):
        yield from seat_records(activities, seats, responses)
    for activity in activities:
        if activity.anonymous:
            for round_number, text in reader.texts_of(activity.id):
                yield anonymous_record(activity, round_number, text)
