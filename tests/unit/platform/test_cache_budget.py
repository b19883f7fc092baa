import asyncio
import gc
import sys
import tracemalloc
from collections import deque
from functools import partial

import pytest

from conflicto.platform import cache_budget as module
from conflicto.platform.cache_budget import CacheBudget, text_bytes
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.metrics.registry import FastPathMetrics, Histogram
from conflicto.platform.response_cache.cached_response import (
    FULL,
    MAX_CACHED_MESSAGE_BYTES,
    NOT_MODIFIED,
    CachedResponse,
    Freshness,
)
from conflicto.platform.response_cache.response_cache import MAX_RESPONSE_BYTES, BoundedMap, EvictionQueue
from tests.support.patience import PATIENCE_S

POLICY = Policy("poll", 600, 60)
DATE = b"date: Sat, 29 Nov 2026 10:00:00 GMT\r\n"


class Entries:
    """A cache of entries of any size."""

    def __init__(self, budget: CacheBudget, name: str, share: float) -> None:
        self.sizes: deque[int] = deque()
        self.account = budget.account(name, share=share, evict=self.evict)

    def put(self, size: int) -> None:
        self.sizes.append(size)
        self.account.add(size)

    def evict(self) -> bool:
        if not self.sizes:
            return False
        self.account.add(-self.sizes.popleft())
        return True


def test_a_cache_may_use_what_others_leave_and_releases_it_first() -> None:
    budget = CacheBudget(1_000)
    greedy, modest = Entries(budget, "greedy", 0.5), Entries(budget, "modest", 0.5)
    for _ in range(90):
        greedy.put(10)
    assert (budget.used, greedy.account.evictions) == (900, 0)

    for _ in range(50):
        modest.put(10)
    assert (budget.used, greedy.account.bytes, modest.account.bytes) == (1_000, 500, 500)
    assert (greedy.account.evictions, modest.account.evictions) == (40, 0)

    modest.put(10)
    assert budget.used == 1_000
    assert modest.account.bytes in {500, 510}


def test_what_is_larger_than_all_together_does_not_stay() -> None:
    budget = CacheBudget(100)
    cache = Entries(budget, "one", 1.0)
    cache.put(500)
    assert (budget.used, list(cache.sizes)) == (0, [])


def test_a_cache_that_cannot_evict_leaves_it_to_others() -> None:
    budget = CacheBudget(100)
    budget.account("fixed").add(80)
    cache = Entries(budget, "one", 0.5)
    for _ in range(10):
        cache.put(10)
    assert (budget.used, cache.account.bytes) == (100, 20)
    budget.account("more").add(90)
    assert (budget.used, cache.account.bytes) == (170, 0)


@pytest.mark.parametrize("text", ["", "abc", "é" * 100, "ж" * 100, "🎉" * 100])
def test_the_size_of_a_text_equals_that_of_the_interpreter(text: str) -> None:
    assert text_bytes(text) == sys.getsizeof(text)
    assert text_bytes(None) == 0


def cached_response(size: int, *, created_s: float = 0.0) -> CachedResponse:
    headers = tuple((b"header-%d" % number, b"value of some length %d" % number) for number in range(6))
    tag = b'"%x"' % (hash((size, created_s)) & 0xFFFFFFFF)
    return CachedResponse(
        b"x" * size,
        headers,
        tag=tag,
        policy=POLICY,
        tally=FastPathMetrics(Histogram(())),
        freshness=Freshness(created_s + 5.0, created_s=created_s),
    )


@pytest.mark.parametrize("size", [0, 1_000, 20_000, MAX_CACHED_MESSAGE_BYTES * 2])
def test_a_cached_response_weighs_at_least_what_it_holds(size: int) -> None:
    queue = EvictionQueue()
    where: BoundedMap[CachedResponse] = BoundedMap(queue)
    many = 200
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(many):
        made = cached_response(size, created_s=number / 1_000)
        where.put(b"/api/v1/sessions/1/changes/since/%016d" % number, made)
        made.to_bytes(FULL, DATE)
        made.to_bytes(NOT_MODIFIED, DATE)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert len(where) == many
    assert held <= queue.account.bytes <= 2 * held + many * 6_000


def test_a_large_message_is_the_same_each_time() -> None:
    for size in (10, MAX_CACHED_MESSAGE_BYTES * 2):
        made = cached_response(size)
        assert made.to_bytes(FULL, DATE) == made.to_bytes(FULL, DATE)
        assert made.to_bytes(FULL, DATE).endswith(b"\r\n\r\n" + made.body)
        assert made.to_bytes(NOT_MODIFIED, DATE).endswith(b"\r\n\r\n")


def test_the_oldest_cached_responses_are_evicted() -> None:
    budget = CacheBudget(200_000)
    queue = EvictionQueue(budget)
    one: BoundedMap[CachedResponse] = BoundedMap(queue)
    other: BoundedMap[CachedResponse] = BoundedMap(queue)
    for number in range(100):
        (one if number % 2 else other).put(number, cached_response(1_000))
    assert budget.used <= 200_000
    kept = sorted([*one, *other])
    assert kept == list(range(100 - len(kept), 100))
    assert queue.account.evictions == 100 - len(kept)


def test_a_body_too_large_is_not_cached_and_removes_the_earlier_one() -> None:
    where: BoundedMap[CachedResponse] = BoundedMap(EvictionQueue())
    where.put("page", cached_response(10))
    assert where
    where.put("page", cached_response(MAX_RESPONSE_BYTES))
    assert not where


def test_expired_responses_are_removed_when_others_are_added() -> None:
    queue = EvictionQueue()
    where: BoundedMap[CachedResponse] = BoundedMap(queue)
    for number in range(50):
        where.put(number, cached_response(10, created_s=0.0))
    for number in range(50, 100):
        where.put(number, cached_response(10, created_s=100.0))
    assert sorted(where) == list(range(50, 100))
    assert len(queue._queue) == 50


def test_the_account_follows_every_way_out() -> None:
    queue = EvictionQueue()
    where: BoundedMap[CachedResponse] = BoundedMap(queue)
    for number in range(10):
        where.put(number, cached_response(10))
        where.put(number, cached_response(20))
    where.remove(3)
    assert not where.remove(3)
    nine = queue.account.bytes
    assert nine == where.bytes > 0
    where.clear()
    assert (queue.account.bytes, where.bytes) == (0, 0)
    assert not queue.evict()
    where.put(1, cached_response(20))
    assert queue.account.bytes * 9 == nine


def test_places_of_removed_responses_are_forgotten_with_age() -> None:
    budget = CacheBudget()
    queue = EvictionQueue(budget)
    gone: BoundedMap[CachedResponse] = BoundedMap(queue)
    kept: BoundedMap[CachedResponse] = BoundedMap(queue)
    for where in (gone, kept, gone):
        where.put("page", cached_response(10))
    gone.clear()
    queue.account.age()
    assert [owner is kept for owner, _, _ in queue._queue] == [True, False]
    kept.clear()
    queue.account.age()
    assert not queue._queue


async def test_all_caches_age_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGING_INTERVAL_S", 0.0)
    budget, aged, is_over = CacheBudget(), [], asyncio.Event()

    def age(name: str) -> None:
        aged.append(name)
        if len(aged) == 6:
            is_over.set()

    for name in ("one", "other"):
        budget.account(name, age=partial(age, name))
    budget.account("ageless")
    running = asyncio.create_task(budget.run())
    async with asyncio.timeout(PATIENCE_S):
        await is_over.wait()
    running.cancel()
    assert aged[:6] == ["one", "other"] * 3
