"""The protocol of a database: what the rest of the program asks of either one.

`Dialect` serves connections and transactions. `Maintenance` works on the whole database.
`ServerInspector` inspects a server that others share. `tests/ports/test_dialects.py` is their
contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sqlalchemy import URL, Connection, Engine, Row, Table, TextClause
    from sqlalchemy.types import TypeEngine

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.archive import Section
    from conflicto.platform.db.bulk import RecordMapping
    from conflicto.platform.db.key_lookup import KeyLookup
    from conflicto.platform.db.slow_queries import SlowQueries
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.platform.db.transaction import ReadTx, WriteTx


PREVIOUS_PREFIX = "before_restore_"


class DatabaseUrlInvalid(ValueError):
    """DATABASE_URL cannot be used; the text gives reason and remedy, without any password."""


class DatabaseUnsupported(RuntimeError):
    """This version of the database cannot be used; the text gives reason and remedy."""


class RestoreRefused(RuntimeError):
    """Nothing was restored, and the database is unchanged; the text gives the reason."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its name, whether it passed, and what was found."""

    name: str
    ok: bool
    detail: str


class ConnectionLimit(NamedTuple):
    """Connections that this user may open, connections in use, and the source of the limit.

    The source is the server's setting or a `CONNECTION LIMIT`.
    """

    max_connections: int
    used: int
    source: str


def previous_name(now_us: int) -> str:
    """Return a name for what a restore replaces at an instant, µs."""
    return PREVIOUS_PREFIX + "".join(each for each in rfc3339(now_us) if each.isdigit())


class NewContent(Protocol):
    """Content that replaces a database's own, for `Maintenance.replace`."""

    tables: Collection[str]
    """Names of all tables of this program."""

    def require_known(self, revision: str | None) -> None:
        """Raise `RestoreRefused` if only another program knows the existing schema."""

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed in the existing database, µs."""

    def fill(self, connection: Connection, clock_us: int) -> None:
        """Create and fill the tables in the open transaction; feeds begin above `clock_us`."""


class Dialect(Protocol):
    """One kind of database, without state of a particular one."""

    name: str
    """Name for people, logs and metrics: `sqlite` or `postgresql`. Code never compares it."""

    is_shared: bool
    """True if other processes, on any machine, may write to the database."""

    cancels_late: bool
    """True if `interrupt` blocks and may take effect late. It needs a thread of its own then, and
    its connection must not be used again."""

    has_jsonb: bool
    """True if the schema has generated JSONB columns, which the operator `@>` searches."""

    uuid_type: TypeEngine[Any]
    """Column type of a UUID."""

    driver_error: type[Exception]
    """Base class of the driver's own errors."""

    maintenance: Maintenance
    server: ServerInspector | None
    """Inspection of the server; None for a database in a file of this process."""

    def max_readers(self, connections: int) -> int:
        """Return how many reads may run at once, given the connections that a pool allows."""

    def open_writer(self, url: URL, timeouts: Timeouts, slow_queries: SlowQueries) -> Engine:
        """Return an engine with one connection, whose transactions wait for other writers.

        Raises:
            DatabaseUnsupported: this version can lose data.
        """

    def open_readers(
        self,
        url: URL,
        timeouts: Timeouts,
        slow_queries: SlowQueries,
        *,
        size: int,
        overflow: int,
        timeline: Callable[[], str | None],
    ) -> Engine:
        """Return an engine of read-only connections. Each transaction is one snapshot.

        `size` connections stay open, and `overflow` more open on demand. New connections to a
        server on another timeline than `timeline()` are refused.
        """

    def require_supported(self, connection: Connection) -> None:
        """Refuse a database that is too old.

        Raises:
            DatabaseUnsupported: names the version and the remedy.
        """

    def interrupt(self, connection: Connection) -> None:
        """End the statement that runs on a connection of readers, from another thread."""

    def now_us(self, connection: Connection, clock: Clock) -> int:
        """Return the clock that orders feeds, µs since 1970.

        All processes that write to the database have the same one.
        """

    def set_statement_timeout(self, connection: Connection, seconds: float) -> None:
        """Limit further statements of a transaction to `seconds` each, where they are timed."""

    def lock_table(self, connection: Connection, table: str) -> None:
        """Keep other transactions from locking or changing rows of a table until the end."""

    def insert_records(self, tx: WriteTx, mapping: RecordMapping, records: Sequence[Any]) -> None:
        """Insert records with one statement; raises the driver's error for all if one is bad."""

    def update_records(self, tx: WriteTx, mapping: RecordMapping, records: Sequence[Any]) -> None:
        """Write the updated fields of records; records without a row are ignored."""

    def find_by_keys(
        self, tx: ReadTx, lookup: KeyLookup, keys: Iterable[Sequence[object]], **parameters: object
    ) -> Sequence[Row[Any]]:
        """Return every row for distinct `keys`, each found by index.

        `parameters` are the other parameters of the lookup's statement.
        """

    def explain(self, error: Exception) -> str | None:
        """Return a sentence with a remedy for an error that no waiting mends, else None."""


