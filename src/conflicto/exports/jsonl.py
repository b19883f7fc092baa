"""JSON Lines: an answer a line, by activity and then in the order of the feed, or a participant a line; nothing is lost or rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activities.queries import activities_in_order
from conflicto.exports.rows import apart_record, record, seat_records
from conflicto.exports.sheets import Shape, seats_with_answers
from conflicto.participants.queries import every_seat
from conflicto.responses.queries import every_response, texts_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.platform.db.transaction import ReadTx

_encode = msgspec.json.Encoder().encode


def jsonl_lines(tx: ReadTx, session_id: int, shape: Shape) -> Iterator[bytes]:
    """Yield the lines of a session; read them inside the transaction."""
    records = _responses(tx, session_id) if shape is Shape.RESPONSES else _table(tx, session_id)
    for each in records:
        yield _encode(each) + b"\n"


def _responses(tx: ReadTx, session_id: int) -> Iterator[dict[str, Any]]:
    seats = {seat.id: seat for seat in every_seat(tx, session_id)}
    for activity in activities_in_order(tx, session_id):
        for response in every_response(tx, activity.id, nth=None, participant_id=None):
            yield record(response, activity, seats)


def _table(tx: ReadTx, session_id: int) -> Iterator[dict[str, Any]]:
    activities = activities_in_order(tx, session_id)
    for seats, answers in seats_with_answers(tx, session_id, activities):
        yield from seat_records(activities, seats, answers)
    for activity in activities:
        if activity.anonymous:
            for nth, text in texts_in_order(tx, activity.id):
                yield apart_record(activity, nth, text)
