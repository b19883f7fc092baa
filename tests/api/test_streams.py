"""Streams: the same changes as polls, in the same order, over Server-Sent Events."""

import asyncio
import json
from collections.abc import AsyncIterator
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any

import pytest

from conflicto.app import App
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, eventually, refused
from tests.support.clocks import HandClock
from tests.support.feed_reader import drain
from tests.support.patience import PATIENCE_S
from tests.support.wire import EventReader, ReceivedStream, connected, get, ids, listening, streamed


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


async def polled(event: Event, token: str, since: str = "0") -> list[dict[str, Any]]:
    return (await drain(event.api, event.path + "/changes", since, token))[0]


def data_of(received: ReceivedStream) -> list[dict[str, Any]]:
    return [json.loads(each["data"]) for each in received.events]


async def busy(event: Event, seats: int = 3) -> dict[str, Any]:
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    for number in range(seats):
        seat = await event.join(f"Guest {number}")
        await event.answer(wall, seat, {"text": f"line one\nline two\r\n\u2028 data: id: {number}"})
    return wall


@pytest.mark.catalogue("D-10")
async def test_stream_sends_what_polls_return(api: Api, port: int) -> None:
    event = await make_event(api)
    wall = await busy(event)
    anna = await event.join("Anna")
    await event.answer(wall, anna, "mine")

    for token in (event.host, event.screen, anna.token):
        items = await polled(event, token)
        async with streamed(port, f"{event.path}/events?since=0", token) as stream:
            await stream.until(len(items))
            assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert stream.headers["cache-control"] == "no-cache, no-transform"
            assert stream.headers["x-accel-buffering"] == "no"
            assert data_of(stream.received) == items
            assert {each["event"] for each in stream.received.events} == {"change"}
            assert 2000 <= stream.received.retries[0] <= 5000
            newer = await event.activity(title="newer", status="published")
            assert json.loads((await stream.until(len(items) + 1))[-1]["data"])["id"] == newer["id"]


@pytest.mark.catalogue("D-05")
async def test_an_id_continues_exactly_wherever_the_stream_was_cut(api: Api, port: int) -> None:
    event = await make_event(api)
    await busy(event)
    items = await polled(event, event.host)
    async with streamed(port, f"{event.path}/events?since=0", event.host) as stream:
        await stream.until(len(items))
        whole = ids(stream.received.events)

    for cut in range(len(items) + 1):
        received = ReceivedStream(events=stream.received.events[:cut], last=whole[cut - 1] if cut else "0")
        async with streamed(
            port, f"{event.path}/events", event.host, f"last-event-id: {received.last}", received=received
        ) as again:
            await again.until(len(items))
            assert data_of(received) == items, cut


@pytest.mark.catalogue("D-05")
async def test_half_an_event_is_ignored(api: Api, port: int) -> None:
    event = await make_event(api)
    await busy(event, seats=1)
    items = await polled(event, event.host)
    path = f"{event.path}/events"
    async with connected(port) as line:
        await line.send(get(f"{path}?since=0", event.host))
        reader = EventReader(line)
        await line.reader.readuntil(b"\r\n\r\n")
        raw = b""
        while raw.count(b"data: ") < len(items) or not raw.endswith(b"\n\n"):
            size = int((await line.reader.readuntil(b"\r\n")).strip(), 16)
            raw += (await line.reader.readexactly(size + 2))[:-2]
    for cut in range(0, len(raw), 23):
        reader = EventReader(line, ReceivedStream(last="0"))
        reader.take(raw[:cut])
        async with streamed(port, path, event.host, f"last-event-id: {reader.received.last}", received=reader.received) as again:
            await again.until(len(items))
            assert data_of(reader.received) == items, cut


