import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest

from conflicto.access.code_guard import (
    ADDRESS_POLICY,
    COST_UNDER_ATTACK,
    SERVER_POLICY,
    CodeGuard,
    PendingCharges,
    share_of_server_policy,
)
from conflicto.access.errors import TooManyGuesses
from conflicto.access.link_keys import LinkKeys
from conflicto.access.used_codes import UsedCodes
from conflicto.platform.limits.bucket import Policy, Verdict
from conflicto.platform.limits.limiter import REPLAYS, Limiter
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.limits.shared_flags import SharedFlags
from conflicto.platform.problems import DomainError, Kind, Unavailable
from tests.support.clocks import HandClock

ANNA = "192.0.2.1"
KEYS = LinkKeys(b"k" * 32)


class Wrong(DomainError):
    code = "wrong"
    title = "Wrong"
    kind = Kind.MISSING


class Full(DomainError):
    code = "full"
    title = "Full"
    kind = Kind.CONFLICT


class FrozenClock(HandClock):
    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def limiter(clock: FrozenClock) -> Limiter:
    return Limiter(MemoryLimiter(clock), None)


@pytest.fixture
def guard(limiter: Limiter, clock: FrozenClock) -> CodeGuard:
    return CodeGuard(limiter, SharedFlags(None, "", 1), UsedCodes(clock), KEYS)


def settle(*, right: bool) -> None:
    if not right:
        raise Wrong


async def tries(
    guard: CodeGuard,
    address: str,
    code: str,
    *,
    right: bool,
    key: str | None = None,
    during_lookup: Callable[[], Awaitable[object]] | None = None,
) -> bool:
    """Try a code; return whether it was looked up."""
    try:
        async with guard.guard(address, code, wrong=Wrong, link_key=key):
            if during_lookup:
                await during_lookup()
            settle(right=right)
    except TooManyGuesses:
        return False
    except Wrong:
        return True
    return True


async def guesses(guard: CodeGuard, address: str, most: int = 2_000) -> int:
    """Return how many wrong codes an address can try before it is refused."""
    for number in range(most):
        if not await tries(guard, address, f"wrong {number}", right=False):
            return number
    return most


async def test_address_has_six_hundred_misses_and_then_ten_a_second(guard: CodeGuard, clock: FrozenClock) -> None:
    assert await guesses(guard, ANNA) == ADDRESS_POLICY.quota == 600
    clock.advance(3)
    assert await guesses(guard, ANNA) == 30


async def test_right_codes_cost_nothing(guard: CodeGuard) -> None:
    for number in range(1_200):
        assert await tries(guard, ANNA, f"right {number}", right=True)
    assert await guesses(guard, ANNA) == 600


async def test_a_large_audience_behind_one_address_can_still_use_its_code(guard: CodeGuard) -> None:
    assert await tries(guard, ANNA, "GOOD", right=True)
    await guesses(guard, ANNA)

    assert await tries(guard, ANNA, "GOOD", right=True)
    assert not await tries(guard, ANNA, "OTHER", right=True)


async def test_a_code_used_within_a_day_is_no_guess_even_if_expired(guard: CodeGuard, clock: FrozenClock) -> None:
    assert await tries(guard, ANNA, "GOOD", right=True)
    clock.advance(86_000)
    for _ in range(1_200):
        assert await tries(guard, ANNA, "GOOD", right=False)
    assert await guesses(guard, ANNA) == 600

    assert await tries(guard, ANNA, "GOOD", right=False)
    clock.advance(2 * 86_400)
    await guesses(guard, ANNA)
    assert not await tries(guard, ANNA, "GOOD", right=False)


async def test_the_day_counts_from_the_last_use(guard: CodeGuard, clock: FrozenClock) -> None:
    for _ in range(3):
        assert await tries(guard, ANNA, "GOOD", right=True)
        clock.advance(80_000)
    await guesses(guard, ANNA)
    assert await tries(guard, ANNA, "GOOD", right=False)


async def test_link_with_its_key_is_never_limited(guard: CodeGuard) -> None:
    await guesses(guard, ANNA)
    for number in range(1_200):
        code = f"GOOD{number}"
        assert await tries(guard, ANNA, code, right=True, key=KEYS.key_of(code))
    assert await tries(guard, ANNA, "OVER", right=False, key=KEYS.key_of("OVER"))
    assert await tries(guard, ANNA, "GOOD7", right=True), "a typed code is accepted now"


