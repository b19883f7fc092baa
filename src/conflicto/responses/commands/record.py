"""Last step of every command: store rows, update counts, emit events."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.activities.commands.counts import change_counts
from conflicto.activities.events import CountsChanged
from conflicto.activities.queries import counts_of_rounds
from conflicto.responses import store
from conflicto.responses.counting import updated_counts
from conflicto.responses.events import ResponsesChanged
from conflicto.sessions.storage_quota import RESPONSE_BYTES, text_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from conflicto.activities.model import Counts
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.model import ParticipantResponse

    Change = tuple[ParticipantResponse | None, ParticipantResponse]


def record_changes(tx: WriteTx, session_id: int, changes: Sequence[Change]) -> None:
    """Store `(before, after)` pairs of one session in feed order, update counts and emit events."""
    record_changes_by_session(tx, {session_id: changes})


def record_changes_by_session(tx: WriteTx, by_session: Mapping[int, Sequence[Change]]) -> None:
    """Store the changes of several sessions, with a constant number of statements."""
    changes = [change for group in by_session.values() for change in group]
    new = [after for before, after in changes if before is None]
    edited = [after for before, after in changes if before is not None]
    if new:
        store.add_many(tx, new)
    if edited:
        store.save_many(tx, edited)
    _update_counts(tx, changes)
    for session_id, group in by_session.items():
        tx.head(session_id).add_count("stored_bytes", sum(added_bytes(before, after) for before, after in group))
        tx.emit(ResponsesChanged(session_id, group))


def added_bytes(before: ParticipantResponse | None, after: ParticipantResponse) -> int:
    """Return the bytes that a change adds; negative if it removes some."""
    row = RESPONSE_BYTES if before is None else -text_bytes(before.text, before.masked)
    return row + text_bytes(after.text, after.masked)


def _update_counts(tx: WriteTx, changes: Sequence[Change]) -> None:
    by_round: dict[tuple[UUID, int], list[Change]] = defaultdict(list)
    for change in changes:
        by_round[change[1].activity_id, change[1].round].append(change)
    counts = counts_of_rounds(tx, by_round)
    change_counts(
        tx,
        [
            CountsChanged(group[0][1].session_id, *key, _with_newest_timestamps(tx, *key, updated_counts(counts[key], group)))
            for key, group in by_round.items()
        ],
    )


def _with_newest_timestamps(tx: WriteTx, activity_id: UUID, nth: int, counts: Counts) -> Counts:
    if counts.live_last_ts == 0:
        counts = replace(counts, live_last_ts=store.newest_live_ts(tx, activity_id, nth, visible_only=False))
    if counts.visible_last_ts == 0:
        counts = replace(counts, visible_last_ts=store.newest_live_ts(tx, activity_id, nth, visible_only=True))
    return counts
