"""Clock jumps of an hour under load: order, cursors and tokens do not change."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflicto.app import App
from conflicto.feed.timestamps import parse
from conflicto.platform.clock import Clock
from conflicto.settings import Settings
from tests.support import databases
from tests.support.api import Api, make_event
from tests.support.feed_reader import drain
from tests.support.patience import PATIENCE_S

HOUR_US = 3_600 * 1_000_000
JUMPS_US = (HOUR_US, -HOUR_US, -HOUR_US, 2 * HOUR_US, -3 * HOUR_US)


class JumpingClock(Clock):
    """A wall clock that tests set. The monotonic clock stays real."""

    def __init__(self) -> None:
        self.shift_us = 0

    def wall_us(self) -> int:
        return super().wall_us() + self.shift_us


class StoppedJumpingClock(JumpingClock):
    """A clock without monotonic time, in which no bucket refills."""

    def monotonic_s(self) -> float:
        return 1000.0


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> JumpingClock:
    return getattr(request, "param", JumpingClock)()


@pytest.fixture
async def jumping(sqlite_template: Path, tmp_path: Path, clock: JumpingClock) -> AsyncIterator[Api]:
    url = databases.sqlite_copy(sqlite_template, tmp_path)
    settings = Settings(database_url=url, data_dir=tmp_path, admin_token="the-operator-of-the-tests", rate_limits=True)
    async with App(settings, clock=clock).running() as app:
        api = Api(app)
        yield api
        await api.http.aclose()


async def test_clock_that_jumps_changes_no_order_and_ends_no_seat(jumping: Api, clock: JumpingClock) -> None:
    event = await make_event(jumping)
    activity = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"Person {number}") for number in range(4)]
    of, cursor, ids = f"{event.path}/activities/{activity['id']}/responses", "0", list[str]()
    acknowledged: list[str] = []
    for jump in (0, *JUMPS_US):
        clock.shift_us += jump
        waiting = asyncio.create_task(jumping.get(f"{of}/since/{cursor}?wait=20", event.host))
        await asyncio.sleep(0)
        for turn in range(3):
            sent = await asyncio.gather(*(event.answer(activity, seat, [turn, number]) for number, seat in enumerate(seats)))
            assert [each.status_code for each in sent] == [201] * 4
            acknowledged += [each.json()["id"] for each in sent]
        async with asyncio.timeout(PATIENCE_S):
            assert (await waiting).status_code == 200
        items, cursor = await drain(jumping, of, cursor, event.host)
        ids += [item["id"] for item in items]

    assert sorted(ids) == sorted(acknowledged)
    whole, _ = await drain(jumping, of, "0", event.host)
    stamps = [parse(item["updated_at"]).us for item in whole]
    assert stamps == sorted(set(stamps))
    assert [item["id"] for item in whole] == ids


@pytest.mark.parametrize("clock", [StoppedJumpingClock], indirect=True)
async def test_clock_set_back_opens_no_second_window(jumping: Api, clock: JumpingClock) -> None:
    """Limits use the monotonic clock."""
    event = await make_event(jumping)
    seat = await event.join("Ada")
    statuses = []
    for jump in (HOUR_US, -HOUR_US) * 100:
        clock.shift_us += jump
        statuses.append((await jumping.patch("/participants/me", {"nickname": "Ada"}, token=seat.token)).status_code)
    assert set(statuses) == {200, 429}


async def test_what_ran_out_while_the_clock_was_ahead_stays_over(jumping: Api, clock: JumpingClock) -> None:
    event = await make_event(jumping)
    activity = await event.activity(status="active", duration_seconds=600)
    seat = await event.join("Ada")
    assert (await event.answer(activity, seat, 1)).status_code == 201
    clock.shift_us += HOUR_US
    assert (await event.answer(activity, seat, 2)).status_code == 409
    clock.shift_us -= HOUR_US
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while (await jumping.get(f"{event.path}/activities/{activity['id']}/status", event.host)).json()["status"] != "expired":
        assert asyncio.get_running_loop().time() < deadline
        clock.shift_us += HOUR_US
        await asyncio.sleep(0.2)
        clock.shift_us -= HOUR_US
    assert (await event.answer(activity, seat, 3)).status_code == 409
