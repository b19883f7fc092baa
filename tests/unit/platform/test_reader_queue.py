"""Queue before the readers, on a clock that only the test moves."""

import asyncio
from collections.abc import Callable

import pytest

from conflicto.platform.db import reader_queue
from conflicto.platform.db.reader_queue import ReadCategory, ReaderQueue
from conflicto.platform.problems import Unavailable
from tests.support.patience import PATIENCE_S

MAX_WAIT_S, STALLED_S = 6.0, 3.0


@pytest.fixture
async def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], object]:
    """Set the loop's clock, and run all callbacks that are due."""
    now = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0], raising=False)

    async def move(seconds: float) -> None:
        now[0] = seconds
        for _ in range(10):
            await asyncio.sleep(0)

    return move


def opened(queue: ReaderQueue, size: int) -> ReadCategory:
    return queue.add_category(size, max_wait_s=MAX_WAIT_S, stalled_s=STALLED_S, busy_detail="busy")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_reads_wait_while_the_queue_moves_and_no_longer_than_its_bound(at: Callable[[float], asyncio.Future[None]]) -> None:
    queue = ReaderQueue(1)
    category = opened(queue, 1)
    await queue.acquire(category)
    waiting = [asyncio.create_task(queue.acquire(category)) for _ in range(3)]
    await at(0.0)
    for second in (2.0, 4.5):
        await at(second)
        queue.release(category)
    await at(MAX_WAIT_S - 0.1)
    assert [task.done() for task in waiting] == [True, True, False]

    await at(MAX_WAIT_S + 0.1)
    with pytest.raises(Unavailable) as raised:
        await waiting[2]
    assert raised.value.retry_after_s
    assert len(queue) == 0


async def test_reads_are_refused_soon_while_no_place_comes_free(at: Callable[[float], asyncio.Future[None]]) -> None:
    queue = ReaderQueue(1)
    category = opened(queue, 1)
    await queue.acquire(category)
    waiting = asyncio.create_task(queue.acquire(category))
    await at(0.0)
    await at(STALLED_S - 0.1)
    assert not waiting.done()
    await at(STALLED_S + 0.1)
    with pytest.raises(Unavailable):
        await waiting


async def test_a_burst_is_taken_in_the_order_of_arrival_and_a_full_category_is_passed_over() -> None:
    queue, order = ReaderQueue(2), []
    plain, lists = opened(queue, 2), opened(queue, 1)
    for category in (plain, lists):
        await queue.acquire(category)

    async def read(name: str, category: ReadCategory) -> None:
        await queue.acquire(category)
        order.append(name)

    tasks = [
        asyncio.create_task(read(f"{'l' if number % 2 else 'p'}{number}", lists if number % 2 else plain)) for number in range(6)
    ]
    await settle()
    assert len(queue) == 6
    for category in (plain, plain, lists, lists):
        queue.release(category)
        await settle()
    assert order == ["p0", "p2", "l1", "l3"], "while a list runs, other reads get the second reader"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_probe_goes_before_all_who_wait() -> None:
    queue = ReaderQueue(1)
    category = opened(queue, 1)
    await queue.acquire(category)
    waiting = [asyncio.create_task(queue.acquire(category)) for _ in range(100)]
    await settle()
    probe = asyncio.create_task(queue.acquire(category, is_urgent=True))
    await settle()
    queue.release(category)
    await settle()
    assert probe.done()
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_callers_who_go_away_leave_nothing_behind() -> None:
    """Cancel a caller before it gets a reader, and at that moment."""
    queue = ReaderQueue(1)
    category = opened(queue, 1)
    await queue.acquire(category)
    gone, granted = (asyncio.create_task(queue.acquire(category)) for _ in range(2))
    await settle()
    gone.cancel()
    await settle()
    assert len(queue) == 1
    queue.release(category)
    granted.cancel()
    await asyncio.gather(gone, granted, return_exceptions=True)
    await settle()
    await asyncio.wait_for(queue.acquire(category), PATIENCE_S)
    assert category.running == 1


async def test_a_queue_that_is_full_or_too_long_refuses_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = ReaderQueue(1)
    category = opened(queue, 1)
    await queue.acquire(category)
    monkeypatch.setattr(reader_queue, "MAX_WAITING_READS", 3)
    waiting = [asyncio.create_task(queue.acquire(category)) for _ in range(3)]
    await settle()
    with pytest.raises(Unavailable):
        await queue.acquire(category)

    monkeypatch.setattr(reader_queue, "MAX_WAITING_READS", 1_000)
    category.duration_s.value = reader_queue.WAIT_MARGIN * MAX_WAIT_S
    with pytest.raises(Unavailable):
        await queue.acquire(category)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
