"""Tests of the feed checker: it detects every kind of broken feed."""

from dataclasses import replace

import pytest

from tests.support.feed_check import Page, Write, check

WRITES = [Write("a", 1, 10, 0, 1), Write("b", 1, 20, 2, 3), Write("a", 2, 30, 4, 5), Write("c", 1, 31, 4, 5)]
PAGES = [Page(0, [("a", 1, 10)], 10), Page(10, [("b", 1, 20), ("a", 2, 30)], 30), Page(30, [("c", 1, 31)], 31), Page(31, [], 31)]


def test_sound_history_has_no_violation() -> None:
    assert check(WRITES, {"r": PAGES}) == []


def test_older_revisions_may_be_passed_over() -> None:
    assert check(WRITES, {"late": [Page(0, [("b", 1, 20), ("a", 2, 30), ("c", 1, 31)], 31)]}) == []


@pytest.mark.parametrize(
    ("pages", "violation"),
    [
        ([*PAGES[:2], Page(30, [], 31)], "lost c r1"),
        ([*PAGES[:1], Page(10, [("b", 1, 20), ("c", 1, 31)], 31)], "lost a r2"),
        ([], "lost a r2"),
        ([*PAGES, Page(31, [("c", 1, 32)], 32)], "repeated c r1"),
        ([*PAGES, Page(31, [("x", 1, 32)], 32)], "phantom x r1"),
        ([*PAGES, Page(31, [("a", 3, 32)], 32)], "phantom a r3"),
        ([Page(0, [("a", 1, 11)], 11)], "was told at 11"),
        ([PAGES[0], Page(10, [("a", 2, 30), ("b", 1, 20)], 30)], "out of order"),
        ([PAGES[0], Page(10, PAGES[1].rows, 25)], "outside of its bounds"),
        ([PAGES[0], Page(20, PAGES[1].rows, 30)], "outside of its bounds"),
        ([PAGES[0], replace(PAGES[1], since=9)], "continued at 9 instead of 10"),
        ([*PAGES, Page(31, [], 30)], "cursor went back"),
    ],
)
def test_broken_reading_is_seen(pages: list[Page], violation: str) -> None:
    assert any(violation in found for found in check(WRITES, {"r": pages}))


@pytest.mark.parametrize(
    ("write", "violation"),
    [
        (Write("d", 1, 31, 6, 7), "share the timestamp 31"),
        (Write("d", 1, 25, 6, 7), "began after 31 was acknowledged"),
        (Write("b", 2, 15, 0, 7), "stands before its r1"),
    ],
)
def test_broken_writing_is_seen(write: Write, violation: str) -> None:
    assert any(violation in found for found in check([*WRITES, write], {}))


def test_writes_at_the_same_time_may_stand_in_any_order() -> None:
    assert check([*WRITES, Write("d", 1, 29, 4, 9)], {}) == []
