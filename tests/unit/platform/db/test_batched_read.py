"""Batched lookups: equal keys are read once, batches are bounded, and waits end."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conflicto.platform.db.batched_read import BatchedRead, deduplicated
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.problems import NotFound, Overloaded


class Readers:
    """A fake database: runs a batch once `is_open` is set, and records the sizes of all batches."""

    def __init__(self, *, caller_s: float = 60.0) -> None:
        self.timeouts = Timeouts(caller_s=caller_s)
        self.is_open = asyncio.Event()
        self.sizes: list[int] = []

    async def read(self, query: Callable[..., Any], items: Sequence[Any]) -> Any:
        await self.is_open.wait()
        self.sizes.append(len(items))
        return query(None, items)


async def test_a_burst_takes_few_reads_and_equal_look_ups_are_made_once() -> None:
    readers, batches = Readers(), []

    def length(_: object, word: str) -> int:
        batches.append(word)
        if not word:
            raise NotFound
        return len(word)

    reads = BatchedRead(readers, deduplicated(length), max_batch=4)
    waiting = [asyncio.create_task(reads.read(word)) for word in ("ab", "", "ab", "abc", "ab", "ab", "", "")]
    readers.is_open.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [each if isinstance(each, int) else type(each) for each in outcomes] == [2, NotFound, 2, 3, 2, 2, NotFound, NotFound]
    assert readers.sizes == [4, 4]
    assert batches == ["ab", "", "abc", "ab", ""]


async def test_a_lookup_that_waits_too_long_is_refused() -> None:
    readers = Readers(caller_s=0.0)
    reads = BatchedRead(readers, deduplicated(lambda _, item: item), max_batch=2)
    refused = await asyncio.gather(*(reads.read(number) for number in range(5)), return_exceptions=True)
    assert [type(each) for each in refused] == [Overloaded] * 5

    readers.timeouts = Timeouts()
    late = asyncio.create_task(reads.read(7))
    readers.is_open.set()
    assert await late == 7
    assert sum(readers.sizes) == 3, "the keys of the running batch, and the one that still waits"


async def test_a_failing_read_reaches_everyone_in_its_batch_and_no_other() -> None:
    readers = Readers()
    readers.is_open.set()

    def fail_once(_: object, items: Sequence[int]) -> list[int]:
        if 0 in items:
            raise ZeroDivisionError
        return list(items)

    reads: BatchedRead[int, int] = BatchedRead(readers, fail_once, max_batch=2)
    outcomes = await asyncio.gather(*(reads.read(number) for number in range(4)), return_exceptions=True)

    assert [each if isinstance(each, int) else type(each) for each in outcomes] == [ZeroDivisionError, ZeroDivisionError, 2, 3]


@pytest.mark.parametrize("leaves", [0, 1])
async def test_whoever_leaves_takes_nobody_along(leaves: int) -> None:
    readers = Readers()
    reads = BatchedRead(readers, deduplicated(lambda _, item: item))
    waiting = [asyncio.create_task(reads.read(number)) for number in range(2)]
    await asyncio.sleep(0)
    waiting[leaves].cancel()
    readers.is_open.set()
    assert await waiting[1 - leaves] == 1 - leaves
