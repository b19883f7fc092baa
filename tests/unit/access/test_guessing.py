"""How far guessing gets: E-01, that codes are drawn evenly, and E-02, how many are looked up with all limits on."""

import math
from collections import Counter, deque
from itertools import pairwise

import pytest

from conflicto.access.code_guard import COST_UNDER_ATTACK, EVERYWHERE, CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.limiter import Limiter
from conflicto.platform.limits.marks import Marks
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.problems import NotFound
from conflicto.sessions.model import CODE_ALPHABET, CODE_LENGTH, new_code
from tests.support.clocks import HandClock

CODES = len(CODE_ALPHABET) ** CODE_LENGTH
LIVE = 100
DAY_S = 86_400
ONE_IN_A_MILLION = 4.75
"""Standard deviations, so that the test of chance fails by chance once in a million runs."""


def bound(freedom: int) -> float:
    """Return what a sum of `freedom` squares stays below but once in a million times (Wilson and Hilferty 1931)."""
    return freedom * (1 - 2 / (9 * freedom) + ONE_IN_A_MILLION * math.sqrt(2 / (9 * freedom))) ** 3


def chi_squared(counted: Counter, cells: int) -> float:
    expected = counted.total() / cells
    return sum((count - expected) ** 2 / expected for count in counted.values()) + (cells - len(counted)) * expected


@pytest.mark.catalogue("E-01")
def test_codes_are_drawn_evenly() -> None:
    codes = [new_code() for _ in range(20_000)]
    letters = len(CODE_ALPHABET)
    places = Counter((place, letter) for code in codes for place, letter in enumerate(code))
    neighbours = Counter(pair for code in codes for pair in pairwise(code))

    assert {letter for code in codes for letter in code} == set(CODE_ALPHABET)
    assert not set(CODE_ALPHABET) & set("AEIOUY01lI")
    assert {len(code) for code in codes} == {CODE_LENGTH}
    assert chi_squared(places, CODE_LENGTH * letters) < bound(CODE_LENGTH * (letters - 1))
    assert (
        chi_squared(neighbours, letters**2) < bound(letters**2 - 1) * 1.1
    )  # neighbours share letters, so they are not independent
    assert len(set(codes)) == len(codes)


class Still(HandClock):
    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


async def looked_up(addresses: int, seconds: int, *, tries_a_second: int) -> float:
    """Return how many guesses a second are looked up once the bursts are over, if every address tries as often as that."""
    clock = Still()
    guard, looked, turn = CodeGuard(Limiter(MemoryLimiter(clock), None), Marks(None, "")), 0, deque(range(addresses))
    for second in range(2 * seconds):
        looked = 0 if second == seconds else looked
        for nth in range(tries_a_second):
            turn.rotate(-1)
            clock.advance(1 / tries_a_second)
            try:
                async with guard.trying(
                    f"10.{turn[0] >> 16}.{turn[0] >> 8 & 255}.{turn[0] & 255}", f"{second} {nth}", wrong=NotFound
                ):
                    looked += 1
                    raise NotFound  # noqa: TRY301 - the look itself
            except (NotFound, TooManyGuesses):
                continue
    return looked / seconds


@pytest.mark.catalogue("E-02")
@pytest.mark.parametrize(("addresses", "seconds", "tries_a_second"), [(1, 60, 20), (100, 40, 100), (1000, 20, 500)])
async def test_guesses_are_bounded_however_many_guess(addresses: int, seconds: int, tries_a_second: int) -> None:
    """Each address has one a second, or a tenth of one under attack, when the whole server has 1,000 a minute at the lower price."""
    calm = EVERYWHERE.quota / EVERYWHERE.window_s
    most = min(addresses, calm + (addresses - calm) / COST_UNDER_ATTACK) if addresses > calm else addresses

    assert 0.8 * most <= await looked_up(addresses, seconds, tries_a_second=tries_a_second) <= 1.05 * most


@pytest.mark.catalogue("E-02")
@pytest.mark.parametrize(("a_second", "chance"), [(1, 0.0003), (25, 0.008), (1015, 0.29)])
def test_chance_that_a_day_of_guessing_opens_any_of_a_hundred_sessions(a_second: float, chance: float) -> None:
    """What `docs/decisions/0011` says of one address, of a hundred and of ten thousand."""
    assert 1 - math.exp(-a_second * DAY_S * LIVE / CODES) == pytest.approx(chance, rel=0.15)
