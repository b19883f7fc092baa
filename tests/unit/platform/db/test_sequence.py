import pytest

from conflicto.platform.db.sequence import FeedHead


def head(ts: int = 100, control_ts: int = 90) -> FeedHead:
    return FeedHead(1, ts, control_ts, {"participants": 0})


@pytest.mark.parametrize(("now", "expected"), [(200, 200), (101, 101), (100, 101), (50, 101), (-1, 101)])
def test_timestamp_is_the_clock_or_one_more_than_the_last(now: int, expected: int) -> None:
    drawn = head()

    assert drawn.next_ts(now, control=False) == expected
    assert (drawn.ts, drawn.control_ts, drawn.changed, drawn.locked_ts) == (expected, 90, True, 100)


def test_control_changes_move_both() -> None:
    drawn = head()

    assert [drawn.next_ts(200, control=True), drawn.next_ts(200, control=False), drawn.next_ts(150, control=True)] == [
        200,
        201,
        202,
    ]
    assert (drawn.ts, drawn.control_ts) == (202, 202)


@pytest.mark.parametrize(("now", "amount", "expected"), [(200, 3, [200, 201, 202]), (100, 2, [101, 102]), (0, 1, [101])])
def test_timestamps_of_a_group_follow_one_another(now: int, amount: int, expected: list[int]) -> None:
    drawn = head()

    assert list(drawn.next_ts_range(now, amount)) == expected
    assert (drawn.ts, drawn.control_ts, drawn.changed) == (expected[-1], 90, True)


def test_counting_is_a_change_without_a_timestamp() -> None:
    counting = head()
    assert not counting.changed

    assert [counting.add_count("participants", 2), counting.add_count("participants", -1)] == [2, 1]
    assert (counting.ts, counting.counts, counting.changed) == (100, {"participants": 1}, True)
