"""Epoch guard: detects that the database's server was replaced by one that lost commits.

A promoted replica, or an older copy of the files, may lack the last commits. Memory and clients are
then ahead of the database and must not continue. Every group therefore checks, under its locks, the
server's timeline, the epoch, and that no feed stands below a known position. The first process that
finds a difference begins a new epoch, as a restore does. The others join it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy import text

from conflicto.platform.db.metadata import EPOCH, SERVER, ensure_metadata, read_metadata, write_metadata
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.ids import epoch_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from conflicto.platform.db.dialects.dialect import ServerInspector
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.sequence import FeedHead

log = structlog.get_logger(__name__)


class DatabaseReplaced(Exception):
    """The database is not the one that this process knows. Nothing was written."""

    def __init__(self, guard: EpochGuard) -> None:
        super().__init__()
        self.guard = guard


class EpochChanged:
    """Event: all state in memory belongs to an earlier epoch and must be dropped."""


class FeedStore(Protocol):
    """Changes to the feeds for a new epoch, in the open transaction.

    The package that owns the feeds implements it.
    """

    def lock(self, connection: Connection) -> None:
        """Block changes to all feeds until the transaction ends."""

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed, µs."""

    def begin_epoch(self, connection: Connection, clock_us: int) -> None:
        """Move every feed above all positions handed out, and write a new epoch.

        `clock_us` is the least start of the feeds.
        """


class KnownPositions(Protocol):
    """Positions of the feeds in the memory of this process. Called from the writer's thread."""

    def position(self, topic: int) -> int:
        """Return the known position of a topic, 0 if it is unknown."""

    def newest_position(self) -> int:
        """Return the newest known position of any topic, 0 if there is none."""


def start_epoch_guard(db: Database, feeds: FeedStore, known_positions: KnownPositions) -> EpochGuard | None:
    """Return a started guard; None for a file, which cannot be replaced while it is open."""
    if db.dialect.server is None:
        return None
    guard = EpochGuard(db, db.dialect.server, feeds, known_positions)
    guard.start()
    return guard


class EpochGuard:
    """Knows the epoch, server and timeline of this process, and begins a new epoch."""

    def __init__(self, db: Database, server: ServerInspector, feeds: FeedStore, known_positions: KnownPositions) -> None:
        self._db = db
        self._server = server
        self._feeds = feeds
        self._known_positions = known_positions
        self._state_query = text("")
        self._cluster = self._timeline = ""
        self.epoch = ""

    def start(self) -> None:
        """Begin a new epoch if the database moved to another server or timeline."""
        self.epoch, _ = ensure_metadata(self._db, EPOCH, epoch_name)
        with self._db.writer_connection() as connection:
            self._read_timeline(connection)
            with connection.begin():
                is_known = read_metadata(ReadTx(connection), SERVER) == self._server_id(connection)
        if is_known:
            self._db.timeline = self._timeline
        else:
            self.epoch = ""
            self.begin_epoch()

    def now_us(self, connection: Connection, heads: Mapping[int, FeedHead]) -> int:
        """Return the clock that orders the feed, µs, read after the heads were locked.

        Raises:
            DatabaseReplaced: this is not the database that this process knows.
        """
        state = connection.execute(self._state_query).one()
        if state.timeline != self._timeline or state.epoch != self.epoch:
            raise DatabaseReplaced(self)
        if any(head.position < self._known_positions.position(topic) for topic, head in heads.items()):
            raise DatabaseReplaced(self)
        return int(state.now_us)

    def begin_epoch(self) -> None:
        """Begin a new epoch, or join the one that another process has begun."""
        with self._db.writer_connection() as connection:
            self._read_timeline(connection)
            with connection.begin():
                self._feeds.lock(connection)
                self._begin_epoch_if_needed(connection)
                epoch = str(read_metadata(ReadTx(connection), EPOCH))
        self.epoch, self._db.timeline = epoch, self._timeline

    def _begin_epoch_if_needed(self, connection: Connection) -> None:
        """Begin a new epoch above all known positions, unless one has begun already."""
        tx, server, known = ReadTx(connection), self._server_id(connection), self._known_positions.newest_position()
        recorded, epoch = read_metadata(tx, SERVER), read_metadata(tx, EPOCH)
        is_other = recorded is not None and recorded != server
        if is_other or epoch == self.epoch or known > self._feeds.newest_position(connection):
            self._feeds.begin_epoch(connection, max(self._server.now_us(connection), known))
            log.error("new-life", was=epoch, server=server, recorded=recorded)
        write_metadata(tx, SERVER, server)

    def _read_timeline(self, connection: Connection) -> None:
        """Read the server's timeline, once per epoch."""
        self._cluster, self._timeline = self._server.timeline(connection)
        self._state_query = self._server.state_query(self._timeline)

    def _server_id(self, connection: Connection) -> str:
        """Return an id of this server, database and timeline."""
        return "/".join((self._cluster, self._server.database_id(connection), self._timeline))
