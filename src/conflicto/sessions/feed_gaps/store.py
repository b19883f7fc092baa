"""Gaps in the feeds: positions that a restore or a failover took back.

Both return every session to an earlier head. A client may hold a position above it, and would miss
the changes that replace the lost ones. So the new epoch begins above every position that the lost
one can have issued, and positions in between are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, func, insert, inspect, literal, select, update

from conflicto.access.identity import begin_epoch
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.instants import US_PER_S
from conflicto.sessions.tables import feed_gaps, feed_heads

if TYPE_CHECKING:
    from sqlalchemy import Connection

MARGIN_US = US_PER_S
"""Distance of a new epoch above the clock: synchronised clocks differ by less than a second."""

_OF = select(feed_gaps.c.after_ts, feed_gaps.c.until_ts).where(feed_gaps.c.session_id == bindparam("session_id"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Lost positions between `after` and `until`, both excluded."""

    after: int
    until: int


def read_gaps(tx: ReadTx, session_id: int) -> tuple[Gap, ...]:
    """Return the gaps of a session's feed; empty unless commits were lost since its creation."""
    return tuple(Gap(row.after_ts, row.until_ts) for row in tx.all(_OF, {"session_id": session_id}))


def newest_position(connection: Connection) -> int:
    """Return the newest position that any session has issued, 0 if there is none.

    A restore also reads earlier schemas.
    """
    newest = [connection.execute(select(func.max(feed_heads.c.ts))).scalar() or 0]
    if any(column["name"] == "own_ts" for column in inspect(connection).get_columns("feed_heads")):
        newest.append(connection.execute(select(func.max(feed_heads.c.own_ts))).scalar() or 0)
    return max(newest)


def open_gaps(connection: Connection, clock_us: int) -> int:
    """Move every head above the clock and all others, and record the gaps.

    Returns the start of the new epoch.
    """
    begins = max(clock_us, newest_position(connection)) + MARGIN_US
    position = case((feed_heads.c.own_ts > feed_heads.c.ts, feed_heads.c.own_ts), else_=feed_heads.c.ts)
    between = select(feed_heads.c.session_id, position, literal(begins).label("until_ts"))
    connection.execute(insert(feed_gaps).from_select(["session_id", "after_ts", "until_ts"], between))
    connection.execute(update(feed_heads).values(ts=begins))
    return begins


class SessionFeedStore:
    """Feeds in a new epoch of a database that lost commits under running servers."""

    def lock(self, connection: Connection) -> None:
        """Lock all feeds until the transaction ends."""
        ReadTx(connection).dialect.lock_table(connection, feed_heads.name)

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed, µs."""
        return newest_position(connection)

    def begin_epoch(self, connection: Connection, clock_us: int) -> None:
        """Open the gaps and begin a new epoch; `clock_us` is its earliest start."""
        open_gaps(connection, clock_us)
        begin_epoch(ReadTx(connection))
