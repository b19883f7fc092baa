"""The temporary database removes keys with a count of zero."""

from conflicto.aggregation.spill.store import GroupItem, KeySums, SpillStore


def rows(spill: SpillStore) -> list[int]:
    tables = ("SELECT count(*) FROM entries", "SELECT count(*) FROM items")
    return [spill._connection.execute(each).fetchone()[0] for each in tables]


def test_a_negative_balance_that_is_taken_back_leaves_no_row() -> None:
    spill = SpillStore(2**22)
    state = spill.add_state()
    for times in (1, -1):
        spill.add_items(state, [(1, "t", "t", [GroupItem(1, 1, -1, times)])], lambda value: (value or 0, 0, 0))
    assert rows(spill) == [0, 0]


def test_a_state_is_copied_and_dropped_alone() -> None:
    spill = SpillStore(2**22)
    first = spill.add_state()
    spill.add(first, [KeySums("a", 2, 0, 2), KeySums("b", 3, 0, 3)])
    second = spill.copy_state(first)
    spill.add(second, [KeySums("a", 5, 0, 5)])
    assert spill.ranked(first, 9) == [("b", 3, 0), ("a", 2, 0)]
    assert spill.ranked(second, 1) == [("a", 7, 0)]
    spill.retire([first])
    spill.drop_retired()
    assert (spill.ranked(first, 9), len(spill.ranked(second, 9))) == ([], 2)
