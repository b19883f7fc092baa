"""Bursts: a full hall reconnects at once while readers are busy, and none is refused."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from conflicto.app import App
from conflicto.platform.db.batched_read import MAX_BATCH_PAGES
from conflicto.platform.db.transaction import ReadTx
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import PATIENCE_S, accepted, eventually

pytestmark = pytest.mark.in_process

SEATS = 6
TIMES = 40
"""Requests per seat, so that the burst exceeds any number of readers."""


@asynccontextmanager
async def busy(app: App, *, lists: bool) -> AsyncIterator[None]:
    """Keep all readers for lists, or all readers, busy until the block ends."""
    gate, begun = threading.Event(), threading.Semaphore(0)

    def wait(_: ReadTx) -> None:
        begun.release()
        gate.wait(PATIENCE_S)

    amount = app.platform.db.lists.size if lists else app.platform.db.max_connections - 1
    reads = [asyncio.create_task((app.platform.db.lists if lists else app.platform.db).read(wait)) for _ in range(amount)]
    for _ in range(amount):
        await asyncio.to_thread(begun.acquire)
    try:
        yield
    finally:
        gate.set()
        await asyncio.gather(*reads)


async def hall(api: Api) -> tuple[Event, list[Seat], dict[str, str]]:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"Guest {number}") for number in range(SEATS)]
    for number, seat in enumerate(seats):
        accepted(await event.answer(wall, seat, number), 201)
    at = f"{event.path}/activities/{wall['id']}"
    return event, seats, {"own": f"{at}/responses/mine", "list": f"{event.path}/activities", "seat": "/participants/me", "one": at}


@pytest.mark.parametrize("view", ["own", "list", "seat", "one"])
async def test_a_large_audience_is_served_while_lists_hold_their_readers(api: Api, app: App, view: str) -> None:
    _, seats, paths = await hall(api)
    reads: list[float] = []
    async with busy(app, lists=True):
        app.platform.db.on_query = reads.append
        answers = await asyncio.gather(*(api.get(paths[view], token=seat.token) for seat in seats * TIMES))
        assert len(reads) <= 2 + SEATS * TIMES / MAX_BATCH_PAGES * 2

    assert {answer.status_code for answer in answers} == {200}
    for number, answer in enumerate(answers[:SEATS]):
        body = answer.json()
        if view == "own":
            assert [each["response_data"] for each in body["items"]] == [number]
        if view == "seat":
            assert [each["response_data"] for each in body["responses"]] == [number]


async def test_a_large_audience_waits_as_one_read_for_a_reader_and_is_served_then(api: Api, app: App) -> None:
    _, seats, paths = await hall(api)

    async def is_waiting() -> bool:
        return len(app.platform.db.reader_queue) == 1

    async with busy(app, lists=False):
        reads = [asyncio.create_task(api.get(paths["own"], token=seat.token)) for seat in seats * TIMES]
        await eventually(is_waiting)
    answers = await asyncio.gather(*reads)

    assert {answer.status_code for answer in answers} == {200}
