"""Feed timestamps: strictly increasing µs per topic, handed out under the lock of the topic's head row.

A topic is anything with its own order of changes (a session). `ts` is the newest stamp of all, `ctl` the newest that changed what
everyone polls. Correct because a stamp is drawn only while the head row is locked, so stamp order is commit order (rule W of the feed).
`own_ts` is the newest stamp of changes that one reader alone sees: it moves nothing that others read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from conflicto.platform.db.transaction import WriteTx


OWN_LEAD_US = 1_000
"""Distance below the clock at which a transaction's own stamps begin: room for all of one group."""


@dataclass(slots=True)
class FeedHead:
    """The locked head row of one topic, as the transaction sees and changes it. `base` is its position when the lock was taken.

    `max_bytes` is how much the topic may store, 0 for any amount.
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
        self.locked_ts = self.position

    @property
    def position(self) -> int:
        """Newest stamp of any kind: every change of the topic moves it."""
        return max(self.ts, self.own_ts)

    def next_ts(self, now_us: int, *, control: bool) -> int:
        """Return the next timestamp, above every earlier one even when the clock was set back."""
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
        """Return the next timestamp of a change that one reader alone sees.

        It lies below the clock, and so below the stamps of this transaction, which are the same as without it. Only while the clock is
        behind the feed do the next stamps of others follow one later.
        """
        self.own_ts = max(self.locked_ts + 1, self.own_ts + 1, now_us - OWN_LEAD_US)
        self.changed = True
        return self.own_ts

    def add_count(self, name: str, by: int) -> int:
        """Add `by` to a counter that is kept on the head row and return it."""
        self.counts[name] += by
        self.changed = True
        return self.counts[name]


class FeedHeadStore(Protocol):
    """Where head rows lie. The room that owns the table provides it; `app.py` hands it to the writer."""

    def lock(self, connection: Connection, topics: Iterable[int]) -> dict[int, FeedHead]:
        """Lock the head rows of `topics`, in one order for all processes, and return those that exist."""

    def save(self, tx: WriteTx, heads: Mapping[int, FeedHead]) -> None:
        """Write back the heads that changed."""
