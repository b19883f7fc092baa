"""Unit tests: the queue of followers, and awaitables that are done at once."""

import asyncio

import pytest

from conflicto.feed.fan_out import SLICE_S, FanOut
from conflicto.feed.stream_follower import _is_done_at_once
from tests.support.clocks import HandClock


class Counted:
    """A follower whose step takes a while of the hand-driven clock."""

    def __init__(self, steps: list[float], clock: HandClock, *, takes_s: float = 0.0, fails: bool = False) -> None:
        self.steps, self.clock, self.takes_s, self.fails = steps, clock, takes_s, fails

    def step(self, now_s: float) -> None:
        self.steps.append(now_s)
        self.clock.advance(self.takes_s)
        if self.fails:
            raise ValueError


async def test_slices_leave_others_their_turn() -> None:
    clock, steps, turns = HandClock(), [], []
    fan_out = FanOut(clock)
    for _ in range(100):
        fan_out.put(Counted(steps, clock, takes_s=SLICE_S / 8))
    while len(steps) < 100:
        turns.append(len(steps))
        await asyncio.sleep(0)
    assert turns[:3] == [0, 16, 32]


async def test_a_failing_step_stops_no_other() -> None:
    clock, steps = HandClock(), []
    fan_out = FanOut(clock)
    failures: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    for fails in (True, False):
        fan_out.put(Counted(steps, clock, fails=fails))
    for _ in range(3):
        await asyncio.sleep(0)
    assert (len(steps), [type(each) for each in failures]) == (2, [ValueError])


async def test_what_waits_is_not_done_at_once() -> None:
    async def at_once() -> None:
        return

    async def later() -> None:
        await asyncio.sleep(0)

    async def refused() -> None:
        raise PermissionError

    assert (_is_done_at_once(at_once()), _is_done_at_once(later())) == (True, False)
    with pytest.raises(PermissionError):
        _is_done_at_once(refused())
