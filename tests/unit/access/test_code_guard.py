import pytest

from conflicto.access.code_guard import EVERYWHERE, PER_ADDRESS, CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.memory import MemoryLimiter
from tests.support.clocks import HandClock

HALL, STRANGER = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def guard(clock: HandClock) -> CodeGuard:
    return CodeGuard(MemoryLimiter(clock))


def miss(guard: CodeGuard, address: str, times: int) -> None:
    for _ in range(times):
        guard.missed(address)


def test_an_address_that_guesses_is_refused_and_told_when_to_come_back(guard: CodeGuard, clock: HandClock) -> None:
    guard.check(STRANGER, "BBBBBBBB")
    miss(guard, STRANGER, PER_ADDRESS.quota)

    with pytest.raises(TooManyGuesses) as refused:
        guard.check(STRANGER, "CCCCCCCC")

    assert refused.value.retry_after_s is not None
    clock.advance(refused.value.retry_after_s)
    guard.check(STRANGER, "CCCCCCCC")


def test_a_hall_behind_one_address_goes_on_joining_with_its_code(guard: CodeGuard) -> None:
    guard.hit(HALL, "DDDDDDDD")
    miss(guard, HALL, PER_ADDRESS.quota)

    for _ in range(1000):
        guard.check(HALL, "DDDDDDDD")
    with pytest.raises(TooManyGuesses):
        guard.check(HALL, "FFFFFFFF")


def test_a_code_known_at_one_address_does_not_open_another(guard: CodeGuard) -> None:
    guard.hit(HALL, "DDDDDDDD")
    miss(guard, STRANGER, PER_ADDRESS.quota)

    with pytest.raises(TooManyGuesses):
        guard.check(STRANGER, "DDDDDDDD")


def test_under_attack_from_everywhere_a_miss_costs_ten(guard: CodeGuard) -> None:
    for number in range(EVERYWHERE.quota):
        guard.missed(f"192.0.{number // 250}.{number % 250}")

    miss(guard, STRANGER, PER_ADDRESS.quota // 10)

    with pytest.raises(TooManyGuesses):
        guard.check(STRANGER, "BBBBBBBB")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("testclient", "testclient", True),
        ("testclient", "other", False),
    ],
)
def test_what_counts_as_one_subscriber(guard: CodeGuard, one: str, other: str, same: bool) -> None:
    miss(guard, one, PER_ADDRESS.quota)

    if same:
        with pytest.raises(TooManyGuesses):
            guard.check(other, "BBBBBBBB")
    else:
        guard.check(other, "BBBBBBBB")


def test_remembered_pairs_are_bounded(guard: CodeGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.access.code_guard.MOST_PAIRS", 2)
    for code in ("BBBBBBBB", "CCCCCCCC", "DDDDDDDD"):
        guard.hit(HALL, code)
    miss(guard, HALL, PER_ADDRESS.quota)

    guard.check(HALL, "DDDDDDDD")
    with pytest.raises(TooManyGuesses):
        guard.check(HALL, "BBBBBBBB")
