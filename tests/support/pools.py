"""Helpers for anonymous rounds: a virtual clock for both databases, and reads of the pool."""

from typing import Any

import pytest
from sqlalchemy import text, update

from conflicto.activities.commands.run import expire_due
from conflicto.app import App
from conflicto.participants.tables import participants
from conflicto.platform.db.epochs import EpochGuard
from conflicto.platform.db.transaction import WriteTx
from conflicto.responses.commands.release import release_due
from conflicto.responses.recount.differences import bytes_of_sessions, counter_differences
from conflicto.sessions.feed_heads.store import read_all_heads
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.clocks import US_PER_S, HandClock

PERIOD_S = 5

OPEN = {"anonymous": True, "responses_visibility": "participants", "results_visibility": "always"}


def shift_database(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    """Shift PostgreSQL's clock together with the tests' clock."""
    now = EpochGuard.now_us
    monkeypatch.setattr(EpochGuard, "now_us", lambda *args: now(*args) + int(clock.shift_s * US_PER_S))


async def tick(app: App, clock: HandClock, seconds: float = PERIOD_S) -> None:
    """Advance the clock and run the jobs that are due."""
    clock.advance(seconds)
    await app.domain.releases.scan()
    await app.domain.releases.release_due_pools()


async def crowd(event: Event, size: int, first: str = "P") -> list[Seat]:
    return [await event.join(f"{first} {number}") for number in range(size)]


async def open_pool(api: Api, size: int, **fields: Any) -> tuple[Event, dict[str, Any], list[Seat]]:
    event = await make_event(api)
    seats = await crowd(event, size)
    poll = await event.activity(status="active", **OPEN | fields)
    return event, poll, seats


async def answer_all(event: Event, poll: dict[str, Any], seats: list[Seat], value: Any = None) -> list[dict[str, Any]]:
    return [accepted(await event.answer(poll, seat, number if value is None else value), 201) for number, seat in enumerate(seats)]


async def answer_all_again(event: Event, poll: dict[str, Any], seats: list[Seat]) -> None:
    for number, seat in enumerate(seats):
        assert (await event.answer(poll, seat, number)).status_code in {200, 201}


def of(event: Event, activity: dict[str, Any], rest: str) -> str:
    return f"{event.path}/activities/{activity['id']}/{rest}"


async def listed(event: Event, activity: dict[str, Any], token: str | None = None) -> list[dict[str, Any]]:
    path = of(event, activity, "responses?limit=1000")
    return accepted(await event.api.get(path, token=token or event.host))["items"]


async def status(event: Event, activity: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return accepted(await event.api.get(of(event, activity, "status"), token=token or event.host))


async def mine(event: Event, activity: dict[str, Any], seat: Seat) -> list[dict[str, Any]]:
    return accepted(await event.api.get(of(event, activity, "responses/mine"), token=seat.token))["items"]


async def changes(event: Event, token: str, since: str = "0") -> dict[str, Any]:
    return accepted(await event.api.get(f"{event.path}/changes/since/{since}?limit=1000", token=token))


def stored(app: App, query: str) -> list[tuple[Any, ...]]:
    return app.platform.db.query(lambda tx: [tuple(row) for row in tx.all(text(query))])


def sound(app: App) -> None:
    """Require that counters equal the rows."""
    assert app.platform.db.query(counter_differences) == []
    assert {
        each: head.counts["stored_bytes"] for each, head in app.platform.db.query(read_all_heads).items()
    } == app.platform.db.query(bytes_of_sessions)


async def views(api: Api, event: Event, activity: dict[str, Any], *tokens: str) -> list[tuple[int, bytes, str | None]]:
    """Return everything that others can read of a round, with ETags."""
    paths = [
        of(event, activity, "status"), f"{event.path}/status", f"{event.path}/changes/since/0", f"{event.path}/changes/since/now",
        of(event, activity, "responses/since/0"), of(event, activity, "responses/since/now"), of(event, activity, "results"),
        of(event, activity, "responses"), f"{event.path}/export?format=jsonl", f"{event.path}/leaderboard",
    ]  # fmt: skip
    found = []
    for token in tokens:
        for path in paths:
            answer = await api.get(path, token=token)
            found.append((answer.status_code, answer.content if answer.status_code < 400 else b"", answer.headers.get("etag")))
    return found


def play_by_script(tx: WriteTx, ids: list[int]) -> None:
    """Mark participants as those of a rehearsal."""
    tx.write(update(participants).where(participants.c.id.in_(ids)).values(scripted=True))


expire, release = expire_due, release_due
