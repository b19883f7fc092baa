"""Cursors after a restore: positions in the lost future are refused, and all others hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conflicto.app import App
from conflicto.platform.instants import position, rfc3339
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused
from tests.support.clocks import HandClock
from tests.support.feed_reader import drain, page
from tests.support.processes import environment, run
from tests.support.wire import listening, streamed

pytestmark = pytest.mark.in_process

HOUR_S = 3600
US = 1_000_000


@dataclass
class Story:
    """A session that was copied, changed, and restored. Positions are the host's, in µs."""

    settings: Settings
    event: Event
    wall: dict[str, Any]
    anna: Seat
    copied: int
    lost: list[int]
    latecomer: Seat
    epoch: str

    @property
    def changes(self) -> str:
        return f"{self.event.path}/changes"

    @property
    def responses(self) -> str:
        return f"{self.event.path}/activities/{self.wall['id']}/responses"

    @asynccontextmanager
    async def again(self, clock: HandClock | None = None) -> AsyncIterator[Event]:
        """Serve the restored database, and yield its event."""
        async with App(self.settings, clock=clock).running() as app:
            self.event.api = Api(app)
            yield self.event

    def restore(self, archive: Path) -> None:
        done = run("db", "restore", archive, env=_env(self.settings))
        assert done.exit_code == 0, (done.stderr, done.exception)


def _env(settings: Settings) -> dict[str, str]:
    return environment(settings.data_dir, DATABASE_URL=settings.database_url)


async def _lived(settings: Settings, archive: Path, clock: HandClock | None = None) -> Story:
    """Copy a session and continue it; the server has stopped afterwards."""
    async with App(settings, clock=clock).running() as app:
        event = await make_event(Api(app))
        wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
        anna = await event.join("Anna")
        accepted(await event.answer(wall, anna, "kept", headers={"idempotency-key": "copied"}), 201)
        before = await page(event.api, f"{event.path}/changes", "0", event.host)
        done = run("db", "backup", archive, env=_env(settings))
        assert done.exit_code == 0, done.stderr
        lost = []
        for number in range(3):
            accepted(await event.answer(wall, anna, f"lost {number}", headers={"idempotency-key": f"lost-{number}"}), 201)
            lost.append(int((await page(event.api, f"{event.path}/changes", "now", event.host))["cursor"]))
        latecomer = await event.join("Latecomer")
        return Story(settings, event, wall, anna, int(before["cursor"]), lost, latecomer, before["epoch"])


@pytest.fixture
async def story(settings: Settings, tmp_path: Path) -> Story:
    lived = await _lived(settings, tmp_path / "archive")
    lived.restore(tmp_path / "archive")
    return lived


def begins(answer: Any, start: str) -> bool:
    """Return whether a cursor was refused and its reader sent to `start`."""
    refused(answer, 410, "cursor-expired")
    return bool(answer.headers["link"] == f'</api/v1{start}>; rel="start"')


@pytest.mark.catalogue("D-06")
async def test_positions_of_the_lost_future_are_refused_on_every_way(story: Story) -> None:
    async with story.again() as event:
        inside = [position(at) for at in (story.copied + 1, *story.lost)] + [rfc3339(story.lost[0]), position(story.lost[1])[:13]]
        for since in inside:
            for path in (story.changes, story.responses):
                for token in (event.host, event.screen, story.anna.token):
                    answer = await event.api.get(f"{path}/since/{since}", token=token)
                    assert answer.headers["cache-control"] == "no-store"
                    assert begins(answer, f"{path}/since/0")
            waited = await event.api.get(f"{story.changes}/since/{since}?wait=20", token=event.host)
            assert begins(waited, f"{story.changes}/since/0")
            events = await event.api.get(f"{event.path}/events?since={since}", token=event.host)
            assert begins(events, f"{event.path}/events?since=0")
            resumed = {"last-event-id": since, "accept": "text/event-stream"}
            for path, start in (("/events", "/events?since=0"), ("/changes/since/0", "/changes/since/0")):
                answer = await event.api.get(event.path + path, token=story.anna.token, headers=resumed)
                assert begins(answer, event.path + start)


