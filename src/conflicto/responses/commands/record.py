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
    from collections.abc import Iterable, Mapping, Sequence
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
    new: list[ParticipantResponse] = []
    edited: list[ParticipantResponse] = []
    by_round: dict[tuple[int, int], list[Change]] = defaultdict(list)
    for session_id, group in by_session.items():
        added = 0
        for before, after in group:
            (new if before is None else edited).append(after)
            added += added_bytes(before, after)
            by_round[after.activity_id.int, after.round].append((before, after))
        tx.head(session_id).add_count("stored_bytes", added)
    if new:
        store.add_many(tx, new)
    if edited:
        store.save_many(tx, edited)
    _update_counts(tx, by_round.values())
    for session_id, group in by_session.items():
        tx.emit(ResponsesChanged(session_id, group))


def added_bytes(before: ParticipantResponse | None, after: ParticipantResponse) -> int:
    """Return the bytes that a change adds; negative if it removes some."""
    row = RESPONSE_BYTES if before is None else -text_bytes(before.text, before.masked)
    return row + text_bytes(after.text, after.masked)


def _update_counts(tx: WriteTx, changes_of_rounds: Iterable[Sequence[Change]]) -> None:
    by_round: dict[tuple[UUID, int], Sequence[Change]] = {}
    for group in changes_of_rounds:
        by_round[group[0][1].activity_id, group[0][1].round] = group
    stored = counts_of_rounds(tx, by_round)
    changed = []
    for key, group in by_round.items():
        counts = updated_counts(stored[key], group)
        if counts.live_last_ts == 0 or counts.visible_last_ts == 0:
            counts = _with_newest_timestamps(tx, *key, counts)
        changed.append(CountsChanged(group[0][1].session_id, *key, counts))
    change_counts(tx, changed)


def _with_newest_timestamps(tx: WriteTx, activity_id: UUID, round_number: int, counts: Counts) -> Counts:
    if counts.live_last_ts == 0:
        counts = replace(counts, live_last_ts=store.newest_live_ts(tx, activity_id, round_number, visible_only=False))
    if counts.visible_last_ts == 0:
        counts = replace(counts, visible_last_ts=store.newest_live_ts(tx, activity_id, round_number, visible_only=True))
    return counts