@pytest.mark.parametrize("key", ["", "x", "é", "\ud800", KEYS.key_of("OTHER"), KEYS.key_of("GOOD")[:-1], KEYS.key_of("GOOD") + "A"])
async def test_wrong_key_is_a_miss_even_where_the_code_is_right_and_used(guard: CodeGuard, key: str) -> None:
    assert await tries(guard, ANNA, "GOOD", right=True)
    looked = []

    async def during_lookup() -> None:
        looked.append(1)

    for _ in range(ADDRESS_POLICY.quota):
        with pytest.raises(Wrong):
            async with guard.guard(ANNA, "GOOD", wrong=Wrong, link_key=key):
                await during_lookup()
    with pytest.raises(TooManyGuesses):
        async with guard.guard(ANNA, "GOOD", wrong=Wrong, link_key=key):
            await during_lookup()
    assert looked == []
    assert await guesses(guard, ANNA) == 0
    assert await tries(guard, ANNA, "GOOD", right=True)


def test_key_changes_with_code_and_installation_and_is_long_enough() -> None:
    keys = {LinkKeys(secret).key_of(code) for secret in (b"k" * 32, b"l" * 32) for code in ("BCDFGHJK", "BCDFGHJL", "BCDFGHJKL")}
    assert len(keys) == 6
    assert all(re.fullmatch(r"[\w-]{12}", key) for key in keys), "72 bits in characters that a URL need not escape"


