import asyncio
from collections.abc import Awaitable, Callable

import pytest

from conflicto.access import code_guard
from conflicto.access.code_guard import CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.limiter import REPLAYS, Limiter
from conflicto.platform.limits.marks import Marks
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.problems import DomainError, Kind, Unavailable
from tests.support.clocks import HandClock

ANNA = "192.0.2.1"


class Wrong(DomainError):
    code = "wrong"
    title = "Wrong"
    kind = Kind.MISSING


class Full(DomainError):
    code = "full"
    title = "Full"
    kind = Kind.CONFLICT


class Stopped(HandClock):
    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def limiter(clock: Stopped) -> Limiter:
    return Limiter(MemoryLimiter(clock), None)


@pytest.fixture
def guard(limiter: Limiter) -> CodeGuard:
    return CodeGuard(limiter, Marks(None, ""))


def settle(*, right: bool) -> None:
    if not right:
        raise Wrong


async def tries(
    guard: CodeGuard, address: str, code: str, *, right: bool, look: Callable[[], Awaitable[object]] | None = None
) -> bool:
    """Try a code; returns whether it was looked up at all."""
    try:
        async with guard.trying(address, code, wrong=Wrong):
            if look:
                await look()
            settle(right=right)
    except TooManyGuesses:
        return False
    except Wrong:
        return True
    return True


async def guesses(guard: CodeGuard, address: str, most: int = 200) -> int:
    """Return how many wrong codes an address can try before it is refused."""
    for number in range(most):
        if not await tries(guard, address, f"wrong {number}", right=False):
            return number
    return most


async def test_address_has_sixty_misses_and_then_one_a_second(guard: CodeGuard, clock: Stopped) -> None:
    assert await guesses(guard, ANNA) == 60
    assert await guesses(guard, "192.0.2.2") == 60
    clock.advance(3)
    assert await guesses(guard, ANNA) == 3


async def test_right_codes_cost_nothing(guard: CodeGuard) -> None:
    for number in range(200):
        assert await tries(guard, ANNA, f"right {number}", right=True)
    assert await guesses(guard, ANNA) == 60


async def test_hall_behind_one_address_goes_on_with_its_code(guard: CodeGuard) -> None:
    assert await tries(guard, ANNA, "GOOD", right=True)
    await guesses(guard, ANNA)

    assert await tries(guard, ANNA, "GOOD", right=True)
    assert not await tries(guard, ANNA, "OTHER", right=True)


async def test_code_that_is_over_is_new_again(guard: CodeGuard) -> None:
    assert await tries(guard, ANNA, "GOOD", right=True)
    await guesses(guard, ANNA)
    assert await tries(guard, ANNA, "GOOD", right=False)

    assert not await tries(guard, ANNA, "GOOD", right=False)


async def test_guesses_at_the_same_moment_are_no_more_than_guesses_in_turn(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [asyncio.ensure_future(tries(guard, ANNA, f"wrong {n}", right=False, look=looked.wait)) for n in range(1000)]
    await asyncio.sleep(0)
    looked.set()

    assert sum(await asyncio.gather(*tried)) == 60
    assert not await tries(guard, ANNA, "one more", right=False)


async def test_hall_that_arrives_at_the_same_moment_pays_once_and_gets_it_back(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [asyncio.ensure_future(tries(guard, ANNA, "GOOD", right=True, look=looked.wait)) for _ in range(1000)]
    await asyncio.sleep(0)
    looked.set()

    assert sum(await asyncio.gather(*tried)) == 1000
    assert await guesses(guard, ANNA) == 60


async def test_same_wrong_code_at_the_same_moment_is_one_guess(guard: CodeGuard) -> None:
    looked = asyncio.Event()
    tried = [asyncio.ensure_future(tries(guard, ANNA, "wrong", right=False, look=looked.wait)) for _ in range(1000)]
    await asyncio.sleep(0)
    looked.set()
    assert sum(await asyncio.gather(*tried)) == 1000

    assert await guesses(guard, ANNA) == 59


@pytest.mark.parametrize(("error", "known"), [(Full, True), (Unavailable, False)])
async def test_error_that_is_no_miss_costs_nothing(guard: CodeGuard, error: type[DomainError], known: bool) -> None:
    with pytest.raises(error):
        async with guard.trying(ANNA, "GOOD", wrong=Wrong):
            raise error
    assert await guesses(guard, ANNA) == 60

    assert await tries(guard, ANNA, "GOOD", right=True) == known


async def test_whoever_goes_away_meanwhile_leaves_nothing_behind(guard: CodeGuard) -> None:
    for attempts in (0, 1, 2):
        task = asyncio.ensure_future(tries(guard, ANNA, "GOOD", right=True, look=asyncio.Event().wait))
        for _ in range(attempts):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert guard._trials == {}
    assert await guesses(guard, ANNA) >= 59


async def test_request_that_repeats_itself_is_let_through_and_looking_for_it_is_bounded(guard: CodeGuard) -> None:
    await guesses(guard, ANNA)
    asked = []

    async def repeats() -> bool:
        asked.append(1)
        return len(asked) == 1

    async with guard.trying(ANNA, "GOOD", wrong=Wrong, repeats=repeats):
        pass
    for _ in range(100):
        with pytest.raises(TooManyGuesses):
            async with guard.trying(ANNA, "OTHER", wrong=Wrong, repeats=repeats):
                raise AssertionError
    assert len(asked) == REPLAYS.quota


@pytest.mark.parametrize("before", range(0, 12, 3))
async def test_under_attack_a_miss_costs_ten_and_nobody_guesses_without_end(guard: CodeGuard, clock: Stopped, before: int) -> None:
    assert [await tries(guard, ANNA, f"{number}", right=False) for number in range(before)] == [True] * before
    for number in range(1001):
        await tries(guard, f"198.51.{number // 250}.{number % 250}", "wrong", right=False)

    assert await guesses(guard, ANNA) == (60 - before) // 10
    clock.shift_s += 0.0005
    assert await guesses(guard, ANNA) == 0


async def test_pairs_are_bounded(guard: CodeGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_guard, "MOST_PAIRS", 2)
    monkeypatch.setattr(code_guard, "PER_ADDRESS", Policy("code-misses", 1, 60))
    for code in ("A", "B", "C"):
        assert await tries(guard, ANNA, code, right=True)
    assert await guesses(guard, ANNA) == 1

    assert [await tries(guard, ANNA, code, right=True) for code in ("B", "C", "A")] == [True, True, False]
