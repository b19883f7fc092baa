"""Reads: cancelled with their callers, and long ones leave readers for the others."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from conflicto.platform.db import engine
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.read_categories import CategoryReader
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.problems import Unavailable
from tests.ports.test_database import ENDLESS
from tests.support.checks import eventually
from tests.support.patience import PATIENCE_S, PATIENT

ROWS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "postgresql": "SELECT generate_series(1, 1000000000) AS i",
}


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = Database(database_url, pool=PoolSize(4, 1), timeouts=PATIENT)
    yield made
    made.close()


class Work:
    """Reads that signal their start."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()

    def statement(self, tx: ReadTx) -> Any:
        self.begun.release()
        return tx.scalar(text(ENDLESS[tx.dialect.name]))

    def rows(self, tx: ReadTx) -> None:
        for row in tx.stream(text(ROWS[tx.dialect.name]), batch_rows=10):
            if row.i == 100:
                self.begun.release()

    def loop(self, tx: ReadTx) -> None:
        self.begun.release()
        while not self.released.wait(0.001):
            tx.deadline.check()

    def stuck(self, _: ReadTx) -> None:
        self.begun.release()
        self.released.wait()

    async def has_begun(self, times: int = 1) -> None:
        for _ in range(times):
            assert await asyncio.to_thread(self.begun.acquire, timeout=PATIENCE_S)


def one(tx: ReadTx) -> int:
    return int(tx.scalar(text("SELECT 1")))


async def idle(db: Database) -> None:
    async def nothing_runs() -> bool:
        return not db._running and db.stuck_reads == 0

    await eventually(nothing_runs)


@pytest.mark.parametrize("kind", ["statement", "rows", "loop"])
async def test_a_read_ends_with_its_caller(db: Database, kind: str) -> None:
    work = Work()
    for _ in range(3):
        reads = [asyncio.create_task(db.read(getattr(work, kind))) for _ in range(2)]
        await work.has_begun(2)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        await idle(db)
    assert await asyncio.gather(*(db.read(one) for _ in range(8))) == [1] * 8


@pytest.mark.parametrize("kind", ["statement", "rows", "loop"])
async def test_a_read_ends_with_its_time(database_url: str, kind: str) -> None:
    db, work = Database(database_url, pool=PoolSize(2, 0), timeouts=Timeouts(statement_s=0.2, caller_s=0.5)), Work()
    with pytest.raises(Unavailable) as raised:
        await db.read(getattr(work, kind))
    assert raised.value.retry_after_s
    await idle(db)

    async def is_read() -> bool:
        with suppress(Unavailable):  # on a busy machine this read may end with its time, too
            return await db.read(one) == 1
        return False

    assert await eventually(is_read)
    db.close()


async def test_a_late_cancellation_meets_nobody_else(db: Database) -> None:
    """Cancel a hundred reads at any moment; no other read on their connections is cancelled."""
    work = Work()
    work.released.set()
    for number in range(100):
        gone, other = asyncio.create_task(db.read(work.loop)), asyncio.create_task(db.read(one))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        gone.cancel()
        assert await other == 1
    await idle(db)


async def test_long_reads_leave_readers_for_everybody_else(database_url: str) -> None:
    db, work = Database(database_url, pool=PoolSize(4, 1), timeouts=replace(PATIENT, acquire_s=0.3)), Work()
    lists = [asyncio.create_task(db.lists.read(work.stuck)) for _ in range(db.lists.size)]
    loads = [asyncio.create_task(db.loads.read(work.stuck)) for _ in range(db.loads.size)]
    await work.has_begun(len(lists) + len(loads))

    assert await db.read(one) == 1
    with pytest.raises(Unavailable):
        await db.lists.read(one)

    work.released.set()
    await asyncio.gather(*lists, *loads)
    assert (await db.lists.read(one), await db.loads.read(one)) == (1, 1)
    db.close()


async def test_a_place_in_a_category_is_free_when_its_reader_is(db: Database) -> None:
    """A cancelled caller's reader stays busy while its thread still works."""
    category, work = CategoryReader(db, 1, wait_s=0.05), Work()
    task = asyncio.create_task(category.read(work.stuck))
    await work.has_begun()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert db.stuck_reads == 1
    with pytest.raises(Unavailable):
        await category.read(one)

    work.released.set()
    await idle(db)
    assert await category.read(one) == 1


async def test_closing_does_not_wait_for_a_stuck_reader(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_CLOSE_S", 0.05)
    db, work = Database(database_url, pool=PoolSize(2, 1), timeouts=PATIENT), Work()
    stuck = asyncio.create_task(db.read(work.stuck))
    looping = asyncio.create_task(db.read(work.loop))
    await work.has_begun(2)

    await asyncio.to_thread(db.close)

    assert not stuck.done()
    with pytest.raises(Unavailable):
        await looping
    work.released.set()
    await asyncio.gather(stuck, return_exceptions=True)


def test_rows_that_an_error_leaves_open_end_with_their_transaction(db: Database) -> None:
    """A traceback keeps frames alive after the connection has gone back to the pool."""
    left: list[Any] = []

    def query(tx: ReadTx) -> None:
        rows = tx.stream(text(ROWS[tx.dialect.name]), batch_rows=10)
        next(rows)
        left.append((rows, tx._open[0]))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.query(query)

    ((rows, result),) = left
    assert result.closed
    rows.close()
    assert db.query(lambda tx: tx.scalar(text("SELECT 7"))) == 7
