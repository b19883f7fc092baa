"""Changes by others to a participant's seat or response: only that phone is woken, at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conflicto.app import App
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, eventually
from tests.support.patience import PATIENCE_S
from tests.support.wire import listening, streamed

NextItem = Callable[[], Awaitable[Any]]


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


@asynccontextmanager
async def two_phones(event: Event, port: int, anna: Seat, bert: Seat) -> AsyncIterator[NextItem]:
    """Yield a function that waits for the next change on Anna's phone.

    Bert's phone must not receive anything.
    """
    path = f"{event.path}/events"
    async with streamed(port, path, anna.token) as mine, streamed(port, path, bert.token) as other:
        await asyncio.gather(mine.part(), other.part())
        received_count = 0

        async def news() -> Any:
            nonlocal received_count
            received_count += 1
            return json.loads((await asyncio.wait_for(mine.until(received_count), PATIENCE_S))[received_count - 1]["data"])["data"]

        yield news
        assert other.received.events == []


async def test_a_name_that_the_host_set_is_sent_at_once(api: Api, port: int) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")

    async with two_phones(event, port, anna, bert) as news:
        accepted(await api.patch(f"/participants/{anna.id}", {"nickname": "Anna Lena"}, token=event.host))
        assert (await news())["nickname"] == "Anna Lena"


async def test_the_outcome_of_an_answer_is_shown_at_once(api: Api, port: int) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    wall = await event.activity(status="active", moderation="before")
    path = f"{event.path}/activities/{wall['id']}"
    sent = accepted(await event.answer(wall, anna, {"text": "More daylight"}), 201)

    async with two_phones(event, port, anna, bert) as news:
        accepted(await api.patch(f"{path}/responses/{sent['id']}", {"moderation": "visible"}, token=event.host))
        assert (await news())["moderation"] == "visible"
        accepted(await api.post(f"{path}/reset", token=event.host), 204)
        assert await news() is None


async def test_a_name_ends_a_wait_too(api: Api, port: int) -> None:
    event = await make_event(api)
    anna = await event.join("Anna")
    now = accepted(await api.get(f"{event.path}/changes/since/now", token=anna.token))["cursor"]

    async def waits() -> int:
        return api.app.edge.long_poll.waiting

    waiting = asyncio.create_task(api.get(f"{event.path}/changes/since/{now}?wait=20", token=anna.token))
    await eventually(waits)
    accepted(await api.patch(f"/participants/{anna.id}", {"nickname": "Anna Lena"}, token=event.host))
    page = accepted(await asyncio.wait_for(waiting, PATIENCE_S))

    assert [each["data"]["nickname"] for each in page["items"]] == ["Anna Lena"]
