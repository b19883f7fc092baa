import json
from typing import Any

import pytest

from conflicto.feed.pages import MAX_PAGE_BYTES, CursorInFuture, build_page, change_item, start_position
from conflicto.feed.row_sources import Window
from conflicto.feed.timestamps import Since
from conflicto.platform.instants import US_PER_DAY

HEAD = 1_763_888_720_000_000
NOW = HEAD + 5_000_000


def position(us: int) -> Since:
    return Since(us, "position")


@pytest.mark.parametrize(
    ("since", "after", "clamped"),
    [
        (Since(0, "now"), HEAD, False),
        (Since(0, "beginning"), 0, False),
        (position(0), 0, False),
        (position(HEAD - 1), HEAD - 1, False),
        (position(HEAD), HEAD, False),
        (position(HEAD + 1), HEAD, True),
        (position(NOW + US_PER_DAY), HEAD, True),
    ],
)
def test_where_a_page_starts(since: Since, after: int, clamped: bool) -> None:
    assert start_position(since, HEAD, NOW) == (after, clamped)


@pytest.mark.parametrize("now", [NOW, HEAD - US_PER_DAY * 2])
def test_more_than_a_day_ahead_of_clock_and_newest_change_is_refused(now: int) -> None:
    latest = max(now, HEAD) + US_PER_DAY
    assert start_position(position(latest), HEAD, now) == (HEAD, True)
    with pytest.raises(CursorInFuture):
        start_position(position(latest + 1), HEAD, now)


class Rows:
    """A fake source of a page's rows."""

    def __init__(self, truncated_at_ts: int | None = None) -> None:
        self.truncated_at_ts = truncated_at_ts


def paged(found: Any, *, since: int = 10, head: int = 50, limit: int, truncated_at_ts: int | None = None, **how: bool) -> Any:
    return build_page(
        iter(found), Rows(truncated_at_ts), Window(since, head, limit + 1), **{"closed": False, "clamped": False} | how
    )


def items(*stamps: int) -> list[tuple[int, dict[str, object]]]:
    return [(ts, {"at": ts}) for ts in stamps]


@pytest.mark.parametrize(
    ("stamps", "limit", "shown", "cursor", "has_more"),
    [
        ((), 2, 0, 50, False),
        ((20,), 2, 1, 50, False),
        ((20, 30), 2, 2, 50, False),
        ((20, 30, 40), 2, 2, 30, True),
        ((20, 50), 1, 1, 20, True),
    ],
)
def test_cursor_is_the_newest_change_or_the_last_row_shown(
    stamps: tuple[int, ...], limit: int, shown: int, cursor: int, has_more: bool
) -> None:
    page = paged(items(*stamps), limit=limit, closed=True)

    assert (len(page.items), page.cursor, page.has_more) == (shown, cursor, has_more)
    assert json.loads(page.encoded("e"))["closed"] is not has_more


def test_cursor_never_goes_back() -> None:
    assert paged((), since=60, limit=1).cursor == 60


def test_wire_form() -> None:
    body = paged(items(20), limit=1, clamped=True).encoded("epoch")

    assert json.loads(body) == {
        "items": [{"at": 20}], "since": "0000000000000010", "count": 1, "cursor": "0000000000000050", "has_more": False,
        "epoch": "epoch", "closed": False, "clamped": True,
    }  # fmt: skip


def test_item_without_data_is_a_tombstone() -> None:
    ts, item = change_item("activity", 5, 2, HEAD, None)

    assert (ts, item["deleted"], item["data"], item["updated_at"]) == (HEAD, True, None, "2025-11-23T09:05:20.000000Z")
    assert change_item("activity", 5, 2, HEAD, {})[1]["deleted"] is False


def large(*sizes: int) -> list[tuple[int, dict[str, str]]]:
    return [(ts, {"x": "a" * size}) for ts, size in enumerate(sizes, 20)]


@pytest.mark.parametrize(
    ("sizes", "shown", "cursor", "has_more"),
    [
        ((MAX_PAGE_BYTES // 2 - 8,) * 2, 2, 50, False),
        ((MAX_PAGE_BYTES // 2 - 7,) * 2, 1, 20, True),
        ((MAX_PAGE_BYTES // 4,) * 9, 3, 22, True),
        ((MAX_PAGE_BYTES * 3,), 1, 50, False),
        ((MAX_PAGE_BYTES * 3, 1), 1, 20, True),
        ((1, MAX_PAGE_BYTES * 3, 1), 1, 20, True),
    ],
)
def test_a_page_ends_before_it_is_too_large(sizes: tuple[int, ...], shown: int, cursor: int, has_more: bool) -> None:
    page = paged(large(*sizes), limit=100)

    assert (len(page.items), page.cursor, page.has_more) == (shown, cursor, has_more)


@pytest.mark.parametrize(
    ("stamps", "limit", "truncated_at_ts", "shown", "cursor"),
    [((20, 30, 40), 9, 30, 2, 30), ((20, 30), 9, 30, 2, 30), ((40,), 9, 30, 0, 30), ((20, 30, 40), 1, 30, 1, 20)],
)
def test_nothing_is_sent_beyond_the_point_where_rows_were_truncated(
    stamps: tuple[int, ...], limit: int, truncated_at_ts: int, shown: int, cursor: int
) -> None:
    """Leave the rest for the next page: responses that were not read may come before it."""
    page = paged(items(*stamps), limit=limit, truncated_at_ts=truncated_at_ts)

    assert (len(page.items), page.cursor, page.has_more) == (shown, cursor, True)