class Maintenance(Protocol):
    """Work on a whole database: migrations, checks, backup and restore."""

    def lock_schema(self, connection: Connection, *, first_table: str, is_current: Callable[[], bool]) -> None:
        """Keep others from all tables until the transaction of a migration ends.

        One of two migrations waits for the other. The second finds `is_current()` and locks no
        table. `first_table` is locked first, as every writer does.

        Raises:
            SchemaBusy: a table stayed in use for too long.
        """

    def version_and_durability(self, tx: ReadTx) -> tuple[str, str]:
        """Return the database's version and its setting for commits, for operators."""

    def find_damage(self, tx: ReadTx) -> list[str]:
        """Return what is damaged; empty if nothing is, or if the database checks itself."""

    def checks(self, tx: ReadTx) -> list[CheckResult]:
        """Return the results of all checks; a large file takes minutes."""

    def allow_pauses(self, connection: Connection) -> None:
        """Allow any time between two statements of a transaction."""

    def stored_rows(self, tx: ReadTx, table: Table, kinds: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yield a table's rows in archive form, directly from the driver, in constant memory.

        Raises:
            driver_error: the driver failed between two rows.
        """

    def indexes(self, connection: Connection, table: str) -> list[tuple[str, str]]:
        """Return name and definition of a table's indexes that belong to no constraint."""

    def load_rows(self, connection: Connection, section: Section, rows: Iterable[list[Any]]) -> None:
        """Insert a section's rows, in archive form, by the fastest method."""

    def replace(self, url: URL, content: NewContent, timeouts: Timeouts, clock: Clock, made_us: int) -> str | None:
        """Replace a database by new content, in one step that is complete or has no effect.

        Feeds begin above the existing positions, the clock, and `made_us`. Returns the place where
        the previous database is kept, None if there was none.

        Raises:
            RestoreRefused: the database is in use, or `content.require_known` refused it.
        """


class ServerInspector(Protocol):
    """Inspection of a database server, which may be replaced by another one."""

    def timeline(self, connection: Connection) -> tuple[str, str]:
        """Return the ids of cluster and timeline, empty where the server denies them.

        It runs transactions of its own.
        """

    def database_id(self, connection: Connection) -> str:
        """Return the id of the database within its cluster."""

    def now_us(self, connection: Connection) -> int:
        """Return the server's clock, µs since 1970."""

    def state_query(self, timeline: str) -> TextClause:
        """Return the query of `now_us`, `timeline` and `epoch`, one row.

        Its timeline is empty if `timeline` is.
        """

    def connection_limit(self, connection: Connection) -> ConnectionLimit | None:
        """Return the narrowest connection limit, None behind a pooler."""
