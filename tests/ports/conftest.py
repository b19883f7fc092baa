"""The writer and its database without HTTP, with timeouts that tests can wait for."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import WriteTx
from tests.support import dialects
from tests.support.clocks import HandClock, StoppedClock
from tests.support.kit import Kit
from tests.support.patience import PATIENT

SHORT = Timeouts(connect_s=0.5, lock_s=0.3, acquire_s=0.3, statement_s=0.6, caller_s=2.0)


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that moves by hand alone: no command of a busy machine is overdue."""
    return StoppedClock()


@pytest.fixture
def timeouts(request: pytest.FixtureRequest) -> Timeouts:
    """Return timeouts that `timed` tests wait for, and that no other test reaches."""
    return PATIENT if request.node.get_closest_marker("timed") is None else SHORT


@pytest.fixture
def kit(database_url: str, timeouts: Timeouts) -> Iterator[Kit]:
    made = Kit(database_url, timeouts=timeouts)
    yield made
    made.close()


class Outage:
    """An outage of one database of a PostgreSQL server, which the test starts and ends."""

    def __init__(self, admin_url: str, name: str) -> None:
        self.admin_url, self.name = admin_url, name

    def begin(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(self.name)))
        self.cut_connections()

    def cut_connections(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = %s", (self.name,))

    def end(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(self.name)))


@pytest.fixture
def outage(kit: Kit, postgres_url: str) -> Outage:
    return Outage(postgres_url, kit.db.url.database or "")


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The database with timeouts for tests of its dialect."""
    made = Database(database_url, pool=PoolSize(2, 1), timeouts=dialects.SHORT)
    yield made
    made.close()


@pytest.fixture
def other_db(database_url: str) -> Iterator[Database]:
    """Another process's access to the database."""
    made = Database(database_url, pool=PoolSize(2, 1), timeouts=dialects.SHORT)
    yield made
    made.close()


@pytest.fixture
def tx(db: Database) -> Iterator[WriteTx]:
    """A transaction of the writer with an empty table of things."""
    with dialects.undone(db) as tx:
        dialects.THINGS.create(tx.connection)
        yield tx
