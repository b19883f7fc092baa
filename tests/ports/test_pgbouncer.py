"""PgBouncer before PostgreSQL: our settings hold in every transaction, in both pool modes."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.problems import Unavailable
from conflicto.responses import store
from tests.support import databases
from tests.support.kit import Kit, set_stage
from tests.support.patience import PATIENT
from tests.support.pgbouncer import Pooler, pgbouncer
from tests.support.processes import served

DEADLINES = replace(PATIENT, statement_s=300.0, lock_s=240.0)
IGNORED = "ignore_startup_parameters = extra_float_digits, options"
SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit", "TimeZone",
            "transaction_isolation", "transaction_read_only", "enable_seqscan", "search_path")  # fmt: skip
OF_WRITER = ("5min", "4min", "10s", "on", "UTC", "read committed", "off", "off", "apart,public")
OF_READER = ("5min", "4min", "10s", "on", "UTC", "repeatable read", "on", "on", "apart,public")


@pytest.fixture(scope="module", params=["session", "transaction"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=[IGNORED, "ignore_startup_parameters = extra_float_digits"], ids=["ignored", "refused"])
def bouncer(request: pytest.FixtureRequest, postgres_url: str, mode: str) -> Iterator[Pooler]:
    """PgBouncer that silently ignores our settings, or refuses them."""
    with pgbouncer(postgres_url, mode, request.param) as running:
        yield running


@pytest.fixture
def pooled_url(bouncer: Pooler, postgres_template: str, postgres_url: str) -> Iterator[str]:
    with databases.postgres_copy(postgres_url) as url:
        yield bouncer.through(url)


def settings(tx: ReadTx) -> tuple[str, ...]:
    return tuple(tx.connection.execute(text("SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS))).one())


def test_settings_hold_in_every_transaction_of_everybody(pooled_url: str) -> None:
    """Readers and writers share server connections and could inherit each other's settings."""
    url = f"{pooled_url}?options=-csearch_path%3Dapart,public"
    with (
        closing(Database(url, pool=PoolSize(4, 4), timeouts=DEADLINES)) as db,
        psycopg.connect(pooled_url, autocommit=True) as other,
    ):
        for _ in range(10):
            other.execute("SET statement_timeout = 0")
            assert db.query(settings) == OF_READER
            with db.writer_connection() as connection, connection.begin():
                assert settings(ReadTx(connection)) == OF_WRITER
        with pytest.raises(Unavailable):
            db.query(lambda tx: tx.connection.execute(text("CREATE TABLE t (a int)")))
        assert other.execute("SELECT current_setting('enable_seqscan')").fetchone() == ("on",), (
            "our settings do not leak to other clients"
        )


def test_reads_are_of_one_moment(pooled_url: str) -> None:
    with closing(Database(pooled_url, timeouts=DEADLINES)) as db, psycopg.connect(pooled_url, autocommit=True) as other:

        def twice(tx: ReadTx) -> list[int]:
            counted = "SELECT count(*) FROM counters"
            first = tx.connection.execute(text(counted)).scalar_one()
            other.execute("INSERT INTO counters (name, value) VALUES (md5(random()::text), 1)")
            return [first, tx.connection.execute(text(counted)).scalar_one()]

        for _ in range(5):
            first, second = db.query(twice)
            assert first == second


def test_writer_and_readers_work_side_by_side_for_long(pooled_url: str) -> None:
    """Prepared statements of one server connection do not exist on the next."""
    kit = Kit(pooled_url, timeouts=DEADLINES)
    stage = set_stage(kit, people=8)
    faults: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(60):
                kit.db.query(store.find_single_responses, [(each, stage.activity_id, 1) for each in stage.people])
        except Exception as error:  # noqa: BLE001 - looked at below
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for each in readers:
        each.start()
    for number in range(60):
        kit.run(*(stage.answer(who, f"{number}") for who in range(8)))
    for each in readers:
        each.join()
    assert faults == []
    assert kit.db.query(lambda tx: tx.connection.execute(text("SELECT count(*) FROM responses")).scalar_one()) == 480
    kit.close()


def test_server_serves_through_it(pooled_url: str, tmp_path: Path) -> None:
    with served(tmp_path, DATABASE_URL=pooled_url) as server:
        made = server.call("POST", "/sessions", {"title": "Town hall"})
        server.call("PATCH", f"/sessions/{made['id']}", {"status": "active"})
        for number in range(20):
            server.call("POST", "/join", {"nickname": f"P{number}", "code": made["join_code"]})
        assert server.call("GET", f"/sessions/{made['id']}/status")["participant_count"] == 20


def test_statement_pooling_is_refused_in_words(postgres_url: str, postgres_database: str) -> None:
    with (
        pgbouncer(postgres_url, "statement", IGNORED) as running,
        closing(Database(running.through(postgres_database))) as db,
        pytest.raises(DBAPIError, match="statement pooling"),
    ):
        db.writer_connection()


def test_a_setting_that_does_not_hold_is_named(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.dialects.postgresql_session._pair", lambda _, value, **__: f"'{value}!', '{value}'")
    with (
        closing(Database(postgres_database, timeouts=Timeouts())) as db,
        pytest.raises(DBAPIError, match=r"statement_timeout is 5000! and must be 5000"),
    ):
        db.writer_connection()
