"""Feed timestamps: strictly increasing µs per topic, drawn under the lock of the topic's head row.

A topic is anything with its own order of changes (a session). `ts` is the newest timestamp of all.
`control_ts` is the newest one of a change to what everyone polls. `own_ts` is the newest one of a
change that a single reader sees. Timestamp order is commit order, because a timestamp is drawn only
while the head row is locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from conflicto.platform.db.transaction import WriteTx


OWN_LEAD_US = 1_000
"""Distance below the clock at which a transaction's own timestamps begin. Enough for one group."""


@dataclass(slots=True)
class FeedHead:
    """The locked head row of one topic, as the transaction reads and changes it.

    `locked_ts` is the position at the time of the lock. `max_bytes` is the storage limit of the
    topic, 0 for no limit.
    """

    topic: int
    ts: int
    control_ts: int
    counts: dict[str, int]
    changed: bool = False
    locked_ts: int = 0
    own_ts: int = 0
    max_bytes: int = 0

    def __post_init__(self) -> None:
        self.locked_ts = max(self.ts, self.own_ts)

    @property
    def position(self) -> int:
        """Newest timestamp of any kind: every change of the topic moves it."""
        return max(self.ts, self.own_ts)

    def next_ts(self, now_us: int, *, control: bool) -> int:
        """Return the next timestamp, above all earlier ones even after the clock was set back."""
        self.ts = max(self.position + 1, now_us)
        if control:
            self.control_ts = self.ts
        self.changed = True
        return self.ts

    def next_ts_range(self, now_us: int, amount: int) -> range:
        """Return `amount` consecutive timestamps of data changes; `amount` is at least 1."""
        first = max(self.position + 1, now_us)
        self.ts = first + amount - 1
        self.changed = True
        return range(first, first + amount)

    def next_own_ts(self, now_us: int) -> int:
        """Return the next timestamp of a change that a single reader sees.

        It lies below the clock. The other timestamps of this transaction are therefore the same as
        without it, unless the clock is behind the feed: then they are one later.
        """
        self.own_ts = max(self.locked_ts + 1, self.own_ts + 1, now_us - OWN_LEAD_US)
        self.changed = True
        return self.own_ts

    def add_count(self, name: str, by: int) -> int:
        """Add `by` to a counter of the head row and return the new value."""
        self.counts[name] += by
        self.changed = True
        return self.counts[name]


class FeedHeadStore(Protocol):
    """Access to head rows; the package that owns the table implements it."""

    def lock(self, connection: Connection, topics: Iterable[int]) -> dict[int, FeedHead]:
        """Lock the head rows of `topics` in one fixed order, and return those that exist."""

    def save(self, tx: WriteTx, heads: Mapping[int, FeedHead]) -> None:
        """Write the changed heads back."""
