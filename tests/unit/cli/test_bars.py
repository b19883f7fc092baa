import pytest

from conflicto.cli.replay.bars import MAX_BARS, Bar, bars, draw_bar


def test_values_come_in_their_order_with_their_labels() -> None:
    found = bars({"10": 1, "9": 2, '"b"': 3, '"a"': 4}, labels={"9": "nine", "a": "first"}, bins=())

    assert found == [Bar("nine", 2), Bar("10", 1), Bar("first", 4), Bar("b", 3)]


def test_bins_hold_their_lower_bound_and_nothing_is_left_out() -> None:
    found = bars({"17": 1, "18": 2, "29": 3, "30": 4, '"none"': 5}, labels={}, bins=[18, 30, 90])

    assert found == [Bar("18 to under 30", 5), Bar("30 to under 90", 4), Bar("90 and more", 0), Bar("17", 1), Bar("none", 5)]


def test_the_rest_of_too_many_values_is_one_bar() -> None:
    found = bars({str(value): 1 for value in range(MAX_BARS + 3)}, labels={}, bins=())

    assert len(found) == MAX_BARS + 1
    assert found[-1] == Bar("others", 3)


@pytest.mark.parametrize(("count", "picture"), [(0, ""), (1, "▏"), (500, "██"), (1000, "████"), (625, "██▌")])
def test_a_bar_is_as_long_as_its_share_and_never_invisible(count: int, picture: str) -> None:
    assert draw_bar(Bar("", count), longest=1000, width=4) == picture
