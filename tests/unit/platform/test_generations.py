import pytest

from conflicto.platform import generations as module
from conflicto.platform.generations import TICKS, Generations


def aged(entries: Generations[str, int], ticks: int) -> dict[str, int]:
    dropped: dict[str, int] = {}
    for _ in range(ticks):
        dropped.update(entries.age())
    return dropped


def test_what_is_not_used_for_a_generation_is_dropped() -> None:
    entries: Generations[str, int] = Generations()
    for name in ("used", "unused"):
        assert entries.put(name, len(name)) is None

    assert aged(entries, TICKS) == {}
    assert entries.get("used") == 4
    assert aged(entries, TICKS - 1) == {}
    assert aged(entries, 1) == {"unused": 6}
    assert (entries.get("used"), entries.get("unused"), len(entries)) == (4, None, 1)
    assert aged(entries, 2 * TICKS) == {"used": 4}
    assert len(entries) == 0


def test_a_value_replaces_the_earlier_one_of_any_generation() -> None:
    entries: Generations[str, int] = Generations()
    entries.put("a", 1)
    assert entries.put("a", 2) == 1
    aged(entries, TICKS)
    assert entries.put("a", 3) == 2
    assert (entries.get("a"), len(entries)) == (3, 1)


def test_the_oldest_generation_is_evicted_first() -> None:
    entries: Generations[str, int] = Generations()
    entries.put("old", 1)
    aged(entries, TICKS)
    entries.put("new", 2)
    assert [entries.pop_oldest() for _ in range(3)] == [1, 2, None]


def test_many_entries_are_dropped_in_several_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DROPPED", 2)
    entries: Generations[str, int] = Generations()
    for number in range(5):
        entries.put(str(number), number)
    aged(entries, TICKS)

    sizes = [len(aged(entries, ticks)) for ticks in (TICKS, 1, 1, 1)]
    assert sizes == [2, 2, 1, 0]


def test_no_generation_survives_a_clear() -> None:
    entries: Generations[str, int] = Generations()
    entries.put("old", 1)
    aged(entries, TICKS)
    entries.put("new", 2)
    entries.clear()
    assert (len(entries), entries.get("old"), entries.get("new")) == (0, None, None)
