import pytest

from conflicto.platform.db.stamps import Head


def head(ts: int = 100, ctl: int = 90) -> Head:
    return Head(1, ts, ctl, {"participants": 0})


@pytest.mark.parametrize(("now", "expected"), [(200, 200), (101, 101), (100, 101), (50, 101), (-1, 101)])
def test_stamp_is_the_clock_or_one_more_than_the_last(now: int, expected: int) -> None:
    drawn = head()

    assert drawn.stamp(now, control=False) == expected
    assert (drawn.ts, drawn.ctl, drawn.changed, drawn.base) == (expected, 90, True, 100)


def test_control_changes_move_both() -> None:
    drawn = head()

    assert [drawn.stamp(200, control=True), drawn.stamp(200, control=False), drawn.stamp(150, control=True)] == [200, 201, 202]
    assert (drawn.ts, drawn.ctl) == (202, 202)


@pytest.mark.parametrize(("now", "amount", "expected"), [(200, 3, [200, 201, 202]), (100, 2, [101, 102]), (0, 1, [101])])
def test_stamps_of_a_group_follow_one_another(now: int, amount: int, expected: list[int]) -> None:
    drawn = head()

    assert list(drawn.stamps(now, amount)) == expected
    assert (drawn.ts, drawn.ctl, drawn.changed) == (expected[-1], 90, True)


def test_counting_is_a_change_without_a_stamp() -> None:
    counting = head()
    assert not counting.changed

    assert [counting.count("participants", 2), counting.count("participants", -1)] == [2, 1]
    assert (counting.ts, counting.counts, counting.changed) == (100, {"participants": 1}, True)
