"""Helpers for exports: sessions with answers, jobs, and a gate for the writing thread."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from conflicto.exports import output, writer
from tests.support.api import Api, Event, make_event
from tests.support.checks import PATIENCE_S, accepted, eventually

AT_ONCE = {"prefer": "respond-async"}


class Gate:
    """A gate that passes one row of the writing thread at a time, or all once it is open."""

    def __init__(self) -> None:
        self.rows = threading.Semaphore(0)
        self.is_open = False

    def pass_row(self) -> None:
        if not self.is_open:
            assert self.rows.acquire(timeout=PATIENCE_S)

    def open(self) -> None:
        self.is_open = True
        self.rows.release()


def held_exports(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Stop exports at each row, and report progress after each."""
    monkeypatch.setattr(output, "ROWS_PER_CHECK", 1)
    monkeypatch.setattr(writer, "PROGRESS_INTERVAL_S", 0.0)
    gate, throttled = Gate(), writer.throttled

    def held(items: Iterator[Any], *rest: Any) -> Iterator[Any]:
        for item in throttled(items, *rest):
            gate.pass_row()
            yield item

    monkeypatch.setattr(writer, "throttled", held)
    return gate


async def answered(api: Api, *, people: int = 3) -> Event:
    """Create a session with a named and an anonymous answer per person."""
    event = await make_event(api, title="Größe")
    poll = await event.activity(title="Lunch", status="active")
    seats = [await event.join(f"Guest {number}") for number in range(people)]
    for number, seat in enumerate(seats):
        await event.answer(poll, seat, {"choice": number})
    await event.move(poll, "expired")
    secret = await event.activity(title="Secret", status="active", anonymous=True, min_group=2)
    for number, seat in enumerate(seats):
        await event.answer(secret, seat, number)
    await event.move(secret, "expired")
    return event


async def begin(event: Event, query: str = "", token: str | None = None) -> dict[str, Any]:
    answer = await event.api.get(f"{event.path}/export{query}", token or event.host, headers=AT_ONCE)
    return accepted(answer, 202)


async def look(event: Event, job: dict[str, Any], token: str | None = None) -> Any:
    return await event.api.get(f"{event.path}/exports/{job['id']}", token or event.host)


async def download(event: Event, job: dict[str, Any], token: str | None = None) -> Any:
    return await event.api.get(f"{event.path}/exports/{job['id']}/file", token or event.host)


async def ended(event: Event, job: dict[str, Any], status: str = "ready") -> dict[str, Any]:
    """Return the job once it has ended; a 503 on a busy machine is retried."""

    async def is_over() -> Any:
        answer = await look(event, job)
        return answer.json() if answer.status_code != 503 and answer.json()["status"] != "running" else None

    found: dict[str, Any] = await eventually(is_over)
    assert found["status"] == status, found
    return found


async def reaches(event: Event, job: dict[str, Any], read: int) -> dict[str, Any]:
    async def is_there() -> Any:
        found = (await look(event, job)).json()
        return found if found.get("responses_read") == read else None

    there: dict[str, Any] = await eventually(is_there)
    return there


def files_of(api: Api) -> list[str]:
    return sorted(path.suffix for path in api.app.domain.exports.jobs.folder._path.iterdir())
