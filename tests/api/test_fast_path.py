"""The fast path over raw sockets: same bytes as ASGI, in order, within limits, never stale."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import eventually
from tests.support.clocks import HandClock
from tests.support.wire import Line, connected, get, listening

PARTS = (1, 2, 7, 64)

pytestmark = pytest.mark.in_process
"""Run in this process: each test starts its own servers."""


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


@pytest.fixture
async def slow_port(settings: Settings, app: App) -> AsyncIterator[int]:
    """The same database behind a server without the fast path."""
    off = settings.model_copy(update={"fast_path": False})
    async with App(off, clock=app.platform.clock).running() as other, listening(other) as port:
        yield port


class PolledSession:
    """An event with one token of each role, and the URLs that they poll."""

    def __init__(self, event: Event, anna: Seat, targets: list[tuple[str, str]]) -> None:
        self.event, self.anna, self.targets = event, anna, targets

    @classmethod
    async def make(cls, api: Api) -> "PolledSession":
        event = await make_event(api)
        wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
        anna = await event.join()
        await event.answer(wall, anna, 1)
        targets = []
        for token in (event.host, event.screen, anna.token):
            for feed in (f"{event.path}/changes", f"{event.path}/activities/{wall['id']}/responses"):
                cursor = (await api.get(f"{feed}/since/now", token=token)).json()["cursor"]
                targets += [(f"{feed}/since/{cursor}", token), (f"{feed}/since/0?limit=2", token)]
            targets += [(f"{event.path}/status", token), (f"{event.path}/activities/{wall['id']}/status", token)]
        return cls(event, anna, targets)


def without_date(raw: bytes) -> bytes:
    return re.sub(rb"date: [^\r]+\r\n", b"", raw)


async def exchange(line: Line, request: bytes, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
    await line.send(request)
    return await line.answer(head=head)


def cached_responses(app: App) -> int:
    """Return the number of requests that were answered from the cache."""
    return sum(sum(tally.counts) for tally in app.platform.metrics._fast_paths.values())


def cached_requests(app: App) -> int:
    return len(app.edge.fast_path.recent) + len(app.edge.fast_path.previous)


async def raw_response(line: Line, request: bytes) -> bytes:
    await line.send(request)
    raw = await line.reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", raw)
    return raw + (await line.reader.readexactly(int(length[1])) if length and b" 304 " not in raw[:16] else b"")


async def test_fast_path_and_asgi_send_the_same_bytes(app: App, api: Api, port: int, slow_port: int) -> None:
    polled = await PolledSession.make(api)
    async with connected(port) as fast, connected(slow_port) as slow:
        for target, token in polled.targets:
            expected = without_date(await raw_response(slow, get(target, token)))
            for _ in range(4):  # the slow path, then by parsing, then by bytes
                assert without_date(await raw_response(fast, get(target, token))) == expected, target
            tag = re.search(rb"etag: ([^\r]+)", expected)
            assert tag is not None
            packed = tag[1].decode().removesuffix('"') + '-gzip"'
            for condition in (tag[1].decode(), f'"x", {tag[1].decode()}', "*", 'W/"other"', packed, packed.removeprefix("W/")):
                request = get(target, token, f"if-none-match: {condition}")
                expected_now = without_date(await raw_response(slow, request))
                assert [without_date(await raw_response(fast, request)) for _ in range(3)] == [expected_now] * 3, (
                    target,
                    condition,
                )
    assert cached_responses(app) > len(polled.targets) * 10
    assert cached_requests(app) > len(polled.targets)


async def test_split_and_pipelined_requests_are_answered_in_order(api: Api, port: int) -> None:
    polled = await PolledSession.make(api)
    requests = [get(target, token) for target, token in polled.targets] * 2
    async with connected(port) as line:
        expected_each = [without_date(await raw_response(line, request)) for request in requests]
        assert [without_date(await raw_response(line, request)) for request in requests] == expected_each
        together = b"".join(requests)
        for size in (*PARTS, len(together)):
            received = []
            sending = asyncio.create_task(_in_parts(line, together, size))
            received = [without_date(await raw_response(line, b"")) for _ in requests]
            await sending
            assert received == expected_each, size


async def _in_parts(line: Line, data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        line.writer.write(data[at : at + size])
        if size < 64 and at % 100 < size:
            await asyncio.sleep(0)
    await line.writer.drain()


async def test_fast_path_waits_for_a_slow_request_before_it(api: Api, port: int) -> None:
    polled = await PolledSession.make(api)
    event = polled.event
    poll = get(f"{event.path}/status", event.host)
    async with connected(port) as line:
        ready = await raw_response(line, poll)
        await raw_response(line, poll)
        cursor = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
        await line.send(get(f"{event.path}/changes/since/{cursor}?wait=20", event.host) + poll)
        await asyncio.sleep(0.05)
        await line.send(poll)
        await api.post(f"{event.path}/lock", token=event.host)
        _, _, first = await line.answer()
        assert b'"entity":"session"' in first
        for _ in range(2):
            status, _, body = await line.answer()
            assert (status, b'"locked":true' in body) == (200, True)
    assert b'"locked":false' in ready


@pytest.mark.parametrize(
    "line",
    ["prefer: wait=1", "cookie: a=b", "expect: 100-continue", "accept: text/event-stream", "range: bytes=0-1", "origin: https://a",
             "transfer-encoding: chunked", "content-length: 0", "upgrade: websocket", "te: gzip", "connection: close",
     "authorization: again"],
)  # fmt: skip
async def test_requests_that_are_no_plain_poll_take_the_slow_path(app: App, api: Api, port: int, line: str) -> None:
    polled = await PolledSession.make(api)
    target = f"{polled.event.path}/status"
    request = get(target, polled.event.host)
    async with connected(port) as one:
        for _ in range(3):
            await raw_response(one, request)
    before = cached_responses(app)
    async with connected(port) as one:
        body = b"0\r\n\r\n" if line.startswith("transfer") else b""
        await one.send(get(target, polled.event.host, line) + body)
        assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert cached_responses(app) == before


async def test_other_methods_versions_and_targets_take_the_slow_path(app: App, api: Api, port: int) -> None:
    polled = await PolledSession.make(api)
    path, host = f"{polled.event.path}/status", polled.event.host
    async with connected(port) as line:
        for _ in range(3):
            full = await raw_response(line, get(path, host))
        before = cached_requests(app)
        status, headers, _ = await exchange(line, get(path, host, method="HEAD"), head=True)
        assert (status, headers["content-length"]) == (200, re.search(rb"content-length: (\d+)", full)[1].decode())
        for other in ("/status?", "/status?x=1", "//status", "/%73tatus"):
            await exchange(line, get(f"{polled.event.path}{other}", host))
        for method in ("POST", "DELETE", "OPTIONS", "TRACE", "PURGE"):
            assert (await exchange(line, get(path, host, method=method)))[0] in {400, 405}
            if line.reader.at_eof():
                break
    async with connected(port) as line:
        await line.send(get(path, host).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await line.rest()).startswith(b"HTTP/1.1 200 OK")
    assert cached_requests(app) == before


async def test_the_next_poll_after_a_change_contains_it(api: Api, port: int) -> None:
    polled = await PolledSession.make(api)
    event = polled.event
    async with connected(port) as line:
        request = get(f"{event.path}/status", event.host)
        for number in range(6):
            for _ in range(3):
                await raw_response(line, request)
            await api.post(f"{event.path}/lock", {"locked": number % 2 == 0}, token=event.host)
            assert (b'"locked":true' in await raw_response(line, request)) == (number % 2 == 0)


async def test_participants_counts_follow_within_five_seconds(api: Api, port: int, clock: HandClock) -> None:
    polled = await PolledSession.make(api)
    request = get(f"{polled.event.path}/status", polled.anna.token)
    async with connected(port) as line:
        for _ in range(3):
            assert b'"participant_count":1' in await raw_response(line, request)
        await polled.event.join("Bert")
        assert b'"participant_count":1' in await raw_response(line, request)
        clock.advance(5.1)
        assert b'"participant_count":2' in await raw_response(line, request)


@pytest.mark.parametrize("how", ["kick", "leave", "rotate", "delete", "expire"])
@pytest.mark.catalogue("A-10")
async def test_an_invalidated_token_is_refused_at_once(api: Api, port: int, clock: HandClock, how: str) -> None:
    polled = await PolledSession.make(api)
    event, anna = polled.event, polled.anna
    token = event.screen if how in {"rotate", "expire"} else anna.token
    async with connected(port) as line:
        for _ in range(4):
            assert (await exchange(line, get(f"{event.path}/status", token)))[0] == 200
        if how == "kick":
            await api.delete(f"/participants/{anna.id}", token=event.host)
        elif how == "leave":
            await api.delete("/participants/me", token=anna.token)
        elif how == "rotate":
            await api.delete(f"{event.path}/tokens", token=event.host)
        elif how == "delete":
            await api.delete(event.path, token=event.host)
        else:
            clock.advance(31 * 86_400)
        assert (await exchange(line, get(f"{event.path}/status", token)))[0] == 401


async def test_fast_path_renews_a_token_past_half_of_its_lifetime(api: Api, port: int, clock: HandClock) -> None:
    polled = await PolledSession.make(api)
    async with connected(port) as line:
        request = get(f"{polled.event.path}/status", polled.anna.token)
        for _ in range(4):
            assert "renewed-token" not in (await exchange(line, request))[1]
        clock.advance(8 * 86_400)
        assert "renewed-token" in (await exchange(line, request))[1]


async def test_fast_path_keeps_rate_limits(settings: Settings, clock: HandClock) -> None:
    async with AsyncExitStack() as stack:
        limited = settings.model_copy(update={"rate_limits": True})
        app = await stack.enter_async_context(App(limited, clock=clock).running())
        port = await stack.enter_async_context(listening(app))
        api = Api(app)
        stack.push_async_callback(api.http.aclose)
        polled = await PolledSession.make(api)
        clock.advance(60)
        line = await stack.enter_async_context(connected(port))
        request = get(f"{polled.event.path}/status", polled.anna.token)
        statuses = [(await exchange(line, request))[0] for _ in range(620)]
        assert set(statuses[:600]) == {200}
        assert statuses[-1] == 429
        assert statuses.count(200) < 612
        other = [(await exchange(line, get(f"{polled.event.path}/status", polled.event.host)))[0] for _ in range(3)]
        assert other == [200] * 3
        clock.advance(1)
        assert (await exchange(line, request))[0] == 200
        assert cached_responses(app) > 550


async def test_polls_on_the_fast_path_are_counted_and_show_presence(api: Api, port: int, clock: HandClock) -> None:
    polled = await PolledSession.make(api)
    async with connected(port) as line:
        for _ in range(5):
            await raw_response(line, get(f"{polled.event.path}/status", polled.anna.token))
            clock.advance(20)
    (person,) = (await api.get(f"{polled.event.path}/participants", token=polled.event.host)).json()["items"]
    assert person["presence"] == "online"
    page = (await api.get("/metrics", token=api.admin)).text
    requests = re.search(
        r'conflicto_requests_total{method="GET",route="/api/v1/sessions/{session_id}/status",status="200"} (\d+)', page
    )
    assert requests is not None
    assert int(requests[1]) == 5


async def test_polls_go_to_asgi_without_the_fast_path(app: App, api: Api, slow_port: int) -> None:
    polled = await PolledSession.make(api)
    async with connected(slow_port) as line:
        for _ in range(3):
            assert (await exchange(line, get(f"{polled.event.path}/status", polled.event.host)))[0] == 200
    assert cached_requests(app) == 0


async def test_memory_of_the_fast_path_is_bounded(app: App, api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, maximum in (
        ("response_cache.auth_cache.MAX_CACHED_AUTHS", 3),
        ("http.server.fast_path.MAX_RECENT_REQUESTS", 4),
        ("response_cache.response_cache.MAX_ENTRIES", 2),
    ):
        monkeypatch.setattr(f"conflicto.platform.{name}", maximum)
    event = await make_event(api)
    seats = [await event.join(f"Guest {number}") for number in range(8)]
    async with connected(port) as line:
        for _ in range(3):
            for seat in seats:
                for path in ("/status", "/status?wait=0", "/changes/since/0?limit=1", "/changes/since/0?limit=2"):
                    assert (await exchange(line, get(event.path + path, seat.token)))[0] == 200
        await exchange(line, get(f"{event.path}/status", seats[0].token, "x-long: " + "x" * 3000))
    assert len(app.edge.auths) <= 3
    assert cached_requests(app) <= 8
    assert all(len(view) <= 2 for view in app.domain.sessions.cached(event.id).responses.views.values())


async def test_cached_bytes_still_get_the_same_response_after_the_session_left_memory(app: App, api: Api, port: int) -> None:
    polled = await PolledSession.make(api)
    request = get(f"{polled.event.path}/status", polled.anna.token)
    async with connected(port) as line:
        received = [without_date(await raw_response(line, request)) for _ in range(4)]
        app.domain.sessions._drop(polled.event.id)
        received += [without_date(await raw_response(line, request)) for _ in range(4)]
    assert len(set(received)) == 1


async def eof(line: Line) -> bool:
    return line.reader.at_eof()


BROKEN = [
    (b"nonsense\r\n\r\n", 400, "not-http"),
    (b"GET /health/live HTTP/9.9\r\n\r\n", 400, "not-http"),
    (b"GET /health/live HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400, "not-http"),
    (b"GET /health/live HTTP/1.1\r\nbad header: x\r\n\r\n", 400, "not-http"),
    (b"GET /health/live HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400, "not-http"),
    (b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", 400, None),
    (b"GET /health/live HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 101 + b"\r\n", 431, "head-too-large"),
    (b"GET /health/live HTTP/1.1\r\nx: " + b"y" * 40_000, 431, "head-too-large"),
    (b"GET /" + b"y" * 40_000, 431, "head-too-large"),
]


@pytest.mark.parametrize(("sent", "status", "code"), BROKEN)
async def test_bytes_that_are_not_http_are_refused_and_the_connection_closes(
    port: int, sent: bytes, status: int, code: str | None
) -> None:
    async with connected(port) as line:
        await line.send(sent)
        received, headers, body = await line.answer()
        assert received in ({status} if code else {400, 404, 405})
        if code:
            assert headers["content-type"] == "application/problem+json"
            assert f'"code":"{code}"'.encode() in body
            assert headers["connection"] == "close"
            assert await line.rest() == b""


@pytest.mark.catalogue("O-02")
async def test_connections_of_silent_and_slow_clients_are_closed(app: App, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_HEAD_S", "MAX_BODY_S", "MAX_IDLE_S"):
        monkeypatch.setattr(f"conflicto.platform.http.server.deadlines.{name}", 0.2)
    half = get(
        "/sessions", app.platform.identity.admin_token, "content-length: 100", "content-type: application/json", method="POST"
    )
    async with connected(port) as silent, connected(port) as head, connected(port) as body, connected(port) as idle:
        await head.send(b"GET / HT")
        await body.send(half + b"{")
        await exchange(idle, b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
        for line in (silent, head, body, idle):
            assert await line.rest() == b""


@pytest.mark.catalogue("O-02")
async def test_slowly_sent_bytes_do_not_extend_the_deadline(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.http.server.deadlines.MAX_HEAD_S", 0.4)
    async with connected(port) as line:

        async def dripped() -> bool:
            line.writer.write(b"x")
            return line.reader.at_eof() or line.writer.is_closing()

        line.writer.write(b"GET / HTTP/1.1\r\nx: ")
        await eventually(dripped)


async def test_the_number_of_connections_is_bounded(settings: Settings, clock: HandClock) -> None:
    capped: Any = settings.model_copy(update={"max_connections": 2})
    async with App(capped, clock=clock).running() as app, listening(app) as port:
        async with connected(port) as one, connected(port) as two:
            for line in (one, two):
                assert (await exchange(line, b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"))[0] == 200
            async with connected(port) as three:
                status, headers, body = await three.answer()
                assert (status, headers["retry-after"], b"too-many-connections" in body) == (503, "2", True)

        async def is_admitted() -> bool:
            async with connected(port) as line:
                return (await exchange(line, b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"))[0] == 200

        await eventually(is_admitted)
