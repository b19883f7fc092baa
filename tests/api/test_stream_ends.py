"""Ends of streams, and pauses of their readers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET

import pytest

from conflicto.app import App
from conflicto.platform.db.group import Committed
from conflicto.sessions.events import SessionChanged
from tests.api.test_streams import busy, data_of
from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.wire import listening, streamed


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


@pytest.fixture(params=["fast", "slow"])
async def each_port(app: App, request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """A server whose streams take the fast path, and one whose streams are requests to the end."""
    if request.param == "slow":
        app.edge.connections.fast_path = None
    async with listening(app) as port:
        yield port


async def test_completed_sessions_end_their_streams_for_good(api: Api, each_port: int) -> None:
    event = await make_event(api)
    anna = await event.join()
    for token in (event.host, event.screen, anna.token):
        async with streamed(each_port, f"{event.path}/events", token) as stream:
            if token == event.host:
                await api.patch(event.path, {"status": "completed"}, token=event.host)
                last = (await stream.to_end()).last
        if token == event.host:
            continue
        assert stream.status == 204
    assert (await api.get(f"{event.path}/events?since={last}", token=event.host)).status_code == 204


async def test_one_bearers_oldest_stream_makes_room_for_the_newest(
    api: Api, each_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_STREAMS_PER_TOKEN", 1)
    event = await make_event(api)
    path = f"{event.path}/events"

    async with streamed(each_port, path, event.host) as old, streamed(each_port, path, event.screen) as other:
        await asyncio.gather(old.part(), other.part())
        async with streamed(each_port, path, event.host) as new:
            await new.part()
            await old.to_end()
            await event.activity(title="newest", status="published")
            for stream in (new, other):
                assert "newest" in (await stream.until(1))[0]["data"]


@pytest.mark.in_process
async def test_streams_that_stall_make_room_for_newer_ones_of_their_token(
    api: Api, app: App, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_STREAMS_PER_TOKEN", 2)
    event = await make_event(api)
    path = f"{event.path}/events"
    async with AsyncExitStack() as stack:
        for opened in range(1, 6):
            stream = await stack.enter_async_context(streamed(port, path, event.host))
            await stream.part()
            assert app.edge.streams.open_count == min(opened, 2)
            for each in app.edge.connections.connections:
                if getattr(each, "follower", None) is not None and not each.is_stalled:
                    each.pause_writing()


@pytest.mark.in_process
async def test_a_reader_that_stalls_for_a_while_misses_nothing(api: Api, port: int) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    async with streamed(port, f"{event.path}/events?since=0", event.host) as stream:
        await stream.part()
        transport = stream.line.writer.transport
        transport.pause_reading()
        (connection,) = (each for each in api.app.edge.connections.connections if each.follower is not None)
        for end, buffer in ((transport, SO_RCVBUF), (connection.transport, SO_SNDBUF)):
            end.get_extra_info("socket").setsockopt(SOL_SOCKET, buffer, 8_192)
        sent = 0
        while not connection.is_stalled:
            sent += 1
            accepted(await event.answer(wall, anna, [sent, "x" * 8_000]), 201)
            await asyncio.sleep(0)
        accepted(await event.answer(wall, anna, [sent + 1, "after the stall"]), 201)
        transport.resume_reading()
        found: list[int] = []
        while len(found) <= sent:
            await stream.part()
            items = data_of(stream.received)
            found = [each["data"]["response_data"][0] for each in items if each["entity"] == "response"]
        assert found == list(range(1, sent + 2))


@pytest.mark.in_process
async def test_a_stream_that_reads_the_end_of_its_session_ends(api: Api, app: App, port: int) -> None:
    event = await make_event(api)

    def drop_completed(committed: Committed) -> None:
        if any(isinstance(each, SessionChanged) for each in committed.events):
            app.domain.sessions._drop(event.id)

    async with streamed(port, f"{event.path}/events", event.host) as stream:
        await stream.part()
        app.platform.bus.subscribe(Committed, drop_completed)
        accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
        items = data_of(await stream.to_end())
    assert items[-1]["data"]["status"] == "completed"


@pytest.mark.in_process
async def test_a_stream_is_removed_once(api: Api, app: App, port: int) -> None:
    event = await make_event(api)
    async with streamed(port, f"{event.path}/events", event.host) as stream:
        await stream.part()
        (follower,) = (each.follower for each in app.edge.connections.connections if each.follower is not None)
        for _ in range(2):
            follower.on_disconnect()
        assert app.edge.streams.open_count == 0


async def test_streams_of_answers_end_with_the_session(api: Api, each_port: int) -> None:
    event = await make_event(api)
    wall = await busy(event, seats=1)
    path = f"{event.path}/activities/{wall['id']}/responses/since/0"
    async with streamed(each_port, path, event.host) as stream:
        await stream.until(1)
        await api.patch(event.path, {"status": "completed"}, token=event.host)
        assert len((await stream.to_end()).events) == 1
