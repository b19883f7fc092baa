"""Used codes: stored for a day, and bounded in bytes."""

import tracemalloc

import pytest

from conflicto.access import used_codes
from conflicto.access.used_codes import ENTRY_BYTES, REFRESH_S, UsedCodes
from conflicto.platform.cache_budget import CacheBudget
from tests.support.clocks import HandClock


class ManualClock(HandClock):
    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


def test_entries_use_at_most_the_counted_bytes() -> None:
    used, clock = UsedCodes(ManualClock()), ManualClock()
    used = UsedCodes(clock)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(20_000):
        clock.advance(0.001)
        used.add(f"2001:db8:{number >> 12:x}:{number & 4095:x}::", "BCDFGHJKLM")
    after, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(used) == 20_000
    assert after - before <= 20_000 * ENTRY_BYTES
    assert most - before <= 20_000 * ENTRY_BYTES * 1.5, "while the table grows"


@pytest.mark.parametrize("length", [10, 100_000])
def test_bytes_are_bounded_for_codes_of_any_length(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(used_codes, "MAX_BYTES", 10 * ENTRY_BYTES)
    used = UsedCodes(ManualClock())
    for number in range(100):
        used.add("192.0.2.1", f"{number:0{length}}")
    assert len(used) == 10
    assert not used.contains("192.0.2.1", f"{89:0{length}}")
    assert used.contains("192.0.2.1", f"{90:0{length}}")


def test_a_use_is_published_once_an_hour_and_expires_after_a_day() -> None:
    clock = ManualClock()
    used = UsedCodes(clock)
    assert used.add("a", "GOOD")
    assert not used.add("a", "GOOD")
    clock.advance(REFRESH_S - 1)
    assert not used.add("a", "GOOD")
    clock.advance(86_400)
    assert used.contains("a", "GOOD"), "a day after its last use"
    clock.advance(2)
    assert not used.contains("a", "GOOD")
    assert used.add("b", "OTHER")
    assert len(used) == 1, "a forgotten code takes no space"


def test_a_pair_is_found_by_both_parts() -> None:
    used = UsedCodes(ManualClock())
    used.add("ab", "c")
    assert not used.contains("a", "bc")
    assert not used.contains("ab", "C")


def test_the_shared_budget_evicts_the_oldest_entries() -> None:
    clock, budget = ManualClock(), CacheBudget(3 * ENTRY_BYTES)
    used = UsedCodes(clock, budget)
    assert not used._evict(), "nothing is left to evict"
    for code in ("a", "b", "c"):
        used.add("192.0.2.1", code)
    budget.account("another").add(ENTRY_BYTES)
    budget.evict_to_fit()

    assert not used.contains("192.0.2.1", "a")
    assert used.contains("192.0.2.1", "c")


def test_a_bound_below_one_entry_stores_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(used_codes, "MAX_BYTES", 0)
    used = UsedCodes(ManualClock())

    assert used.add("192.0.2.1", "a")
    assert len(used) == 0