@pytest.mark.catalogue("D-04")
async def test_poll_long_poll_and_stream_return_the_same_while_people_write(api: Api, port: int) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"Guest {number}") for number in range(4)]
    start = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
    total = 40

    async def write() -> None:
        for number in range(total):
            await event.answer(wall, seats[number % 4], number)

    async def poll(wait: str) -> list[tuple[str, int]]:
        received: list[tuple[str, int]] = []
        cursor = start
        while len(received) < total:
            page = accepted(await api.get(f"{event.path}/changes/since/{cursor}{wait}", token=event.host))
            received += [(item["id"], item["revision"]) for item in page["items"]]
            cursor = page["cursor"]
            await asyncio.sleep(0.002)  # a cached response does not yield to other tasks
        return received

    async def stream() -> list[tuple[str, int]]:
        """Reconnect after every few events, as on bad Wi-Fi."""
        received = ReceivedStream(last=start)
        while len(received.events) < total:
            wanted = min(total, len(received.events) + 3)
            async with streamed(
                port, f"{event.path}/events", event.host, f"last-event-id: {received.last}", received=received
            ) as each:
                await each.until(wanted)
        return [(item["id"], item["revision"]) for item in data_of(received)]

    _, *sequences = await asyncio.gather(write(), poll(""), poll("?wait=5"), stream())

    assert sequences[0] == sequences[1] == sequences[2]
    assert len(set(sequences[0])) == total


async def test_answers_of_one_activity_are_streamed_by_accept(api: Api, port: int) -> None:
    event = await make_event(api)
    wall = await busy(event)
    path = f"{event.path}/activities/{wall['id']}/responses/since/0"
    items = accepted(await api.get(path, token=event.screen))["items"]

    async with streamed(port, path, event.screen) as stream:
        await stream.until(3)
        assert data_of(stream.received) == items
        assert {each["event"] for each in stream.received.events} == {"response"}
        await api.patch(f"/activities/{wall['id']}", {"responses_visibility": "host"}, token=event.host)
        await stream.to_end()
    async with connected(port) as line:
        await line.send(get(path, event.screen, "accept: text/event-stream"))
        assert (await line.answer())[0] == 403


