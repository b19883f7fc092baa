"""Differences between stored counters and rows, in one snapshot of the whole database."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conflicto.activities.queries import activity_bytes, recounted_activities, stored_counts
from conflicto.participants.queries import participant_bytes, recounted_seats
from conflicto.responses.pool import store as pool
from conflicto.responses.recount import store
from conflicto.sessions.feed_heads.store import read_all_heads
from conflicto.sessions.queries import audit_lengths, live_session_ids, recounted_session_bytes, session_total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.platform.db.transaction import ReadTx


def counter_differences(tx: ReadTx) -> list[str]:
    """Return a sentence for each wrong counter.

    Deleted sessions are skipped, because they may be partly purged.
    """
    live = live_session_ids(tx)
    found = [*_heads(tx, live), *_pools(tx, live), *_rounds(tx, live)]
    if session_total(tx) != len(live):
        found.append(f"sessions: counter {session_total(tx)}, rows {len(live)}")
    return found


def _heads(tx: ReadTx, live: set[int]) -> Iterator[str]:
    heads = read_all_heads(tx)
    seats, activities, lines, newest = recounted_seats(tx), recounted_activities(tx), audit_lengths(tx), store.newest_timestamps(tx)
    stored, in_bytes = store.rows_by_session(tx), bytes_of_sessions(tx)
    for session_id in sorted(live):
        head = heads.get(session_id)
        if head is None:
            yield f"session {session_id}: no head row"
            continue
        for name, rows in (("participants", seats), ("activities", activities), ("transitions", lines)):
            if head.counts[name] != rows.get(session_id, 0):
                yield f"session {session_id}: {name} counter {head.counts[name]}, rows {rows.get(session_id, 0)}"
        if head.counts["responses"] > stored.get(session_id, 0):  # less is possible: a server of an earlier version may write too
            yield f"session {session_id}: responses counter {head.counts['responses']}, rows {stored.get(session_id, 0)}"
        if head.counts["stored_bytes"] > in_bytes[session_id]:
            yield f"session {session_id}: bytes counter {head.counts['stored_bytes']}, rows {in_bytes[session_id]}"
        if newest.get(session_id, 0) > head.ts:
            yield f"session {session_id}: head {head.ts} is behind its newest response {newest[session_id]}"


def _pools(tx: ReadTx, live: set[int]) -> Iterator[str]:
    heads, rows, newest = read_all_heads(tx), pool.rows_of_sessions(tx), pool.newest_timestamps(tx)
    for session_id in sorted(live & heads.keys()):
        head = heads[session_id]
        if head.counts["pooled"] != rows.get(session_id, 0):
            yield f"session {session_id}: pooled counter {head.counts['pooled']}, rows {rows.get(session_id, 0)}"
        if newest.get(session_id, 0) > head.own_ts:
            yield f"session {session_id}: head {head.own_ts} is behind the newest position of its pool {newest[session_id]}"


def bytes_of_sessions(tx: ReadTx) -> Counter[int]:
    """Return the stored bytes of each session, summed over all rows."""
    stored: Counter[int] = Counter()
    for part in (
        store.bytes_by_session(tx),
        pool.recounted_bytes(tx),
        activity_bytes(tx),
        participant_bytes(tx),
        recounted_session_bytes(tx),
    ):
        stored.update(part)
    return stored


def _rounds(tx: ReadTx, live: set[int]) -> Iterator[str]:
    rows = store.recounted_rounds(tx)
    for (session_id, activity_id, round_number), counter in stored_counts(tx).items():
        counted = rows.pop((activity_id, round_number), (0, 0))
        if session_id in live and counted != (counter.live, counter.visible):
            yield (
                f"activity {activity_id} round {round_number}: counter {counter.live} live and {counter.visible} visible responses, "
                f"rows {counted[0]} and {counted[1]}"
            )
