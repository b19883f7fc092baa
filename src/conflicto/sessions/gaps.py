"""Gaps in the feeds: what a restore or a failover took back, so that nobody goes on from a position in a future that never was.

Both bring every session back to an earlier head. Whoever followed along meanwhile holds a position above it, and would miss what
takes its place. So the new life begins above every position that the lost one can have handed out, and those in between are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, func, insert, inspect, literal, select, text, update

from conflicto.access.identity import begin_epoch
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.instants import US_PER_S
from conflicto.sessions.tables import feed_gaps, feed_heads

if TYPE_CHECKING:
    from sqlalchemy import Connection

MARGIN_US = US_PER_S
"""How far above the clock a new life begins: clocks of machines that are kept together differ by less than a second."""

_HOLD = text("LOCK TABLE feed_heads IN EXCLUSIVE MODE")
"""Whoever locks a head waits, and so does who locks them all; reads go on."""

_OF = select(feed_gaps.c.after_ts, feed_gaps.c.until_ts).where(feed_gaps.c.session_id == bindparam("session_id"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Positions between the two, both excluded, belong to a future that was lost."""

    after: int
    until: int


def read_gaps(tx: ReadTx, session_id: int) -> tuple[Gap, ...]:
    """Return the gaps of a session's feed; none unless commits were lost since the session was made."""
    return tuple(Gap(row.after_ts, row.until_ts) for row in tx.all(_OF, {"session_id": session_id}))


def newest_position(connection: Connection) -> int:
    """Return the newest position that any session has handed out, 0 if there is none; a restore asks earlier schemas too."""
    newest = [connection.execute(select(func.max(feed_heads.c.ts))).scalar() or 0]
    if any(column["name"] == "own_ts" for column in inspect(connection).get_columns("feed_heads")):
        newest.append(connection.execute(select(func.max(feed_heads.c.own_ts))).scalar() or 0)
    return max(newest)


def open_gaps(connection: Connection, clock_us: int) -> int:
    """Move every head above the clock and above every other head, remember what lies between, and return where the new life begins."""
    begins = max(clock_us, newest_position(connection)) + MARGIN_US
    position = case((feed_heads.c.own_ts > feed_heads.c.ts, feed_heads.c.own_ts), else_=feed_heads.c.ts)
    between = select(feed_heads.c.session_id, position, literal(begins).label("until_ts"))
    connection.execute(insert(feed_gaps).from_select(["session_id", "after_ts", "until_ts"], between))
    connection.execute(update(feed_heads).values(ts=begins))
    return begins


class SessionFeedStore:
    """The feeds' part in a new life of a PostgreSQL database that lost commits under running servers."""

    def lock(self, connection: Connection) -> None:
        """Let nobody move a feed until the transaction ends."""
        connection.execute(_HOLD)

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed, µs."""
        return newest_position(connection)

    def begin_epoch(self, connection: Connection, clock_us: int) -> None:
        """Open the gaps, and give the database a new epoch; `clock_us` is the least start of the new life."""
        open_gaps(connection, clock_us)
        begin_epoch(ReadTx(connection))
