import select

import pytest

from bench.timer_wheel import SLOTS, TICKS_PER_S, Ticker, TimerWheel

START_S = 1_000.0
TICK_S = 1 / TICKS_PER_S


def due(wheel: TimerWheel, after_s: float) -> list[float]:
    """Call the due actions, and return the times of the calls since the start."""
    calls: list[float] = []
    for at_s, actions in wheel.due(START_S + after_s):
        for action in actions:
            action(at_s)
            calls.append(round(at_s - START_S, 6))
    return calls


def nothing(_: float) -> None:
    """Act like a phone without a connection."""


def test_an_action_is_due_at_its_tick_and_once() -> None:
    wheel = TimerWheel(START_S)
    wheel.add(START_S + 0.010, nothing)

    assert due(wheel, 0.009) == []
    assert due(wheel, 0.010) == [0.010]
    assert due(wheel, 9.0) == []


def test_between_two_ticks_the_later_one_counts() -> None:
    wheel = TimerWheel(START_S)
    wheel.add(START_S + 0.0101, nothing)

    assert due(wheel, 0.0109) == []
    assert due(wheel, 0.011) == [0.011]


def test_late_ticks_are_handed_out_in_order_and_keep_their_own_time() -> None:
    wheel = TimerWheel(START_S)
    for at_s in (0.3, 0.1, 0.2):
        wheel.add(START_S + at_s, nothing)

    assert due(wheel, 2.0) == [0.1, 0.2, 0.3]


def test_what_repeats_itself_keeps_its_rate_through_a_stall() -> None:
    wheel = TimerWheel(START_S)

    def again(at_s: float) -> None:
        wheel.add(at_s + 0.5, again)

    wheel.add(START_S + 0.5, again)

    assert due(wheel, 2.6) == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_what_is_past_is_due_at_the_next_tick() -> None:
    wheel = TimerWheel(START_S)
    assert due(wheel, 1.0) == []
    wheel.add(START_S + 0.2, nothing)

    assert due(wheel, 1.0 + TICK_S) == [round(1.0 + TICK_S, 6)]


def test_what_is_beyond_the_ring_is_refused_instead_of_coming_a_round_too_early() -> None:
    wheel = TimerWheel(START_S)

    with pytest.raises(ValueError, match="ring"):
        wheel.add(START_S + (SLOTS + 1) * TICK_S, nothing)


def test_a_ticker_becomes_readable_and_counts_what_was_missed() -> None:
    ticker = Ticker()
    try:
        for _ in range(3):
            assert select.select([ticker.file], [], [], 5)[0]
            assert ticker.read() >= 1
    finally:
        ticker.close()
