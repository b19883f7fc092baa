"""The timer wheel: each entry is due once at its tick, and removed ones never."""

from conflicto.feed.timer_wheel import SLOTS, TimerWheel


def test_everything_is_due_at_its_tick_and_once() -> None:
    wheel: TimerWheel[str] = TimerWheel()
    for ticks in (1, 2, 5, SLOTS - 1):
        wheel.put(f"in {ticks}", ticks)

    due = {turn: found for turn in range(1, 2 * SLOTS) if (found := wheel.advance())}

    assert due == {1: ["in 1"], 2: ["in 2"], 5: ["in 5"], SLOTS - 1: [f"in {SLOTS - 1}"]}
    assert len(wheel) == 0


def test_what_is_due_at_once_or_long_ago_is_due_at_the_next_tick_and_never_later_than_a_turn() -> None:
    wheel: TimerWheel[str] = TimerWheel()
    wheel.put("now", 0)
    wheel.put("past", -7)
    wheel.put("far", 10 * SLOTS)

    assert wheel.advance() == ["now", "past"]
    assert [turn for turn in range(2, SLOTS + 1) if wheel.advance()] == [SLOTS - 1]


def test_an_item_has_one_place_and_can_be_forgotten() -> None:
    wheel: TimerWheel[str] = TimerWheel()
    wheel.put("moved", 1)
    wheel.put("moved", 3)
    wheel.put("forgotten", 2)
    wheel.remove("forgotten")
    wheel.remove("never there")

    assert [wheel.advance() for _ in range(4)] == [[], [], ["moved"], []]