async def test_concurrent_guesses_have_the_limit_of_sequential_ones(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [asyncio.ensure_future(tries(guard, ANNA, f"wrong {n}", right=False, during_lookup=looked.wait)) for n in range(1000)]
    await asyncio.sleep(0)
    looked.set()

    assert sum(await asyncio.gather(*tried)) == 600
    assert not await tries(guard, ANNA, "one more", right=False)


async def test_concurrent_guesses_of_many_addresses_keep_the_server_limit(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [
        asyncio.ensure_future(tries(guard, f"10.0.{n >> 8}.{n & 255}", f"wrong {n}", right=False, during_lookup=looked.wait))
        for n in range(3_000)
    ]
    await asyncio.sleep(0)
    looked.set()

    assert sum(await asyncio.gather(*tried)) == SERVER_POLICY.quota
    assert not await tries(guard, "192.0.2.9", "RIGHT", right=True), "a typed code waits"
    assert await tries(guard, "192.0.2.9", "RIGHT", right=True, key=KEYS.key_of("RIGHT")), "a link does not"
    assert await tries(guard, "192.0.2.9", "RIGHT", right=True), "a code that was used from there does not wait"
    assert len(guard._addresses) == len(guard._server) == 0


async def test_concurrent_tries_of_a_right_code_are_charged_once_and_refunded(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [asyncio.ensure_future(tries(guard, ANNA, "GOOD", right=True, during_lookup=looked.wait)) for _ in range(1000)]
    await asyncio.sleep(0)
    looked.set()

    assert sum(await asyncio.gather(*tried)) == 1000
    assert await guesses(guard, ANNA) == 600


async def test_concurrent_tries_from_several_addresses_are_one_guess_of_the_server(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [
        asyncio.ensure_future(tries(guard, f"10.0.{n >> 8}.{n & 255}", "GOOD", right=True, during_lookup=looked.wait))
        for n in range(5_000)
    ]
    await asyncio.sleep(0)
    looked.set()

    assert sum(await asyncio.gather(*tried)) == 5_000


async def test_concurrent_tries_of_a_wrong_code_are_one_guess(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [asyncio.ensure_future(tries(guard, ANNA, "wrong", right=False, during_lookup=looked.wait)) for _ in range(1000)]
    await asyncio.sleep(0)
    looked.set()
    assert sum(await asyncio.gather(*tried)) == 1000

    assert await guesses(guard, ANNA) == 599


@pytest.mark.parametrize(("error", "known"), [(Full, True), (Unavailable, False)])
async def test_error_that_is_no_miss_costs_nothing(guard: CodeGuard, error: type[DomainError], known: bool) -> None:
    with pytest.raises(error):
        async with guard.guard(ANNA, "GOOD", wrong=Wrong):
            raise error
    assert await guesses(guard, ANNA) == 600

    assert await tries(guard, ANNA, "GOOD", right=True) == known


async def test_a_cancelled_try_leaves_no_charge(guard: CodeGuard) -> None:
    for attempts in range(6):
        task = asyncio.ensure_future(tries(guard, ANNA, "GOOD", right=True, during_lookup=asyncio.Event().wait))
        for _ in range(attempts):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(guard._addresses) == len(guard._server) == 0
    assert await guesses(guard, ANNA) == 600


async def test_replays_are_allowed_and_their_checks_are_bounded(guard: CodeGuard) -> None:
    await guesses(guard, ANNA)
    checks = []

    async def repeats() -> bool:
        checks.append(1)
        return len(checks) == 1

    async with guard.guard(ANNA, "GOOD", wrong=Wrong, repeats=repeats):
        pass
    for _ in range(100):
        with pytest.raises(TooManyGuesses):
            async with guard.guard(ANNA, "OTHER", wrong=Wrong, repeats=repeats):
                raise AssertionError
    assert len(checks) == REPLAYS.quota


@pytest.mark.parametrize("before", range(0, 120, 30))
async def test_under_attack_a_wrong_code_costs_ten_and_guessing_ends(guard: CodeGuard, clock: FrozenClock, before: int) -> None:
    assert [await tries(guard, ANNA, f"{number}", right=False) for number in range(before)] == [True] * before
    for number in range(SERVER_POLICY.quota * 3 // 4 + 1 - before):
        assert await tries(guard, f"198.51.{number // 250}.{number % 250}", f"wrong {number}", right=False)

    assert await guesses(guard, ANNA) == (ADDRESS_POLICY.quota - before) // COST_UNDER_ATTACK
    clock.advance(0.01)
    assert await guesses(guard, ANNA) == 0


async def test_two_addresses_cannot_spend_the_whole_quota(guard: CodeGuard, clock: FrozenClock) -> None:
    looked = 0
    for number in range(18_000):  # three minutes at a hundred a second
        clock.advance(0.01)
        looked += await tries(guard, f"192.0.2.{number % 2}", f"wrong {number}", right=False)
        if number % 100 == 0:
            assert await tries(guard, f"10.0.{number >> 8}.1", f"RIGHT {number}", right=True), (
                "new participants are always admitted"
            )
    assert looked <= SERVER_POLICY.quota * 4


def test_workers_without_shared_counters_divide_the_quota() -> None:
    assert [share_of_server_policy(workers).quota for workers in (1, 2, 3, 2_000)] == [1000, 500, 333, 1]


class FailingLimiter:
    """A limiter that fails once `is_answered` is set."""

    def __init__(self) -> None:
        self.is_answered = asyncio.Event()
        self.refunded: list[str] = []

    async def spend(self, policy: Policy, key: str, cost: int = 1) -> Verdict:
        await self.is_answered.wait()
        raise Unavailable

    def refund(self, policy: Policy, key: str, cost: int = 1, *, by: Verdict | None = None) -> None:
        self.refunded.append(policy.name)


async def test_a_try_cancelled_before_the_verdict_gets_no_refund_of_a_failed_charge() -> None:
    limiter = FailingLimiter()
    charges = PendingCharges(limiter, ADDRESS_POLICY)  # type: ignore[arg-type] - a double
    gone = asyncio.create_task(charges.charge("tried", ANNA, 1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert len(charges) == 0

    limiter.is_answered.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert limiter.refunded == []


class RemoteFlags(SharedFlags):
    """Flags that another worker sets during a lookup."""

    was_set = False

    async def is_set(self, *name: str) -> bool:
        return self.was_set


async def test_a_code_used_at_another_worker_meanwhile_is_no_guess(limiter: Limiter, clock: FrozenClock) -> None:
    flags = RemoteFlags(None, "", 1)
    guard = CodeGuard(limiter, flags, UsedCodes(clock), KEYS)

    async def used_elsewhere() -> None:
        flags.was_set = True

    assert await tries(guard, ANNA, "over", right=False, during_lookup=used_elsewhere)
    flags.was_set = False
    assert await guesses(guard, ANNA) == ADDRESS_POLICY.quota
