"""Edge cases of HTTP requests over a socket (reliability J-06, J-12, S-02, W-08).

A request has one meaning or none, and nothing of it leaks into the next.
"""

import gzip
from collections.abc import AsyncIterator

import pytest

from conflicto.app import App
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.wire import Line, connected, get, listening

pytestmark = pytest.mark.in_process


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


@pytest.fixture
async def wall(api: Api) -> tuple[Event, Seat, str]:
    event = await make_event(api)
    poll = await event.activity(status="active", response_policy="many")
    return event, await event.join(), f"{event.path}/activities/{poll['id']}/responses"


async def stored(event: Event, path: str) -> list[object]:
    return [item["response_data"] for item in accepted(await event.api.get(path, event.host))["items"]]


def post(path: str, token: str, body: bytes, *lines: str) -> bytes:
    return get(path, token, "content-type: application/json", *lines, method="POST") + body


async def all_answers(port: int, sent: bytes) -> list[int]:
    """Send bytes, close the sending side, and return the statuses of all responses."""
    async with connected(port) as line:
        await line.send(sent)
        line.writer.write_eof()
        raw = await line.rest()
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


BODY = b'{"response_data":1}'
CHUNKED = "transfer-encoding: chunked"


@pytest.mark.catalogue("J-12")
@pytest.mark.parametrize("size", [1, 2, 7])
async def test_a_body_in_chunks_is_one_body(port: int, wall: tuple[Event, Seat, str], size: int) -> None:
    event, seat, path = wall
    parts = [BODY[at : at + size] for at in range(0, len(BODY), size)]
    chunks = b"".join(b"%x;name=value\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\ntrailer: x\r\n\r\n"
    async with connected(port) as line:
        await line.send(post(path, seat.token, chunks, CHUNKED))
        assert (await line.answer())[0] == 201
    assert await stored(event, path) == [1]


SMUGGLED = b"GET /api/v1/sessions HTTP/1.1\r\nhost: test\r\n\r\n"
AMBIGUOUS = [
    (CHUNKED, "content-length: 4"), ("content-length: 19", "content-length: 4"), ("content-length: 19, 4",), ("content-length: +19",),
    ("content-length: 0x13",), ("content-length: 1_9",), (CHUNKED, "transfer-encoding: identity"),
    ("transfer-encoding: chunked, identity",),
    ("transfer-encoding: xchunked",), ("transfer-encoding : chunked",), ("content-length : 19",), ("content-length: 18446744073709551616",),
]  # fmt: skip


@pytest.mark.catalogue("J-12")
@pytest.mark.parametrize("lines", AMBIGUOUS, ids=str)
async def test_an_ambiguous_length_closes_the_connection(port: int, wall: tuple[Event, Seat, str], lines: tuple[str, ...]) -> None:
    event, seat, path = wall
    async with connected(port) as line:
        await line.send(post(path, seat.token, BODY + SMUGGLED, *lines))
        status, headers, _ = await line.answer()
        assert status in {400, 413, 415}, lines
        assert headers.get("connection") == "close" or await line.rest() == b""
    assert await stored(event, path) == []


@pytest.mark.catalogue("J-12")
async def test_a_length_off_by_one_affects_that_request_only(port: int, wall: tuple[Event, Seat, str]) -> None:
    event, seat, path = wall
    for length in (len(BODY) - 1, len(BODY) + 1):
        async with connected(port) as line:
            await line.send(post(path, seat.token, BODY, f"content-length: {length}") + get("/sessions/by-code/BCDF-GHJK", None))
            assert (await line.answer())[0] == 400
            assert (await line.answer())[0] == 400  # leftover bytes or a missing first letter are no request
            assert await line.rest() == b""
    assert await stored(event, path) == []


@pytest.mark.catalogue("J-12")
async def test_a_complete_request_is_answered_before_bytes_after_it_are_refused(port: int, wall: tuple[Event, Seat, str]) -> None:
    event, seat, path = wall
    async with connected(port) as line:
        await line.send(post(path, seat.token, BODY, f"content-length: {len(BODY)}") + b"\x00 no HTTP\r\n\r\n")
        assert [(await line.answer())[0] for _ in range(2)] == [201, 400]
        assert await line.rest() == b""
    assert await stored(event, path) == [1]


@pytest.mark.catalogue("J-12")
async def test_a_flood_of_chunk_extensions_is_no_request(
    port: int, wall: tuple[Event, Seat, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.platform.http.server.deadlines.MAX_BODY_S", 0.2)
    event, seat, path = wall
    async with connected(port) as line:
        await line.send(post(path, seat.token, b"1;" + b"x" * 200_000 + b"\r\n", CHUNKED))
        assert await status_or_end(line) in {400, 413, 431, 0}
    assert await stored(event, path) == []


async def status_or_end(line: Line) -> int:
    raw = await line.rest()
    return int(raw[9:12]) if raw else 0


@pytest.mark.catalogue("J-11")
@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip", "deflate", "zstd"])
async def test_a_compressed_body_is_refused(port: int, wall: tuple[Event, Seat, str], coding: str) -> None:
    event, seat, path = wall
    bomb = gzip.compress(b" " * 10_000_000)
    async with connected(port) as line:
        await line.send(post(path, seat.token, bomb, f"content-encoding: {coding}", f"content-length: {len(bomb)}"))
        assert (await line.answer())[0] in {413, 415}
    assert await stored(event, path) == []


LARGE = [
    (f"/sessions/{'1' * 8_000}", [], {400, 404}), (f"/sessions/{'1' * 64_000}", [], {431}), ("/sessions", ["x: y"] * 200, {431}),
    ("/sessions", ["x: " + "y" * 64_000], {431}), ("/sessions?" + "&".join(["limit=1"] * 5_000), [], {422, 431}),
    ("/sessions?" + "&".join(f"a{number}=" for number in range(101)), [], {422}), ("/sessions?limit=2&limit=1&limit=x", [], {200}),
]  # fmt: skip


@pytest.mark.catalogue("S-02")
@pytest.mark.parametrize(("target", "lines", "statuses"), LARGE, ids=range(len(LARGE)))
async def test_oversized_requests_get_their_status(api: Api, port: int, target: str, lines: list[str], statuses: set[int]) -> None:
    async with connected(port) as line:
        await line.send(get(target, api.admin, *lines))
        assert (await line.answer())[0] in statuses


@pytest.mark.catalogue("S-02")
async def test_the_first_of_repeated_query_fields_counts(api: Api) -> None:
    for _ in range(3):
        await make_event(api)
    assert len(accepted(await api.get("/sessions?limit=2&limit=1", api.admin))["items"]) == 2


@pytest.mark.catalogue("J-06")
async def test_nul_in_a_head_is_not_http(api: Api, port: int) -> None:
    for sent in (
        b"GET /\0 HTTP/1.1\r\nhost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: t\0t\r\n\r\n",
        b"GET / HTTP/1.1\r\nx\0: t\r\n\r\n",
    ):
        assert set(await all_answers(port, sent)) <= {400}


@pytest.mark.catalogue("W-08")
async def test_trace_and_ranges_are_not_served(api: Api, port: int) -> None:
    event = await make_event(api)
    ranges = "range: bytes=" + ",".join(f"{at}-" for at in range(1_000))
    async with connected(port) as line:
        for target in ("/sessions", event.path, f"{event.path}/status"):
            await line.send(get(target, event.host, "x-secret: echo", method="TRACE"))
            status, _, body = await line.answer()
            assert (status, b"echo" in body) == (405, False)
        await line.send(get(f"{event.path}/status", event.host, ranges))
        assert (await line.answer())[0] == 200
        await line.send(b"GET /host HTTP/1.1\r\nhost: t\r\n" + ranges.encode() + b"\r\n\r\n")
        status, headers, _ = await line.answer()
        assert (status, "content-range" in headers) == (200, False)


POLLED = "GET {path} HTTP/{version}\r\nauthorization: Bearer {token}\r\n{hosts}\r\n"
HOSTS = [
    ("1.1", "host: t\r\n", True), ("1.1", "Host:t:8000\r\n", True), ("1.1", "host: [::1]:80\r\n", True), ("1.1", "host:\r\n", True),
    ("1.0", "", True), ("1.0", "host: t\r\n", True),
    ("1.1", "", False), ("1.1", "host: t\r\nhost: t\r\n", False), ("1.1", "host: t\r\nx: y\r\nHOST: u\r\n", False),
    ("1.0", "host: t\r\nhost: u\r\n", False), ("1.1", "host: t/admin\r\n", False), ("1.1", "host: a b\r\n", False),
    ("1.1", "host: u@t\r\n", False), ("1.1", "host: \xff\r\n", False),
]  # fmt: skip


@pytest.mark.catalogue("J-12")
@pytest.mark.parametrize("has_fast_path", [True, False], ids=["fast", "slow"])
async def test_a_request_names_one_host(app: App, port: int, wall: tuple[Event, Seat, str], has_fast_path: bool) -> None:
    """Refuse ambiguous hosts on every path through the server (RFC 9112 §3.2).

    Proxies and the server must mean the same site.
    """
    event, seat, _ = wall
    if not has_fast_path:
        app.edge.connections.fast_path = app.edge.connections.direct = None
    poll = get(f"{event.path}/status", seat.token)
    async with connected(port) as line:
        for _ in range(3):  # a repeated request is cached, with its bytes
            await line.send(poll)
            assert (await line.answer())[0] == 200
    for version, hosts, fits in HOSTS:
        for path in (f"/api/v1{event.path}/status", "/host"):
            sent = POLLED.format(path=path, version=version, token=seat.token, hosts=hosts).encode("latin-1")
            async with connected(port) as line:
                await line.send(sent)
                status, headers, body = await line.answer()
            assert status == (200 if fits else 400), (version, hosts)
            if not fits:
                assert headers["content-type"] == "application/problem+json"
                assert b'"code":"host-invalid"' in body


@pytest.mark.catalogue("J-12")
@pytest.mark.parametrize(
    "second", [b"GET /host HTTP/1.1\r\n\r\n", b"GET /host HTTP/1.1\r\nhost: t\r\nx: " + b"y" * 40_000 + b"\r\n\r\n"]
)
async def test_a_response_is_sent_before_the_next_request_head_is_refused(
    port: int, wall: tuple[Event, Seat, str], second: bytes
) -> None:
    """A refused head changes nothing for the request before it on the same connection."""
    event, seat, path = wall
    async with connected(port) as line:
        await line.send(post(path, seat.token, BODY, f"content-length: {len(BODY)}") + second + SMUGGLED)
        assert (await line.answer())[0] == 201
        assert (await line.answer())[0] in {400, 431}
        assert await line.rest() == b""
    assert await stored(event, path) == [1]
