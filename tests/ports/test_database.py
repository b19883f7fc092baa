"""The database as the program opens it: deadlines, durability, snapshots and schema."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from conflicto import migrations
from conflicto.platform.db.dialects import postgresql_connections, sqlite_connections
from conflicto.platform.db.dialects.dialect import DatabaseUnsupported
from conflicto.platform.db.dialects.sqlite import MAX_READERS
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.schema import SCHEMA, SchemaMismatch, require_current, revision
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.platform.problems import Unavailable
from tests.ports.conftest import SHORT
from tests.support import machines, servers
from tests.support.kit import Kit, set_stage
from tests.support.kit import command as queued
from tests.support.pgbouncer import past_pooler

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(3600)",
}
GROUPS = 40


@pytest.fixture
def db(database_url: str, timeouts: Timeouts) -> Iterator[Database]:
    made = Database(database_url, pool=PoolSize(2, 1), timeouts=timeouts)
    yield made
    made.close()


def endless(tx: ReadTx) -> Any:
    return tx.scalar(text(ENDLESS[tx.dialect.name]))


# Timeouts -----------------------------------------------------------------------------------------


@pytest.mark.timed
async def test_slow_read_is_cut_off_and_the_next_one_works(db: Database) -> None:
    began = time.monotonic()

    with pytest.raises(Unavailable) as raised:
        await db.read(endless)

    assert 0.4 < time.monotonic() - began < 1.9
    assert raised.value.retry_after_s
    assert await db.read(lambda tx: tx.scalar(text("SELECT 1"))) == 1


@pytest.mark.catalogue("F-12")
@pytest.mark.timed
async def test_busy_readers_refuse_in_time_and_recover(db: Database) -> None:
    async def attempt() -> float:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await db.read(endless)
        return time.monotonic() - began

    waits = await asyncio.gather(*(attempt() for _ in range(10)))

    assert max(waits) < 1.9
    assert sum(wait < 0.5 for wait in waits) == 8
    assert await asyncio.gather(*(db.read(lambda tx: tx.scalar(text("SELECT 1"))) for _ in range(20))) == [1] * 20


@pytest.mark.timed
async def test_who_would_wait_in_vain_is_refused_at_once(database_url: str) -> None:
    """Ten times more reads than there is time for: the excess is refused without a wait."""
    db = Database(database_url, pool=PoolSize(2, 0), timeouts=Timeouts(acquire_s=0.5, queue_s=0.5))
    took_s = 0.05

    def slow(tx: ReadTx) -> int:
        time.sleep(took_s)
        return 1

    async def one() -> tuple[bool, float]:
        began = time.monotonic()
        try:
            await db.read(slow)
        except Unavailable:
            return False, time.monotonic() - began
        return True, time.monotonic() - began

    for _ in range(40):
        await db.read(slow)
    outcomes = await asyncio.gather(*(one() for _ in range(100)))
    again = await one()
    db.close()

    answered, refused = [took for done, took in outcomes if done], [took for done, took in outcomes if not done]
    assert len(answered) >= 5
    assert len(refused) >= 50
    assert sorted(refused)[len(refused) // 2] < took_s
    assert again[0]


@pytest.mark.catalogue("C-09")
async def test_reader_whose_caller_went_away_comes_back(db: Database) -> None:
    for _ in range(4):
        task = asyncio.create_task(db.read(endless))
        await asyncio.sleep(0.01)
        task.cancel()

    assert await asyncio.gather(*(db.read(lambda tx: tx.scalar(text("SELECT 1"))) for _ in range(8))) == [1] * 8


@pytest.mark.timed
async def test_answer_that_does_not_come_frees_its_caller(db: Database) -> None:
    began = time.monotonic()

    with pytest.raises(Unavailable):
        await db.read(lambda tx: time.sleep(2.3))

    assert time.monotonic() - began < 2.2


def test_pool_shares_one_connection_with_the_writer() -> None:
    assert (PoolSize(20, 30).readers, PoolSize(2, 0).readers, PoolSize(1, 0).readers) == (49, 1, 1)


# Opening of connections ---------------------------------------------------------------------------


def settings_of(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "sqlite":
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only", "cache_size")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    names = ("synchronous_commit", "statement_timeout", "lock_timeout", "transaction_isolation", "transaction_read_only", "TimeZone",
             "idle_in_transaction_session_timeout")  # fmt: skip
    return {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}


@pytest.mark.catalogue("F-02")
def test_commits_are_durable_and_every_wait_is_bounded(database_url: str) -> None:
    with (
        closing(Database(database_url, pool=PoolSize(2, 1), timeouts=SHORT)) as db,
        db._writer.connect() as writer,
        db._readers.connect() as reader,
    ):
        found = settings_of(writer), settings_of(reader)

    if db.dialect.name == "sqlite":
        both = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert found == (both | {"query_only": 0, "cache_size": -16 * 1024}, both | {"query_only": 1, "cache_size": -2 * 1024}), (
            "KiB of page cache, which every connection holds for good"
        )
    else:
        both = {"synchronous_commit": "on", "statement_timeout": "600ms", "lock_timeout": "300ms", "TimeZone": "UTC",
                "idle_in_transaction_session_timeout": "10s"}  # fmt: skip
        assert found == (
            both | {"transaction_isolation": "read committed", "transaction_read_only": "off"},
            both | {"transaction_isolation": "repeatable read", "transaction_read_only": "on"},
        )


@pytest.mark.catalogue("F-02")
def test_no_default_of_database_or_role_makes_commits_less_durable(postgres_database: str, postgres_url: str) -> None:
    name = sql.Identifier(postgres_database.rpartition("/")[2])
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        for whose in ("DATABASE {}", "ROLE CURRENT_USER IN DATABASE {}"):
            connection.execute(sql.SQL(f"ALTER {whose} SET synchronous_commit = off").format(name))
    with psycopg.connect(past_pooler(postgres_database, postgres_url)) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)

    db = Database(postgres_database, pool=PoolSize(2, 0))
    with db._writer.connect() as writer:
        assert settings_of(writer)["synchronous_commit"] == "on"
    db.close()


def flushes(connection: psycopg.Connection[Any]) -> int:
    """Return the number of syncs of the server's log that all processes have reported."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    found = connection.execute("SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal' AND context = 'normal'").fetchone()
    return int(found[0]) if found else 0