@pytest.mark.catalogue("D-07")
async def test_where_a_refused_reader_is_sent_the_feed_begins(story: Story) -> None:
    async with story.again() as event:
        answer = await event.api.get(f"{story.changes}/since/{position(story.lost[0])}", token=event.host)
        start = answer.headers["link"].removeprefix("<").removesuffix('>; rel="start"')

        first_page = accepted(await event.api.get(start.removeprefix("/api/v1"), token=event.host))

        assert first_page == await page(event.api, story.changes, "0", event.host)


async def test_earlier_and_later_positions_hold(story: Story) -> None:
    async with story.again() as event:
        api = event.api
        start = await page(api, story.changes, "0", event.host)
        assert start["epoch"] != story.epoch
        assert int(start["cursor"]) > max(story.lost)
        texts = [item["data"]["response_data"] for item in start["items"] if item["entity"] == "response"]
        assert texts == ["kept"]

        for since in (position(story.copied), start["cursor"]):
            assert (await page(api, story.changes, since, event.host))["items"] == []
        mine = await page(api, story.changes, "0", story.anna.token)
        assert int(mine["cursor"]) <= story.copied
        accepted(await event.answer(story.wall, story.anna, "new"), 201)

        for since, token in (
            (position(story.copied), event.host),
            (start["cursor"], event.host),
            (mine["cursor"], story.anna.token),
        ):
            items, cursor = await drain(api, story.changes, since, token)
            assert [item["data"]["response_data"] for item in items] == ["new"]
            assert int(cursor) > int(start["cursor"])
            assert (await page(api, story.changes, cursor, token))["items"] == []


async def test_a_stream_goes_on_from_a_position_that_holds(story: Story, settings: Settings) -> None:
    async with (
        story.again() as event,
        listening(event.api.app) as port,
        streamed(port, f"{event.path}/events?since={position(story.copied)}", event.host) as stream,
    ):
        accepted(await event.answer(story.wall, story.anna, "new"), 201)
        (received,) = await stream.until(1)
        assert int(received["id"]) > max(story.lost)


async def test_tokens_live_on_and_seats_of_the_lost_future_are_unknown(story: Story) -> None:
    async with story.again() as event:
        assert accepted(await event.api.get("/participants/me", token=story.anna.token))["nickname"] == "Anna"
        accepted(await event.api.patch(event.path, {"title": "Again"}, token=event.host))
        lost = story.latecomer.token
        for answer in (
            await event.api.get("/participants/me", token=lost),
            await event.api.get(f"{story.changes}/since/0", token=lost),
            await event.answer(story.wall, story.latecomer, "from nowhere"),
        ):
            assert 400 <= answer.status_code < 500, answer.text
        again = await event.join("Latecomer")
        accepted(await event.answer(story.wall, again, "here"), 201)


async def test_an_erased_participant_is_not_restored(settings: Settings, tmp_path: Path) -> None:
    async with App(settings).running() as app:
        event = await make_event(Api(app))
        wall = await event.activity(status="active", response_policy="many")
        seats = [await event.join(name) for name in ("Anna", "Bert", "Cleo", "Dora")]
        for seat in seats:
            accepted(await event.answer(wall, seat, f"of {seat.nickname}"), 201)
        assert run("db", "backup", tmp_path / "archive", env=_env(settings)).exit_code == 0
        anna, bert, cleo, _ = seats
        accepted(await event.api.delete("/participants/me", anna.token), 204)
        accepted(await event.api.delete("/participants/me?responses=keep", bert.token), 204)
        accepted(await event.api.delete(f"/participants/{cleo.id}?responses=delete", event.host), 204)
    done = run("db", "restore", tmp_path / "archive", env=_env(settings))

    assert done.exit_code == 0, done.stderr
    assert "2 participants who were erased after the backup" in done.stdout
    async with App(settings).running() as app:
        event.api = Api(app)
        there = accepted(await event.api.get(f"{event.path}/participants", token=event.host))["items"]
        assert {each["nickname"] for each in there} == {"Cleo", "Dora"}
        answers, _ = await drain(event.api, f"{event.path}/activities/{wall['id']}/responses", "0", event.host)
        assert {each["response_data"] for each in answers} == {"of Bert", "of Cleo", "of Dora"}
        for gone in (anna, bert):
            assert (await event.api.get("/participants/me", token=gone.token)).status_code in {401, 404}
        items, _ = await drain(event.api, f"{event.path}/changes", "0", event.host)
        assert "Anna" not in str(items)
    check = run("db", "check", env=_env(settings))
    assert check.exit_code == 0, check.stdout


