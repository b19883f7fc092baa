"""Resistance to guessing: evenly drawn codes (E-01), and rate of lookups with all limits (E-02)."""

import math
from collections import Counter, deque
from itertools import pairwise
from random import Random

import pytest

from conflicto.access.code_guard import ADDRESS_POLICY, SERVER_POLICY, CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.access.link_keys import LinkKeys
from conflicto.access.used_codes import UsedCodes
from conflicto.platform.limits.limiter import Limiter
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.limits.shared_flags import SharedFlags
from conflicto.platform.problems import NotFound
from conflicto.sessions.model import CODE_ALPHABET, CODE_GROUPS, MIN_GUESSING_TIME_S, code_length, max_open_sessions, new_code
from tests.support.clocks import HandClock

ONE_IN_A_MILLION = 4.75
"""Standard deviations of the bound: the test fails by chance once in a million runs."""


def bound(freedom: int) -> float:
    """Return a bound that a sum of `freedom` squares exceeds once in a million times.

    Source: Wilson and Hilferty 1931.
    """
    return freedom * (1 - 2 / (9 * freedom) + ONE_IN_A_MILLION * math.sqrt(2 / (9 * freedom))) ** 3


def chi_squared(counted: Counter, cells: int) -> float:
    expected = counted.total() / cells
    return sum((count - expected) ** 2 / expected for count in counted.values()) + (cells - len(counted)) * expected


@pytest.mark.catalogue("E-01")
@pytest.mark.parametrize("length", CODE_GROUPS)
def test_codes_are_drawn_evenly(length: int) -> None:
    codes = [new_code(length) for _ in range(20_000)]
    letters = len(CODE_ALPHABET)
    places = Counter((place, letter) for code in codes for place, letter in enumerate(code))
    neighbours = Counter(pair for code in codes for pair in pairwise(code))

    assert {letter for code in codes for letter in code} == set(CODE_ALPHABET)
    assert not set(CODE_ALPHABET) & set("AEIOUY01lI")
    assert {len(code) for code in codes} == {length}
    assert chi_squared(places, length * letters) < bound(length * (letters - 1))
    assert (
        chi_squared(neighbours, letters**2) < bound(letters**2 - 1) * 1.1
    )  # neighbours share letters, so they are not independent
    assert len(codes) - len(set(codes)) <= 2  # two of 20,000 are alike in one run of 130, three pairs in none


class GuessingClock(HandClock):
    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


async def looked_up(addresses: int, seconds: int, *, tries_a_second: int) -> float:
    """Return the number of lookups a second after the bursts.

    The addresses make `tries_a_second` guesses a second in all, in turn.
    """
    clock = GuessingClock()
    guard = CodeGuard(Limiter(MemoryLimiter(clock), None), SharedFlags(None, "", 1), UsedCodes(clock), LinkKeys(b"k" * 32))
    looked, turn = 0, deque(range(addresses))
    for second in range(2 * seconds):
        looked = 0 if second == seconds else looked
        for number in range(tries_a_second):
            turn.rotate(-1)
            clock.advance(1 / tries_a_second)
            try:
                async with guard.guard(
                    f"10.{turn[0] >> 16}.{turn[0] >> 8 & 255}.{turn[0] & 255}", f"{second} {number}", wrong=NotFound
                ):
                    looked += 1
                    raise NotFound  # noqa: TRY301 - the look itself
            except (NotFound, TooManyGuesses):
                continue
    return looked / seconds


@pytest.mark.catalogue("E-02")
@pytest.mark.parametrize(("addresses", "seconds", "tries_a_second"), [(1, 60, 20), (100, 40, 100), (1000, 20, 500)])
async def test_guesses_are_bounded_for_any_number_of_addresses(addresses: int, seconds: int, tries_a_second: int) -> None:
    """An address may guess ten times a second, and all addresses together 1,000 times a minute."""
    most = min(addresses * ADDRESS_POLICY.quota / ADDRESS_POLICY.window_s, SERVER_POLICY.quota / SERVER_POLICY.window_s)

    assert 0.8 * most <= await looked_up(addresses, seconds, tries_a_second=tries_a_second) <= 1.05 * most


@pytest.mark.catalogue("E-02")
@pytest.mark.parametrize(("length", "most_open"), [(8, 48), (9, 973), (10, 19_469)])
def test_guessing_the_code_of_any_session_takes_more_than_a_year(length: int, most_open: int) -> None:
    """Verify docs/decisions/0038: 20^length codes / sessions / rate of all guesses together."""
    rate_s = SERVER_POLICY.quota / SERVER_POLICY.window_s
    years = [len(CODE_ALPHABET) ** length / sessions / rate_s / MIN_GUESSING_TIME_S for sessions in (most_open, most_open + 1)]

    assert years[0] > 1 >= years[1]
    assert max_open_sessions(length) == most_open
    assert code_length(most_open) == length
    assert code_length(most_open + 1) == min(length + 1, 10)


def test_the_number_of_sessions_with_short_codes_stays_safe() -> None:
    chance, open_codes = Random(11), Counter()
    for _ in range(20_000):
        if chance.random() < 0.55 or not open_codes.total():
            open_codes[code_length(open_codes.total() + 1)] += 1
        else:
            open_codes[chance.choices(list(open_codes), list(open_codes.values()))[0]] -= 1
        assert all(open_codes[length] <= max_open_sessions(length) for length in open_codes)
    assert open_codes.total() > max_open_sessions(9)
