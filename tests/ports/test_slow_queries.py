"""The log of slow statements on both databases: all are timed, and no parameter is logged."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from conflicto.platform.db import timed_cursors
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.slow_queries import SlowQueries
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.problems import Unavailable
from tests.ports.conftest import SHORT
from tests.support.kit import Kit, set_stage
from tests.support.patience import PATIENT

ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n"
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(30)",
}


class Stopwatch:
    """A clock that advances one second per execution, fetch and commit."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1
        return self.now_s


@pytest.fixture(autouse=True)
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    made = Stopwatch()
    monkeypatch.setattr(timed_cursors, "perf_counter", made)
    return made


def opened(url: str, threshold_s: float, timeouts: Timeouts = PATIENT) -> Database:
    return Database(url, pool=PoolSize(2, 1), timeouts=timeouts, slow_queries=SlowQueries(threshold_s))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = opened(database_url, 1.0)
    yield made
    made.close()


def statements_of(lines: list[Any]) -> list[tuple[str, str]]:
    return [(line["role"], line["statement"]) for line in lines if line["event"] == "slow-query"]


def test_a_slow_read_is_logged_with_its_text_and_without_its_parameters(db: Database) -> None:
    with capture_logs() as lines:
        assert db.query(lambda tx: tx.scalar(text("SELECT CAST(:word AS text)"), {"word": "canary"})) == "canary"

    assert "canary" not in repr(lines)
    found = [statement for role, statement in statements_of(lines) if "SELECT CAST(" in statement and role == "reader"]
    assert len(found) == 1
    assert db.slow_queries.counts["reader"] > 0
    assert db.slow_queries.counts["writer"] == 0


def test_fetching_rows_is_part_of_the_time_and_what_is_done_between_fetches_is_not(db: Database, stopwatch: Stopwatch) -> None:
    def go_through(tx: ReadTx) -> None:
        for _ in tx.stream(text(ROWS), batch_rows=100):
            stopwatch.now_s += 10_000

    with capture_logs() as lines:
        db.query(lambda tx: tx.all(text(ROWS)))
        db.slow_queries._logged.clear()
        db.query(go_through)

    taken = [line["milliseconds"] for line in lines if line.get("statement") == ROWS]
    assert taken[0] == 2_000
    assert 2_000 < taken[1] < 10_000_000


def test_the_writer_is_timed_statement_by_statement_and_at_its_commit(db: Database) -> None:
    with capture_logs() as lines, db.writer_connection() as connection, connection.begin():
        connection.execute(text("DELETE FROM meta WHERE key = :key"), {"key": "canary"})
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'nothing'")

    found = [statement.split()[0] for role, statement in statements_of(lines) if role == "writer"]
    assert found.count("DELETE") == 2
    assert found[-1] == "COMMIT"
    assert "canary" not in repr(lines)


def test_a_crowd_s_rows_are_timed_as_well(database_url: str) -> None:
    kit = Kit(database_url, timeouts=PATIENT, slow_queries=SlowQueries(1.0))
    try:
        stage = set_stage(kit, people=3)
        with capture_logs() as lines:
            kit.run(*(stage.answer(who, '"canary"') for who in range(3)))
    finally:
        kit.close()

    assert [
        statement for role, statement in statements_of(lines) if role == "writer" and statement.startswith("INSERT INTO responses ")
    ]
    assert "canary" not in repr(lines)


def test_a_cancelled_statement_is_logged(database_url: str) -> None:
    with (
        closing(opened(database_url, 1.0, replace(PATIENT, statement_s=SHORT.statement_s))) as db,
        capture_logs() as lines,
        pytest.raises(Unavailable),
    ):
        db.query(lambda tx: tx.scalar(text(ENDLESS[tx.dialect.name])))

    assert ("reader", ENDLESS[db.dialect.name]) in statements_of(lines)


async def test_an_exempt_read_is_not_logged(db: Database) -> None:
    def look(tx: ReadTx) -> int:
        return int(tx.scalar(text("SELECT 1")))

    with capture_logs() as lines:
        await db.read_unmeasured(look)
        assert statements_of(lines) == []
        await db.read(look)
    assert ("reader", "SELECT 1") in statements_of(lines)


def test_quick_statements_and_a_threshold_of_0_log_nothing(database_url: str) -> None:
    for threshold_s in (0.0, 1_000.0):
        db = opened(database_url, threshold_s)
        with capture_logs() as lines:
            db.query(lambda tx: tx.all(text(ROWS)))
        db.close()
        assert statements_of(lines) == []
        assert db.slow_queries.counts == {"reader": 0, "writer": 0}
