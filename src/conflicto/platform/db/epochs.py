"""Which life of the database this process remembers, and how it finds that another one has begun.

PostgreSQL may be replaced under running servers by one that lost the last commits: a replica that was promoted, or an older copy of the
files. Memory and clients are ahead of it then, and nobody may go on from there. So every group asks, under its locks, on which line of
history the server is, which epoch it has, and whether a feed stands where this process saw it stand, or further. If not, whoever finds
out first begins a new life, as a restore does, and the others join it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.exc import NotSupportedError, ProgrammingError

from conflicto.platform.db.metadata import EPOCH, SERVER, ensure_metadata, read_metadata, write_metadata
from conflicto.platform.db.postgres import TIMELINE, UNKNOWN
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.ids import epoch_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.sequence import FeedHead

_NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
_CLOCK = text(f"SELECT {_NOW}")
_EPOCH = f"(SELECT value FROM meta WHERE key = '{EPOCH}')"  # noqa: S608 - a constant

_DATABASE = text("SELECT oid FROM pg_database WHERE datname = current_database()")

log = structlog.get_logger(__name__)


class DatabaseReplaced(Exception):
    """The database is not the one that this process remembers. Nothing was written."""

    def __init__(self, guard: EpochGuard) -> None:
        super().__init__()
        self.guard = guard


class EpochChanged:
    """All that was in memory is of an earlier life: told to those who keep something there."""


class FeedStore(Protocol):
    """What the room that owns the feeds does for a new life, in the open transaction."""

    def lock(self, connection: Connection) -> None:
        """Let nobody move a feed until the transaction ends."""

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed, µs."""

    def begin_epoch(self, connection: Connection, clock_us: int) -> None:
        """Give every feed a start above all that was handed out, and the database a new epoch; `clock_us` is the least start."""


class KnownPositions(Protocol):
    """What this process knows of the feeds. Asked from the writer's thread."""

    def position(self, topic: int) -> int:
        """Return where a topic is known to have stood, 0 if that is unknown."""

    def newest_position(self) -> int:
        """Return the newest position that is known of any topic, 0 if there is none."""


def start_epoch_guard(db: Database, feeds: FeedStore, known_positions: KnownPositions) -> EpochGuard | None:
    """Return the life that begins with the start of this process; None for SQLite, whose file nobody replaces under an open connection."""
    if not db.is_shared:
        return None
    lives = EpochGuard(db, feeds, known_positions)
    lives.start()
    return lives


class EpochGuard:
    """The life that this process lives in: `epoch` is its name."""

    def __init__(self, db: Database, feeds: FeedStore, known_positions: KnownPositions) -> None:
        self._db = db
        self._feeds = feeds
        self._known_positions = known_positions
        self._state_query = text("")
        self._cluster = self._timeline = UNKNOWN
        self.epoch = ""

    def start(self) -> None:
        """At the start: begin a new life if the database was brought here from another server, or its server began another line."""
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
            LifeOver: this is not the database that this process remembers.
        """
        moment = connection.execute(self._state_query).one()
        if moment.line != self._timeline or moment.epoch != self.epoch:
            raise DatabaseReplaced(self)
        if any(head.position < self._known_positions.position(topic) for topic, head in heads.items()):
            raise DatabaseReplaced(self)
        return int(moment.now_us)

    def begin_epoch(self) -> None:
        """Begin a new life, or join the one that another process has begun meanwhile."""
        with self._db.writer_connection() as connection:
            self._read_timeline(connection)
            with connection.begin():
                self._feeds.lock(connection)
                self._begin_epoch_if_needed(connection)
                epoch = str(read_metadata(ReadTx(connection), EPOCH))
        self.epoch, self._db.timeline = epoch, self._timeline

    def _begin_epoch_if_needed(self, connection: Connection) -> None:
        """Do what is to be done of a new life: nothing if it has begun, and above all that is known here."""
        tx, server, known = ReadTx(connection), self._server_id(connection), self._known_positions.newest_position()
        recorded, epoch = read_metadata(tx, SERVER), read_metadata(tx, EPOCH)
        is_other = recorded is not None and recorded != server
        if is_other or epoch == self.epoch or known > self._feeds.newest_position(connection):
            clock_us = int(connection.execute(_CLOCK).scalar_one())
            self._feeds.begin_epoch(connection, max(clock_us, known))
            log.error("new-life", was=epoch, server=server, recorded=recorded)
        write_metadata(tx, SERVER, server)

    def _read_timeline(self, connection: Connection) -> None:
        """Find out on which line the server is, once for each life."""
        self._cluster, self._timeline = (
            _read_server_fact(connection, "system_identifier FROM pg_control_system()"),
            _read_server_fact(connection, TIMELINE),
        )
        line = "''" if self._timeline == UNKNOWN else TIMELINE
        self._state_query = text(f"SELECT {_NOW} AS now_us, {line} AS line, {_EPOCH} AS epoch")

    def _server_id(self, connection: Connection) -> str:
        """Return what tells this server, database and line from others."""
        return "/".join((self._cluster, str(connection.execute(_DATABASE).scalar_one()), self._timeline))


def _read_server_fact(connection: Connection, expression: str) -> str:
    """Return what the server says of itself, in a transaction of its own; some services do not tell."""
    with connection.begin() as transaction:
        try:
            return str(connection.execute(text(f"SELECT {expression}")).scalar_one())
        except (ProgrammingError, NotSupportedError):
            transaction.rollback()
            return UNKNOWN