@pytest.mark.catalogue("F-02")
def test_each_commit_is_acknowledged_after_a_sync_of_the_servers_log() -> None:
    """The server counts one sync per group. Asynchronous commits would cause fewer."""
    with servers.postgres() as admin_url:
        migrations.upgrade(url := servers.create_database(admin_url, "syncs"))
        kit = Kit(url)
        stage, found = set_stage(kit, people=1), {}
        with psycopg.connect(admin_url, autocommit=True) as looking:
            for durable in (True, False):
                before = flushes(looking)
                for number in range(GROUPS):
                    done = stage.answer(0, str(number)) if durable else queued(stage.session_id, careless, number)
                    assert not isinstance(kit.run(done)[0], Exception)
                kit.db._writer.dispose()  # the process reports its counts when it ends
                machines.until(lambda: not looking.execute("SELECT FROM pg_stat_activity WHERE datname = 'syncs'").fetchall())
                found[durable] = flushes(looking) - before
        kit.close()
    assert found[True] >= GROUPS > 2 * found[False]


def careless(tx: WriteTx, items: list[int]) -> list[int]:
    tx.connection.execute(text("SET LOCAL synchronous_commit = off"))
    tx.next_ts(next(iter(tx.heads)))
    return items


def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises((Unavailable, DBAPIError)) as raised:
        db.query(lambda tx: tx.connection.execute(text("INSERT INTO counters (name, value) VALUES ('x', 1)")))

    assert "read" in str(raised.value.__cause__).lower()
    assert db.query(lambda tx: tx.scalar(text("SELECT count(*) FROM counters"))) == 0