async def test_idle_streams_get_bookmarks_that_lose_nothing(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    wall = await event.activity(status="active")

    async with streamed(port, f"{event.path}/events", anna.token) as stream:
        await event.answer(wall, bert, "not for Anna")
        while stream.received.comments < 3:
            await stream.part()
        assert stream.received.events == []
        bookmark = stream.received.last
    own = (await event.answer(wall, anna, 1)).json()
    async with streamed(port, f"{event.path}/events", anna.token, f"last-event-id: {bookmark}") as stream:
        assert [item["id"] for item in data_of(stream.received) or [json.loads((await stream.until(1))[0]["data"])]] == [own["id"]]


async def test_streams_end_by_themselves_and_send_a_retry_delay(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.LIFETIME_S", (0.1, 0.2))
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
    event = await make_event(api)

    async with streamed(port, f"{event.path}/events", event.host) as stream:
        received = await stream.to_end()

    assert len(received.retries) == 2
    assert api.app.edge.streams.open_count == 0


@pytest.mark.parametrize("how", ["kick", "rotate", "delete"])
@pytest.mark.catalogue("A-10", "C-07")
async def test_whoever_may_no_longer_read_is_cut_off_at_once(api: Api, port: int, how: str) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    token = event.screen if how == "rotate" else anna.token

    async with streamed(port, f"{event.path}/events", token) as stream, streamed(port, f"{event.path}/events", bert.token) as other:
        await asyncio.gather(stream.part(), other.part())
        if how == "kick":
            await api.delete(f"/participants/{anna.id}", token=event.host)
        elif how == "rotate":
            await api.delete(f"{event.path}/tokens", token=event.host)
        else:
            await api.delete(event.path, token=event.host)
        await asyncio.wait_for(stream.to_end(), PATIENCE_S)
        if how == "kick":
            await event.activity(title="for Bert alone", status="published")
            assert "for Bert alone" in (await other.until(1))[0]["data"]
            assert stream.received.events == []
    refused(await api.get(f"{event.path}/events", token=token), 401, "token-invalid")


async def test_tokens_that_expire_end_their_streams(api: Api, port: int, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
    monkeypatch.setattr("conflicto.feed.streams.LIFETIME_S", (1e9, 1e9))
    event = await make_event(api)
    async with streamed(port, f"{event.path}/events", event.screen) as stream:
        await stream.part()
        clock.advance(31 * 86_400)
        await stream.to_end()


@pytest.fixture(params=["fast path", "slow path"])
def endless_streams(api: Api, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let streams end with their token alone, on each path."""
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 40 * 86_400)
    monkeypatch.setattr("conflicto.feed.streams.LIFETIME_S", (1e9, 1e9))
    api.app.edge.connections.fast_path = api.app.edge.fast_path if request.param == "fast path" else None


async def test_no_event_follows_the_end_of_a_token(api: Api, port: int, clock: HandClock, endless_streams: None) -> None:
    event = await make_event(api)
    async with streamed(port, f"{event.path}/events", event.screen) as stream:
        await stream.part()
        clock.advance(31 * 86_400)
        await api.patch(event.path, {"title": "after the end"}, token=api.admin)
        await stream.to_end()
        assert stream.received.events == []


async def test_streams_of_the_operator_have_no_token_that_expires(
    api: Api, port: int, clock: HandClock, endless_streams: None
) -> None:
    event = await make_event(api)
    async with streamed(port, f"{event.path}/events", api.admin) as stream:
        await stream.part()
        clock.advance(31 * 86_400)
        await api.patch(event.path, {"title": "a month later"}, token=api.admin)
        assert "a month later" in (await stream.until(1))[0]["data"]


async def test_tickets_open_one_stream_once(api: Api, port: int, clock: HandClock) -> None:
    event, other = await make_event(api), await make_event(api)
    anna = await event.join()
    for token in (event.host, event.screen, anna.token, api.admin):
        made = accepted(await api.post(f"{event.path}/events/ticket", token=token), 201)
        path = f"{event.path}/events?ticket={made['ticket']}"
        async with streamed(port, path, None) as stream:
            assert stream.status == 200
            await stream.part()
            title = f"told to {token[-5:]}"
            await event.activity(title=title, status="published")
            assert title in (await stream.until(1))[-1]["data"]
        refused(await api.get(path), 401, "token-invalid")
    unused = accepted(await api.post(f"{event.path}/events/ticket", token=anna.token), 201)["ticket"]
    refused(await api.get(f"{other.path}/events?ticket={unused}"), 404, "not-found")
    refused(await api.get(f"{event.path}/status?ticket={unused}"), 401, "token-missing")
    refused(await api.get(f"{event.path}/status", token=unused), 401, "token-invalid")
    refused(await api.get(f"{event.path}/events?ticket={anna.token}"), 401, "token-invalid")
    refused(await api.get(f"{event.path}/events?ticket=x.y.z"), 401, "token-invalid")
    clock.advance(61)
    refused(await api.get(f"{event.path}/events?ticket={unused}"), 401, "token-invalid")


async def test_a_kick_ends_the_stream_that_a_ticket_opened(api: Api, port: int) -> None:
    event = await make_event(api)
    anna = await event.join()
    made = accepted(await api.post(f"{event.path}/events/ticket", token=anna.token), 201)
    async with streamed(port, f"{event.path}/events?ticket={made['ticket']}", None) as stream:
        await stream.part()
        await api.delete(f"/participants/{anna.id}", token=event.host)
        await stream.to_end()


async def test_streams_are_capped_in_all(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_STREAMS", 2)
    event = await make_event(api)
    path = f"{event.path}/events"

    async with streamed(port, path, event.host) as host, streamed(port, path, event.screen) as screen:
        await asyncio.gather(host.part(), screen.part())
        for token in (event.host, (await event.join()).token):
            answer = await api.get(path, token=token)
            refused(answer, 503, "too-many-streams")
            assert answer.headers["retry-after"] == "2"

    async def all_gone() -> bool:
        return api.app.edge.streams.open_count == 0

    await eventually(all_gone)


@pytest.mark.catalogue("O-03")
@pytest.mark.in_process
async def test_readers_that_stall_are_cut_off_and_cost_no_memory(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.http.server.deadlines.MAX_STALL_S", 0.3)
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    async with connected(port) as line:
        await line.send(get(f"{event.path}/events", event.host))
        await line.reader.readuntil(b"retry")
        line.writer.transport.pause_reading()
        connection = next(iter(api.app.edge.connections.connections))
        for end, buffer in ((line.writer.transport, SO_RCVBUF), (connection.transport, SO_SNDBUF)):
            end.get_extra_info("socket").setsockopt(
                SOL_SOCKET, buffer, 8_192
            )  # the kernel's buffer may hold more than the test writes
        largest = 0

        async def cut_off() -> bool:
            nonlocal largest
            for _ in range(20):
                await event.answer(wall, anna, "x" * 8_000)
            largest = max(largest, connection.transport.get_write_buffer_size())
            return not api.app.edge.connections.connections

        await eventually(cut_off)
        assert 0 < largest < 3 * 2**20


async def test_draining_ends_every_stream_and_wait_without_losing_anything(api: Api, port: int) -> None:
    event = await make_event(api)
    anna = await event.join()
    cursor = accepted(await api.get(f"{event.path}/changes/since/now", token=anna.token))["cursor"]
    async with streamed(port, f"{event.path}/events", anna.token) as stream, connected(port) as line:
        await stream.part()
        await line.send(get(f"{event.path}/changes/since/{cursor}?wait=20", anna.token))

        async def waits() -> bool:
            return api.app.edge.long_poll.waiting == 1

        await eventually(waits)
        api.app.edge.drain()
        received = await stream.to_end()
        status, _, body = await line.answer()

    assert (len(received.retries), status, json.loads(body)["cursor"]) == (2, 200, cursor)


async def test_a_stream_outlives_the_memory_that_it_was_read_from(api: Api, port: int) -> None:
    event = await make_event(api)
    async with streamed(port, f"{event.path}/events", event.host) as stream:
        await stream.part()
        for number in range(3):
            old = api.app.domain.sessions.cached(event.id)
            api.app.domain.sessions._drop(event.id)
            made = await event.activity(title=f"number {number}", status="published")
            assert json.loads((await stream.until(number + 1))[-1]["data"])["id"] == made["id"]
            assert old is not api.app.domain.sessions.cached(event.id)


async def test_changes_are_streamed_from_a_position_by_accept(api: Api, port: int) -> None:
    event = await make_event(api)
    await busy(event)
    items = await polled(event, event.host)
    async with streamed(port, f"{event.path}/changes/since/{items[1]['updated_at']}", event.host) as stream:
        await stream.until(len(items) - 2)
        assert data_of(stream.received) == items[2:]


async def test_an_outdated_page_of_frames_is_not_cached(app: App, api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    page = app.edge.streams._polls.page
    late = 0

    async def overtaken(head: Any, query: Any) -> Any:
        nonlocal late
        found = await page(head, query)
        if late < 3 and query.since.kind == "position":
            late += 1
            await event.activity(title=f"late {late}", status="published")
        return found

    monkeypatch.setattr(app.edge.streams._polls, "page", overtaken)
    app.edge.connections.fast_path = None  # it makes frames without a wait, so nothing overtakes them
    async with streamed(port, f"{event.path}/events", event.host) as stream:
        await stream.until(3)
        assert [json.loads(each["data"])["data"]["title"] for each in stream.received.events] == ["late 1", "late 2", "late 3"]
