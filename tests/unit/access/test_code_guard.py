import pytest

from conflicto.access import code_guard
from conflicto.access.code_guard import CodeGuard, _network
from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.memory import MemoryLimiter
from tests.support.clocks import HandClock


class Stopped(HandClock):
    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def guard(clock: Stopped) -> CodeGuard:
    return CodeGuard(MemoryLimiter(clock))


def guesses(guard: CodeGuard, address: str, most: int = 200) -> int:
    """Return how many wrong codes an address can try before it is refused."""
    for number in range(most):
        try:
            guard.check(address, f"wrong {number}")
        except TooManyGuesses:
            return number
        guard.missed(address)
    return most


def test_address_has_sixty_misses_and_then_one_a_second(guard: CodeGuard, clock: Stopped) -> None:
    assert guesses(guard, "192.0.2.1") == 60
    assert guesses(guard, "192.0.2.2") == 60
    clock.advance(3)
    assert guesses(guard, "192.0.2.1") == 3


def test_hall_behind_one_address_goes_on_with_its_code(guard: CodeGuard) -> None:
    guard.check("192.0.2.1", "GOOD")
    guard.hit("192.0.2.1", "GOOD")
    guesses(guard, "192.0.2.1")

    guard.check("192.0.2.1", "GOOD")
    with pytest.raises(TooManyGuesses):
        guard.check("192.0.2.1", "OTHER")


@pytest.mark.parametrize("before", range(12))
def test_under_attack_a_miss_costs_ten_and_nobody_guesses_without_end(guard: CodeGuard, clock: Stopped, before: int) -> None:
    for _ in range(before):
        guard.missed("192.0.2.1")
    for number in range(1000):
        guard.missed(f"198.51.{number // 250}.{number % 250}")

    assert guesses(guard, "192.0.2.1") <= 7
    clock.shift_s += 0.0005
    assert guesses(guard, "192.0.2.1") <= 1


def test_pairs_are_bounded(guard: CodeGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_guard, "MOST_PAIRS", 2)
    monkeypatch.setattr(code_guard, "PER_ADDRESS", Policy("code-misses", 1, 60))
    for code in ("A", "B", "C"):
        guard.hit("192.0.2.1", code)
    guard.missed("192.0.2.1")

    for code in ("B", "C"):
        guard.check("192.0.2.1", code)
    with pytest.raises(TooManyGuesses):
        guard.check("192.0.2.1", "A")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_subscriber_is_an_address_or_a_network(address: str, network: str) -> None:
    assert _network(address) == network
