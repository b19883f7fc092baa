"""Connection slots: addresses that hold many without a valid token lose them under pressure.

No other address loses any.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import eventually
from tests.support.wire import Line, get, listening, streamed

pytestmark = pytest.mark.in_process

PLACES = 20
HALL, LONER, GREEDY = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""Loopback addresses of the clients."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_connections": PLACES, "trusted_proxies": "127.0.0.9"})


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


@pytest.fixture
async def event(api: Api) -> Event:
    return await make_event(api)


@asynccontextmanager
async def opened(port: int, address: str, first: bytes = b"") -> AsyncIterator[Line]:
    """Open a connection from an address and send bytes on it.

    Waits for the response if the bytes are a whole request.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    line = Line(reader, writer)
    try:
        if first:
            await line.send(first)
        if first.endswith(b"\r\n\r\n"):
            await line.answer()
        yield line
    finally:
        line.close()


async def many(stack: AsyncExitStack, app: App, port: int, address: str, count: int, first: bytes = b"") -> list[Line]:
    """Open connections in sequence; the server has accepted each before the next."""
    lines, manager = [], app.edge.connections
    for _ in range(count):
        before = manager.eviction.evicted + len(manager.connections)
        lines.append(await stack.enter_async_context(opened(port, address, first)))
        await eventually(lambda: asyncio.sleep(0, manager.eviction.evicted + len(manager.connections) > before))  # noqa: B023
    return lines


def closed(lines: list[Line]) -> int:
    return sum(line.reader.at_eof() for line in lines)


BEGUN = b"GET /health/live HTTP/1.1\r\nhost: t\r\nx-slow: "
WHOLE = b"GET /health/live HTTP/1.1\r\nhost: t\r\n\r\n"


@pytest.mark.parametrize("first", [b"", BEGUN, WHOLE], ids=["silent", "begun", "answered"])
async def test_one_address_cannot_hold_the_places_of_others(app: App, port: int, event: Event, first: bytes) -> None:
    seat = await event.join()
    poll = get(f"{event.path}/status", seat.token)
    async with AsyncExitStack() as stack:
        known = await many(stack, app, port, HALL, 3, poll)
        greedy = await many(stack, app, port, GREEDY, 60, first)
        late = await many(stack, app, port, LONER, 3, poll)
        for line in [*known, *late]:
            await line.send(poll)
            assert (await line.answer())[0] in {200, 304}

        assert closed([*known, *late]) == 0
        await eventually(lambda: asyncio.sleep(0, closed(greedy) > 60 - PLACES))


async def test_the_address_with_most_of_them_loses_one_first_and_its_oldest(app: App, port: int) -> None:
    async with AsyncExitStack() as stack:
        loner = await many(stack, app, port, LONER, 2, WHOLE)
        greedy = await many(stack, app, port, GREEDY, 14, WHOLE)
        assert app.edge.connections.eviction.evicted == 0
        hall = await many(stack, app, port, HALL, 4, WHOLE)
        await eventually(lambda: asyncio.sleep(0, closed(greedy) == 4))

        assert [line.reader.at_eof() for line in greedy] == [True] * 4 + [False] * 10
        assert closed([*loner, *hall]) == 0


async def test_who_showed_a_token_or_is_served_now_is_never_closed(app: App, port: int, event: Event) -> None:
    """A hall behind one address uses all slots: new connections are refused, and none is closed."""
    seat = await event.join()
    async with AsyncExitStack() as stack:
        stream = await stack.enter_async_context(streamed(port, f"{event.path}/events", seat.token))
        hall = await many(stack, app, port, HALL, PLACES - 1, get(f"{event.path}/status", seat.token))
        late = await stack.enter_async_context(opened(port, GREEDY))
        assert b"too-many-connections" in await late.rest()

        assert (closed(hall), app.edge.connections.eviction.evicted) == (0, 0)
        await event.activity(status="active")
        await stream.until(1)


async def test_the_connections_of_a_trusted_proxy_stay(app: App, port: int) -> None:
    async with AsyncExitStack() as stack:
        proxy = await many(stack, app, port, "127.0.0.9", PLACES - 2, WHOLE)
        for _ in range(12):
            await stack.enter_async_context(opened(port, GREEDY))
        for line in proxy:
            await line.send(WHOLE)
            assert (await line.answer())[0] == 200
        assert closed(proxy) == 0


async def test_a_token_that_is_not_valid_counts_for_nothing(app: App, port: int, event: Event) -> None:
    async with AsyncExitStack() as stack:
        forged = await many(stack, app, port, GREEDY, 16, get(f"{event.path}/status", "made.up.token"))
        await many(stack, app, port, HALL, 8, WHOLE)

        await eventually(lambda: asyncio.sleep(0, closed(forged) > 0))


async def test_a_lookup_without_a_result_is_not_repeated_at_once(
    app: App, port: int, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused connections do not each scan all connections."""
    calls = 0
    choose = app.edge.connections.eviction._choose

    def counted(newest: object) -> object:
        nonlocal calls
        calls += 1
        return choose(newest)

    monkeypatch.setattr(app.edge.connections.eviction, "_choose", counted)
    monkeypatch.setattr("conflicto.platform.http.server.eviction.RETRY_S", 3600.0)
    async with AsyncExitStack() as stack:
        await many(stack, app, port, HALL, PLACES, get(f"{event.path}/status", event.host))
        for _ in range(10):
            late = await stack.enter_async_context(opened(port, GREEDY))
            assert b"too-many-connections" in await late.rest()
    assert calls == 1
