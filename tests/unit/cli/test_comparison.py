import msgspec

from conflicto.cli.replay.comparison import FeedItem, Mismatch, compare, tally
from conflicto.cli.replay.table import Table

TABLE = Table(("a", "b"), (("1", '"x"'), ("2", None)))
SEATS = [11, 22]


def item(participant_id: int | None, data: str, at: str = "1", *, deleted: bool = False) -> FeedItem:
    return FeedItem("id", participant_id, deleted, at, msgspec.Raw(data.encode()))


def mismatches(*columns: list[FeedItem]) -> tuple[Mismatch, ...]:
    return compare(TABLE, SEATS, columns).mismatches


A = [item(22, '{"value":2}', "1"), item(11, '{"value":1}', "2")]
B = [item(11, '{"value":"x"}')]


def test_equal_feeds_have_no_mismatch_in_any_order_of_people() -> None:
    assert compare(TABLE, SEATS, [A, B]).cells == 3
    assert mismatches(A, B) == ()


def test_every_kind_of_difference_is_found() -> None:
    wanted, wrong = '{"value":1}', '{"value":1.0}'

    assert mismatches([A[0], item(11, wrong, "2")], B) == (Mismatch("a", 1, wanted, wrong),)
    assert mismatches(A[:1], B) == (Mismatch("a", 1, wanted, None),)
    assert mismatches([*A, item(11, wanted, "3")], B) == (Mismatch("a", None, None, wanted),)
    assert mismatches(A, [*B, item(22, '{"value":3}', "2")]) == (Mismatch("b", None, None, '{"value":3}'),)
    assert mismatches(A, [item(None, '{"value":"x"}')])[0] == Mismatch("b", None, None, '{"value":"x"}')
    assert mismatches([A[0], item(11, wanted, "2", deleted=True)], B) == (Mismatch("a", 1, wanted, wanted),)
    assert mismatches([A[0], item(11, wanted, "1")], B) == (Mismatch("a", 1, "after 1", "at 1"),)


def test_a_tally_counts_values_as_they_are_spelled() -> None:
    feed = [item(1, '{"value":1}'), item(2, '{"value":1.0}'), item(3, '{"value":1}'), item(4, "[7]")]

    assert tally(feed) == {"1": 2, "1.0": 1, "[7]": 1}
