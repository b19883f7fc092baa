"""The log of slow statements: its lines, its rate limit, and the contents that it omits."""

from threading import Thread

import pytest
from structlog.testing import capture_logs

from conflicto.platform.db.slow_queries import MAX_TEXT_CHARS, MAX_TEXTS, MIN_BETWEEN_LINES_S, SlowQueries
from tests.support.clocks import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def slow(clock: HandClock) -> SlowQueries:
    return SlowQueries(0.5, monotonic_s=clock.monotonic_s)


def test_a_statement_has_one_line_a_minute_with_the_number_of_suppressed_ones(slow: SlowQueries, clock: HandClock) -> None:
    with capture_logs() as lines:
        for _ in range(4):
            slow.report("reader", "SELECT\n  1", 0.5124)
        clock.advance(MIN_BETWEEN_LINES_S)
        slow.report("reader", "SELECT\n  1", 2)

    line = {"event": "slow-query", "log_level": "warning", "role": "reader", "statement": "SELECT 1"}
    assert lines == [line | {"milliseconds": 512, "held_back": 0}, line | {"milliseconds": 2000, "held_back": 3}]
    assert slow.counts == {"reader": 5, "writer": 0}


def test_other_texts_and_the_other_role_have_lines_of_their_own(slow: SlowQueries) -> None:
    with capture_logs() as lines:
        slow.report("reader", "SELECT 1", 1)
        slow.report("reader", "SELECT 2", 1)
        slow.report("writer", "SELECT 1", 1)

    assert [(line["role"], line["statement"]) for line in lines] == [
        ("reader", "SELECT 1"),
        ("reader", "SELECT 2"),
        ("writer", "SELECT 1"),
    ]
    assert slow.counts == {"reader": 2, "writer": 1}


def test_texts_without_end_make_no_lines_without_end(slow: SlowQueries, clock: HandClock) -> None:
    with capture_logs() as lines:
        for number in range(3 * MAX_TEXTS):
            slow.report("reader", f"SELECT {number} -- " + "x" * 10_000, 1)
    assert len(lines) == MAX_TEXTS
    assert max(len(line["statement"]) for line in lines) == MAX_TEXT_CHARS
    assert slow.counts["reader"] == 3 * MAX_TEXTS

    clock.advance(MIN_BETWEEN_LINES_S)
    with capture_logs() as lines:
        for number in range(3 * MAX_TEXTS):
            slow.report("writer", f"SELECT {number}", 1)
    assert len(lines) == MAX_TEXTS


def test_suppressed_statements_are_logged_at_the_end_or_never(slow: SlowQueries) -> None:
    with capture_logs() as lines:
        with slow.defer():
            slow.report("writer", "SELECT 1", 1)
            assert lines == []
        assert [line["statement"] for line in lines] == ["SELECT 1"]
        with slow.defer() as held:
            slow.report("writer", "SELECT 2", 1)
            held.is_reported = False
    assert len(lines) == 1
    assert slow.counts["writer"] == 1


def test_what_is_held_in_one_thread_holds_back_no_other(slow: SlowQueries) -> None:
    with capture_logs() as lines, slow.defer(is_reported=False):
        other = Thread(target=slow.report, args=("reader", "SELECT 1", 1))
        other.start()
        other.join()

    assert [line["statement"] for line in lines] == ["SELECT 1"]


def test_suppressed_statements_are_logged_when_their_work_fails(slow: SlowQueries) -> None:
    def fail() -> None:
        with slow.defer():
            slow.report("writer", "SELECT 1", 1)
            raise ZeroDivisionError

    with capture_logs() as lines, pytest.raises(ZeroDivisionError):
        fail()

    assert [line["statement"] for line in lines] == ["SELECT 1"]
