"""The last step of every change: store rows, count them, and tell the rooms above."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.activities.commands.counts import change_counts
from conflicto.activities.queries import counts_by_round
from conflicto.responses import store
from conflicto.responses.counting import counted
from conflicto.responses.events import ResponsesChanged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.activities.model import Counts
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.model import Response


def keep(tx: WriteTx, session_id: int, changes: Sequence[tuple[Response | None, Response]]) -> None:
    """Store `(before, after)` pairs of one session, given in feed order, with everything that follows from them."""
    new = [after for before, after in changes if before is None]
    edited = [after for before, after in changes if before is not None]
    if new:
        store.add_many(tx, new)
    if edited:
        store.save_many(tx, edited)
    by_round: dict[tuple[UUID, int], list[tuple[Response | None, Response]]] = defaultdict(list)
    for before, after in changes:
        by_round[after.activity_id, after.round].append((before, after))
    for (activity_id, nth), group in by_round.items():
        counts = counts_by_round(tx, activity_id)[nth]
        change_counts(tx, session_id, activity_id, nth, _exact(tx, activity_id, nth, counted(counts, group)))
    tx.emit(ResponsesChanged(session_id, changes))


def _exact(tx: WriteTx, activity_id: UUID, nth: int, counts: Counts) -> Counts:
    if counts.live_last_ts == 0:
        counts = replace(counts, live_last_ts=store.newest_live(tx, activity_id, nth, visible_only=False))
    if counts.visible_last_ts == 0:
        counts = replace(counts, visible_last_ts=store.newest_live(tx, activity_id, nth, visible_only=True))
    return counts
