"""Head rows of all sessions: every group locks them first and writes them back last.

`platform/db/sequence.py` explains why.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.sequence import FeedHead
from conflicto.platform.problems import NotFound
from conflicto.sessions.tables import feed_heads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Row

    from conflicto.platform.db.transaction import ReadTx, WriteTx

COUNTS = ("participants", "participants_ts", "activities", "transitions", "responses", "links_ts", "pooled", "stored_bytes")
_counts = attrgetter(*COUNTS)

_LOCK = (
    select(feed_heads)
    .where(feed_heads.c.session_id.in_(bindparam("topics", expanding=True)))
    .order_by(feed_heads.c.session_id)
    .with_for_update()
)
_ONE = select(feed_heads).where(feed_heads.c.session_id == bindparam("session_id"))
_POSITIONS = select(feed_heads.c.session_id, feed_heads.c.ts, feed_heads.c.own_ts).where(
    feed_heads.c.session_id.in_(bindparam("topics", expanding=True))
)


@dataclass(slots=True)
class _Row:
    """A row of the table."""

    session_id: int
    ts: int
    ctl: int
    own_ts: int
    participants: int
    participants_ts: int
    activities: int
    transitions: int
    responses: int
    links_ts: int
    pooled: int
    stored_bytes: int


_RECORDS = RecordMapping(
    feed_heads, {name: name for name in _Row.__slots__}, key=("session_id",), updated=("ts", "ctl", "own_ts", *COUNTS)
)


class FeedHeads:
    """The writer's `FeedHeadStore`.

    `max_bytes` bounds what a session stores; 0 means no bound.
    """

    def __init__(self, max_bytes: int = 0) -> None:
        self._max_bytes = max_bytes

    def lock(self, connection: Connection, topics: Iterable[int]) -> dict[int, FeedHead]:
        """Lock the rows in the order of their ids, so that two processes cannot deadlock."""
        rows = connection.execute(_LOCK, {"topics": list(topics)})
        heads: dict[int, FeedHead] = {}
        for row in rows:
            heads[row.session_id] = _head(row, self._max_bytes)
        return heads

    def save(self, tx: WriteTx, heads: Mapping[int, FeedHead]) -> None:
        """Write back what the group drew and counted."""
        if heads:
            rows = [_Row(head.topic, head.ts, head.control_ts, head.own_ts, **head.counts) for head in heads.values()]
            tx.dialect.update_records(tx, _RECORDS, rows)


def create_head(tx: WriteTx, session_id: int) -> FeedHead:
    """Create the head row of a new session; only this transaction sees it until the commit."""
    head = FeedHead(session_id, 0, 0, dict.fromkeys(COUNTS, 0))
    tx.write(insert(feed_heads), {"session_id": session_id, "ts": 0, "ctl": 0, **head.counts})
    tx.heads[session_id] = head
    return head


def read_head(tx: ReadTx, session_id: int) -> FeedHead:
    """Return a session's head in this snapshot.

    Raises:
        NotFound: the session does not exist, or it is purged.
    """
    row = tx.first(_ONE, {"session_id": session_id})
    if row is None:
        raise NotFound
    return _head(row)


def read_all_heads(tx: ReadTx) -> dict[int, FeedHead]:
    """Return all heads of the database, for checks."""
    return {row.session_id: _head(row) for row in tx.all(select(feed_heads))}


def read_positions(tx: ReadTx, session_ids: list[int]) -> dict[int, int]:
    """Return the positions of many sessions in one query, to detect commits of other processes."""
    return {row.session_id: max(row.ts, row.own_ts) for row in tx.all(_POSITIONS, {"topics": session_ids})}


def _head(row: Row[Any], max_bytes: int = 0) -> FeedHead:
    counts = dict(zip(COUNTS, _counts(row), strict=True))
    return FeedHead(row.session_id, row.ts, row.ctl, counts, own_ts=row.own_ts, max_bytes=max_bytes)
