"""The fan-out: streams of the fast path, which need no task."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from conflicto.app import App
from conflicto.feed.pages import Page
from conflicto.feed.sse_sources import page_events
from conflicto.platform.http.server.stream_connection import StreamConnection
from tests.support.api import Api, make_event
from tests.support.checks import eventually
from tests.support.wire import EventReader, connected, get, listening, streamed

pytestmark = pytest.mark.in_process


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


async def holds(api: Api, streams: int) -> None:
    """Wait until this number of streams belongs to the fast path."""

    async def are_held() -> bool:
        return sum(isinstance(each, StreamConnection) for each in api.app.edge.connections.connections) == streams

    await eventually(are_held)


@asynccontextmanager
async def all_streamed(port: int, path: str, tokens: list[str]) -> AsyncIterator[list[EventReader]]:
    """Open a stream for each token."""
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(streamed(port, path, token)) for token in tokens]
        for stream in streams:
            await stream.part()
        yield streams


async def test_a_stream_needs_no_task(api: Api, port: int) -> None:
    event = await make_event(api)
    async with streamed(port, f"{event.path}/events", event.host) as stream:
        await stream.part()
        await holds(api, 1)
        assert [each for each in asyncio.all_tasks() if "run_asgi" in repr(each)] == []
        await event.activity(title="new", status="published")
        assert "new" in (await stream.until(1))[0]["data"]


async def test_requests_that_follow_a_stream_are_answered_after_it(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_STREAMS_PER_TOKEN", 1)
    event = await make_event(api)
    async with connected(port) as line:
        stream = await EventReader(line).open(f"{event.path}/events", event.host)
        await stream.part()
        await holds(api, 1)
        for _ in range(2):
            await line.send(get(f"{event.path}/status", event.host))
        async with streamed(port, f"{event.path}/events", event.host) as newer:
            await newer.part()
            await stream.to_end()
            assert [(await line.answer())[0] for _ in range(2)] == [200, 200]
        again = await EventReader(line).open(f"{event.path}/events", event.host)
        await again.part()
        await holds(api, 1)


async def test_a_client_may_ask_for_the_end_of_its_connection(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_STREAMS_PER_TOKEN", 1)
    event = await make_event(api)
    async with connected(port) as line:
        stream = await EventReader(line).open(f"{event.path}/events", event.host, "connection: close")
        await stream.part()
        await holds(api, 1)
        async with streamed(port, f"{event.path}/events", event.host) as newer:
            await newer.part()
            await stream.to_end()
            assert await line.rest() == b""


@pytest.mark.parametrize("fast_path", [True, False])
async def test_a_participant_reads_own_answers_and_the_hosts_changes(
    api: Api, port: int, fast_path: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
    api.app.edge.connections.fast_path = api.app.edge.fast_path if fast_path else None
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"Guest {number}") for number in range(3)]
    async with all_streamed(port, f"{event.path}/events", [seat.token for seat in seats]) as streams:
        sent = [(await event.answer(wall, seat, number)).json()["id"] for number, seat in enumerate(seats)]
        for title in ("first", "second"):
            await api.patch(f"{event.path}/activities/{wall['id']}", {"title": title}, token=event.host)
        for stream, own in zip(streams, sent, strict=True):
            while "second" not in (stream.received.events or [{"data": ""}])[-1]["data"]:
                await stream.part()
            found = [json.loads(each["data"]) for each in stream.received.events]
            assert [item["id"] for item in found if item["entity"] == "response"] == [own]


async def test_many_streams_need_one_read_of_the_database(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active")
    reads: list[Any] = []
    read = api.app.platform.db.read

    async def counted(query: Any, *args: Any, **kwargs: Any) -> Any:
        reads.append(query.__name__)
        return await read(query, *args, **kwargs)

    guests = [(await event.join(f"Guest {number}")).token for number in range(4)]
    async with all_streamed(port, f"{event.path}/events", [event.screen, event.host, *guests]) as streams:
        await holds(api, 6)
        monkeypatch.setattr(api.app.platform.db, "read", counted)
        await api.patch(f"{event.path}/activities/{wall['id']}", {"title": "read once"}, token=event.host)
        for stream in streams:
            assert "read once" in (await stream.until(1))[0]["data"]
    assert reads.count("activities_with_contents") <= 3  # one for each view


async def test_streams_wait_for_one_read_of_a_forgotten_session(api: Api, port: int) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active")
    guests = [(await event.join(f"Guest {number}")).token for number in range(4)]
    async with all_streamed(port, f"{event.path}/events", guests) as streams:
        await holds(api, 4)
        api.app.domain.sessions._drop(event.id)
        await api.patch(f"{event.path}/activities/{wall['id']}", {"title": "found again"}, token=event.host)
        streams.pop().line.close()
        for stream in streams:
            assert "found again" in (await stream.until(1))[0]["data"]


@pytest.mark.parametrize("read", [False, True])
async def test_a_fault_ends_its_stream_and_no_other(api: Api, port: int, monkeypatch: pytest.MonkeyPatch, read: bool) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", responses_visibility="screen")
    path = f"{event.path}/activities/{wall['id']}/responses/since/0"
    anna = await event.join()

    def faulty(page: Page, name: bytes) -> bytes:
        if name == b"response":
            raise ArithmeticError
        return page_events(page, name)

    async with streamed(port, path, event.host) as stream, streamed(port, f"{event.path}/events", event.screen) as other:
        await other.part()
        await holds(api, 2)
        with monkeypatch.context() as patch:
            if read:
                patch.setattr("conflicto.feed.poll_handler.MemoryRows.floor", lambda _: 2**60)
            patch.setattr("conflicto.feed.sse_sources.page_events", faulty)
            await event.answer(wall, anna, 1)
            await stream.to_end()
        await event.activity(title="for the other", status="published")
        while "for the other" not in (other.received.events or [{"data": ""}])[-1]["data"]:
            await other.part()


async def test_streams_end_where_responses_become_hidden(api: Api, port: int) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="screen")
    anna = await event.join()
    async with streamed(port, f"{event.path}/activities/{wall['id']}/responses/since/0", event.screen) as stream:
        await event.answer(wall, anna, 1)
        await stream.until(1)
        await holds(api, 1)
        await api.patch(f"{event.path}/activities/{wall['id']}", {"responses_visibility": "host"}, token=event.host)
        await stream.to_end()
