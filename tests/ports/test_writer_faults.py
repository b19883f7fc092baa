"""The writer with a failing database: timely answers, nothing partial or repeated, recovery."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from conflicto.activities.model import ResponsePolicy
from conflicto.platform.db.dialects.postgresql_read_timeout import TRANSFER_MARGIN_S
from conflicto.platform.db.group import CommitUnknown
from conflicto.platform.db.tables import counters
from conflicto.platform.db.transaction import WriteTx
from conflicto.platform.problems import InternalError, Unavailable
from conflicto.responses.commands.submit import SubmitResult
from conflicto.responses.tables import responses
from conflicto.sessions.idempotency.store import key_from
from tests.ports.conftest import SHORT, Outage
from tests.support.kit import Kit, Stage, command, set_stage
from tests.support.patience import PATIENT
from tests.support.pgbouncer import POOLER

AFTER_SILENCE_S = SHORT.statement_s + TRANSFER_MARGIN_S + 1
"""Timeout of a caller behind a pooler. A pooler without a server connection keeps its clients
waiting in silence."""

MAX_TRIES = 1_000

LOCKER = """
import sys, pysqlite3
connection = pysqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@contextmanager
def locked_by_another_process(path: str) -> Iterator[None]:
    locker = subprocess.Popen([sys.executable, "-c", LOCKER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert locker.stdout is not None
    assert locker.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        locker.communicate()


def add(tx: WriteTx, name: str) -> str:
    tx.write(insert(counters), {"name": name, "value": 1})
    return name


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.timed
def test_a_server_that_takes_no_writes_for_now_is_an_outage(kit: Kit, outage: Outage) -> None:
    """Services make a database read-only when their disk is full."""
    stage = set_stage(kit, people=1)
    for value, expected in (("on", Unavailable), ("off", SubmitResult)):
        with psycopg.connect(outage.admin_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(
                    sql.Identifier(outage.name), sql.SQL(value)
                )
            )
        outage.cut_connections()
        (outcome,) = kit.run(stage.answer(0, "1"))
        assert isinstance(outcome, expected), outcome


def rows(kit: Kit) -> int:
    return kit.db.query(lambda tx: tx.scalar(select(func.count()).select_from(responses)))


def key(name: str, body: bytes = b"1") -> Any:
    return key_from(name, subject="p1", route="submit", body=body)


def failed_after(kit: Kit, *commands: Any) -> float:
    began = time.monotonic()
    outcomes = kit.run(*commands)
    assert [type(each) for each in outcomes] == [Unavailable] * len(commands)
    return time.monotonic() - began


@pytest.mark.catalogue("F-07")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.timed
def test_sqlite_locked_by_another_process(kit: Kit) -> None:
    stage = set_stage(kit, people=2)

    with locked_by_another_process(kit.db.url.database or ""):
        assert failed_after(kit, stage.answer(0, "1"), stage.answer(1, "1")) < 1.5
        assert rows(kit) == 0

    assert all(isinstance(each, SubmitResult) for each in kit.run(stage.answer(0, "1"), stage.answer(1, "1")))
    assert rows(kit) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.timed
def test_postgres_goes_away_and_comes_back(kit: Kit, outage: Outage) -> None:
    stage = set_stage(kit, people=1)

    outage.begin()
    try:
        assert failed_after(kit, stage.answer(0, "1")) < (AFTER_SILENCE_S if POOLER else 3)
        with pytest.raises(Unavailable):
            rows(kit)
    finally:
        outage.end()

    (outcome,) = kit.run(stage.answer(0, "1"))
    for _ in range(MAX_TRIES if POOLER else 0):  # it refuses logins a moment longer
        if not isinstance(outcome, Unavailable):
            break
        (outcome,) = kit.run(stage.answer(0, "1"))
    assert isinstance(outcome, SubmitResult)
    assert rows(kit) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connection_that_died_in_the_pool_costs_nobody_an_answer(kit: Kit, outage: Outage) -> None:
    stage = set_stage(kit, people=1)
    assert rows(kit) == 0

    outage.cut_connections()

    assert isinstance(kit.run(stage.answer(0, "1"))[0], SubmitResult)
    assert rows(kit) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connection_that_dies_in_the_transaction_is_replaced_and_the_group_run_again(kit: Kit, outage: Outage) -> None:
    stage = set_stage(kit, people=2)
    cuts = iter([outage.cut_connections])

    def cut(tx: WriteTx) -> None:
        next(cuts, lambda: None)()

    outcomes = kit.run(stage.answer(0, "1"), command(None, lambda tx, items: [tx.attempt(cut)], None), stage.answer(1, "1"))

    assert [type(each) for each in outcomes] == [SubmitResult, type(None), SubmitResult]
    assert rows(kit) == 2


@pytest.mark.catalogue("D-02")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.timed
def test_session_row_locked_by_another_process(kit: Kit) -> None:
    stage, other = set_stage(kit, people=1), set_stage(kit, people=1)

    with psycopg.connect(kit.db.url.render_as_string(hide_password=False)) as holder:
        holder.execute("SELECT ts FROM feed_heads WHERE session_id = %s FOR UPDATE", (stage.session_id,))
        assert failed_after(kit, stage.answer(0, "1")) < 1.5
        assert isinstance(kit.run(other.answer(0, "1"))[0], SubmitResult)

    assert isinstance(kit.run(stage.answer(0, "1"))[0], SubmitResult)


@pytest.mark.timed
def test_statement_without_end_is_cut_off(kit: Kit) -> None:
    slow = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(30)",
    }[kit.db.dialect.name]
    began = time.monotonic()

    with pytest.raises(Unavailable):
        kit.do(None, lambda tx: tx.scalar(text(slow)))

    assert time.monotonic() - began < 2.5
    assert kit.do(None, add, "afterwards") == "afterwards"


# A commit whose reply is lost ---------------------------------------------------------------------


@contextmanager
def commits(kit: Kit, instead: Callable[[Callable[[Any], None], Any], None]) -> Iterator[list[int]]:
    """Replace the next commit by `instead(commit, connection)`; yield the number of attempts."""
    dialect = kit.db._writer.dialect
    commit, tried = dialect.do_commit, [0]

    def do_commit(connection: Any) -> None:
        tried[0] += 1
        if tried[0] == 1:
            instead(commit, connection)
        else:
            commit(connection)

    dialect.do_commit = do_commit
    try:
        yield tried
    finally:
        dialect.do_commit = commit


def lost_error(kit: Kit) -> Exception:
    module = kit.db._writer.dialect.dbapi
    error: Exception = module.OperationalError("the reply to COMMIT never came")
    return error


def test_commit_whose_reply_is_lost_is_unknown_and_never_replayed(kit: Kit) -> None:
    stage = set_stage(kit, people=2)

    def lose_reply(commit: Callable[[Any], None], connection: Any) -> None:
        commit(connection)
        raise lost_error(kit)

    with commits(kit, lose_reply) as tried:
        outcomes = kit.run(stage.answer(0, "1", key("k0")), stage.answer(1, "1"))
        assert tried == [1]

    assert [type(each) for each in outcomes] == [Unavailable, Unavailable]
    assert isinstance(outcomes[0].__cause__, CommitUnknown)
    assert rows(kit) == 2
    settled = kit.run(stage.answer(0, "1", key("k0")))[0]
    assert (settled.status, settled.response.revision) == (201, 1)
    assert rows(kit) == 2


def test_commit_that_never_arrived_is_settled_by_the_key_too(kit: Kit) -> None:
    stage = set_stage(kit, people=1)

    def lose_request(commit: Callable[[Any], None], connection: Any) -> None:
        raise lost_error(kit)

    with commits(kit, lose_request):
        assert type(kit.run(stage.answer(0, "1", key("k0")))[0]) is Unavailable

    assert rows(kit) == 0
    other = Kit(kit.db.url.render_as_string(hide_password=False), timeouts=PATIENT)
    assert other.do(None, add, "the lock is free") == "the lock is free"
    other.close()
    first, again = (kit.run(stage.answer(0, "1", key("k0")))[0] for _ in range(2))
    assert first == again
    assert rows(kit) == 1


def test_memory_after_an_unknown_commit_follows_the_database(kit: Kit) -> None:
    """The next group draws its timestamps from the stored head."""
    stage = set_stage(kit, people=1)
    first = kit.run(stage.answer(0, "1"))[0].response

    def lose_reply(commit: Callable[[Any], None], connection: Any) -> None:
        commit(connection)
        raise lost_error(kit)

    with commits(kit, lose_reply):
        kit.run(stage.answer(0, "2"))
    third = kit.run(stage.answer(0, "3"))[0].response

    assert rows(kit) == 3
    assert third.ts > first.ts + 1


# Retries ------------------------------------------------------------------------------------------


class Shaken(Exception):
    sqlstate = "40P01"


@pytest.mark.catalogue("F-14")
@pytest.mark.parametrize("failures", [1, 2, 3])
def test_deadlock_is_run_again_three_times_at_most(kit: Kit, failures: int) -> None:
    tried = 0

    def unlucky(tx: WriteTx) -> str:
        nonlocal tried
        tried += 1
        add(tx, "once")
        if tried <= failures:
            raise OperationalError("SELECT 1", {}, Shaken())
        return "done"

    if failures < 3:
        assert kit.do(None, unlucky) == "done"
        assert kit.do(None, lambda tx: tx.scalar(select(func.count()).where(counters.c.name == "once"))) == 1
    else:
        with pytest.raises(Unavailable):
            kit.do(None, unlucky)
    assert tried == min(failures + 1, 3)


@pytest.mark.catalogue("C-01")
def test_race_for_a_unique_key_is_run_again(kit: Kit) -> None:
    """Another process takes the name between check and insert; the second attempt finds it."""
    kit.do(None, add, "taken")
    names = iter(["taken", "free"])

    assert kit.do(None, lambda tx: add(tx, next(names))) == "free"
    with capture_logs(), pytest.raises(InternalError):
        kit.do(None, add, "taken")


@pytest.mark.catalogue("C-03")
def test_concurrent_processes_with_one_key_have_one_effect(database_url: str) -> None:
    kits = [Kit(database_url) for _ in range(4)]
    try:
        stage: Stage = set_stage(kits[0], people=1, policy=ResponsePolicy.MANY)

        async def race() -> list[Any]:
            return await asyncio.gather(*(asyncio.to_thread(kit.run, stage.answer(0, "1", key("k"))) for kit in kits))

        receipts = [outcomes[0] for outcomes in asyncio.run(race())]
        assert {(receipt.status, receipt.response.id) for receipt in receipts} == {(201, receipts[0].response.id)}
        assert rows(kits[0]) == 1
    finally:
        for kit in kits:
            kit.close()