async def test_stored_keys_replay_and_lost_keys_are_accepted_again(story: Story) -> None:
    async with story.again() as event:
        wall, anna = story.wall, story.anna
        accepted(await event.answer(wall, anna, "kept", headers={"idempotency-key": "copied"}), 201)
        accepted(await event.answer(wall, anna, "lost 0", headers={"idempotency-key": "lost-0"}), 201)
        accepted(await event.answer(wall, anna, "lost 0", headers={"idempotency-key": "lost-0"}), 201)

        items, _ = await drain(event.api, story.responses, "0", event.host)
        assert [item["response_data"] for item in items] == ["kept", "lost 0"]


@pytest.mark.catalogue("D-12")
async def test_every_lost_future_stays_refused_however_often_one_restores(story: Story, tmp_path: Path) -> None:
    async with story.again() as event:
        second = int((await page(event.api, story.changes, "now", event.host))["cursor"])
        done = run("db", "backup", tmp_path / "second", env=_env(story.settings))
        assert done.exit_code == 0, done.stderr
        accepted(await event.answer(story.wall, story.anna, "lost again"), 201)
        lost = int((await page(event.api, story.changes, "now", event.host))["cursor"])
    story.restore(tmp_path / "second")

    async with story.again() as event:
        for at in (*story.lost, lost):
            refused(await event.api.get(f"{story.changes}/since/{position(at)}", token=event.host), 410, "cursor-expired")
        for at in (story.copied, second):
            assert (await page(event.api, story.changes, position(at), event.host))["items"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kept", [True, False], ids=["the lost database can be read", "the lost database is gone"])
async def test_a_future_that_ran_ahead_of_the_clock_is_refused_too(settings: Settings, tmp_path: Path, kept: bool) -> None:
    fast = HandClock()
    lived = await _lived(settings, tmp_path / "before", fast)
    async with lived.again(fast) as event:
        fast.advance(HOUR_S)
        accepted(await event.answer(lived.wall, lived.anna, "an hour ahead"), 201)
        ahead = int((await page(event.api, lived.changes, "now", event.host))["cursor"])
    if not kept:
        for name in ("conflicto.sqlite3", "conflicto.sqlite3-wal", "conflicto.sqlite3-shm"):
            await asyncio.to_thread((tmp_path / name).unlink, missing_ok=True)
    lived.restore(tmp_path / "before")

    async with lived.again() as event:
        for path in (lived.changes, lived.responses):
            for token in (event.host, lived.anna.token):
                refused(await event.api.get(f"{path}/since/{position(ahead)}", token=token), 410, "cursor-expired")
        fresh = await page(event.api, lived.changes, "now", event.host)
        assert (int(fresh["cursor"]) > ahead) is kept


async def test_where_nothing_was_lost_the_future_is_clamped_as_ever(settings: Settings, tmp_path: Path) -> None:
    lived = await _lived(settings, tmp_path / "archive")
    lived.restore(tmp_path / "archive")

    async with lived.again() as event:
        made = await make_event(event.api)
        head = await page(event.api, f"{made.path}/changes", "0", made.host)
        ahead = position(int(head["cursor"]) + HOUR_S * US)
        assert (await page(event.api, f"{made.path}/changes", ahead, made.host))["clamped"]