def test_read_sees_one_snapshot(db: Database) -> None:
    def write(number: int) -> None:
        with db.writer_connection() as connection, connection.begin():
            connection.execute(text("INSERT INTO counters (name, value) VALUES (:name, 1)"), {"name": str(number)})

    def count(tx: ReadTx) -> tuple[int, int]:
        first = tx.scalar(text("SELECT count(*) FROM counters"))
        write(1)
        return first, tx.scalar(text("SELECT count(*) FROM counters"))

    assert db.query(count) == (0, 0)
    assert db.query(lambda tx: tx.scalar(text("SELECT count(*) FROM counters"))) == 1


@pytest.mark.catalogue("F-08")
@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 7, 0), False), ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False), ((3, 50, 6), False),
     ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 4), True), ((4, 0, 0), True)],
)  # fmt: skip
def test_sqlite_with_the_wal_race_is_refused(version: tuple[int, ...], safe: bool) -> None:
    if safe:
        sqlite_connections.require_safe_version(version)
    else:
        with pytest.raises(DatabaseUnsupported, match="pysqlite3"):
            sqlite_connections.require_safe_version(version)
    sqlite_connections.require_safe_version()


def test_sqlite_takes_a_few_readers_and_makes_its_directory(tmp_path: Any) -> None:
    db = Database(f"sqlite:///{tmp_path}/new/folder/file.sqlite3")
    try:
        assert db._readers.pool.size() == MAX_READERS
        assert db.reader_queue._free == MAX_READERS
        assert (tmp_path / "new/folder").is_dir()
    finally:
        db.close()


@pytest.mark.catalogue("F-08")
def test_old_postgres_is_refused() -> None:
    class Old:
        def execute(self, statement: object) -> "Old":
            return self

        def scalar_one(self) -> str:
            return "130011"

    with pytest.raises(DatabaseUnsupported, match="PostgreSQL 13 is too old"):
        postgresql_connections.require_supported(Old())


# Schema -------------------------------------------------------------------------------------------


def url_of(db: Database) -> str:
    return db.url.render_as_string(hide_password=False)


def test_schema_is_the_newest_migration_and_the_models_are_it(db: Database) -> None:
    assert ScriptDirectory.from_config(migrations.config("")).get_heads() == [SCHEMA]
    require_current(db)
    command.check(migrations.config(url_of(db)))


def test_migrations_go_down_and_up_again(db: Database) -> None:
    migrations.downgrade(url_of(db), "base")
    with db.writer_connection() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    with pytest.raises(SchemaMismatch, match="schema none"):
        require_current(db)

    migrations.upgrade(url_of(db))
    migrations.upgrade(url_of(db))
    require_current(db)
    command.check(migrations.config(url_of(db)))


def test_database_of_another_version_is_refused(db: Database, tmp_path: Any) -> None:
    empty = Database(f"sqlite:///{tmp_path}/empty.sqlite3")
    with empty.writer_connection() as connection:
        assert revision(connection) is None
    with pytest.raises(SchemaMismatch, match="conflicto db upgrade"):
        require_current(empty)
    empty.close()
    with db.writer_connection() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="9999"):
        require_current(db)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgres_keeps_the_json_as_jsonb_too(db: Database) -> None:
    with db.writer_connection() as connection:
        found = inspect(connection)
        kinds = {
            table: {column["name"]: str(column["type"]) for column in found.get_columns(table)}
            for table in ("responses", "activities")
        }
        definition = connection.execute(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_responses_response_data'")
        ).scalar_one()

    assert kinds["responses"]["response_data"] == "JSONB"
    assert {kinds["activities"][name] for name in ("config", "secret", "aggregate")} == {"JSONB"}
    assert "USING gin (response_data jsonb_path_ops)" in definition
