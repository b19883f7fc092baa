"""JSON Lines: one live answer a line, by activity and then in the order of the feed; nothing is lost and nothing rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from conflicto.activities.queries import activities_in_order
from conflicto.exports.rows import record
from conflicto.participants.queries import every_seat
from conflicto.responses.queries import every_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.platform.db.transaction import ReadTx

_encode = msgspec.json.Encoder().encode


def jsonl_lines(tx: ReadTx, session_id: int) -> Iterator[bytes]:
    """Yield the lines of a session; read them inside the transaction."""
    nicknames = {seat.id: seat.nickname for seat in every_seat(tx, session_id)}
    for activity in activities_in_order(tx, session_id):
        for response in every_response(tx, activity.id, nth=None, participant_id=None):
            yield _encode(record(response, activity, nicknames)) + b"\n"
