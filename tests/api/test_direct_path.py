"""The direct path over raw sockets: plain requests skip ASGI, and their responses are the same."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from conflicto.app import App
from conflicto.platform.http.server import direct_path
from conflicto.platform.http.server.eviction import ConnectionEviction
from conflicto.platform.limits.addresses import network_of
from conflicto.sessions.model import normalize_code
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, eventually
from tests.support.clocks import HandClock, StoppedClock
from tests.support.wire import Line, connected, get, listening

pytestmark = pytest.mark.in_process
"""Run in this process: each test starts its own servers."""

BODY = b'{"response_data":{"choice":"Curry"}}'
TO_ASGI = "connection: Keep-Alive"
"""A header that changes nothing but the path: only the lower-case spelling is plain."""


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


class Hall:
    """A session with an open activity, a seat in it, and the requests that it sends."""

    def __init__(self, event: Event, activity: dict[str, Any], anna: Seat) -> None:
        self.event, self.activity, self.anna = event, activity, anna
        self.path = f"{event.path}/activities/{activity['id']}/responses"

    @classmethod
    async def make(cls, api: Api, **fields: Any) -> "Hall":
        event = await make_event(api)
        activity = await event.activity(status="active", **{"response_policy": "many"} | fields)
        return cls(event, activity, await event.join())

    def submit(self, *lines: str, body: bytes = BODY) -> bytes:
        return with_body(self.path, self.anna.token, body, *lines)

    def join(self, nickname: str, *lines: str) -> bytes:
        body = json.dumps({"nickname": nickname, "code": self.event.code}).encode()
        return with_body(f"{self.event.path}/join", None, body, *lines)

    async def stored(self) -> int:
        return accepted(await self.event.api.get(f"{self.path}?limit=1", self.event.host))["total"]


def with_body(path: str, token: str | None, body: bytes, *lines: str, method: str = "POST") -> bytes:
    length = () if any(each.startswith("transfer-encoding") for each in lines) else (f"content-length: {len(body)}",)
    return get(path, token, "content-type: application/json", *length, *lines, method=method) + body


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that took the direct path, by method and target."""
    found: list[str] = []
    answer = direct_path.DirectConnection._answer

    async def noted(connection: direct_path.DirectConnection, request: direct_path.DirectRequest) -> None:
        found.append(f"{request.method} {request.path}")
        await answer(connection, request)

    monkeypatch.setattr(direct_path.DirectConnection, "_answer", noted)
    return found


@asynccontextmanager
async def another(settings: Settings, clock: HandClock, **fields: Any) -> AsyncIterator[tuple[App, Api, int]]:
    """An app with other settings, its API and its port."""
    async with App(settings.model_copy(update=fields), clock=clock).running() as app, listening(app) as port:
        api = Api(app)
        yield app, api, port
        await api.http.aclose()


@contextmanager
def held_writer(app: App) -> Iterator[None]:
    """Hold the writer within a command, so that no command after it commits."""
    release = threading.Event()
    holding = asyncio.ensure_future(app.domain.writer.run((), lambda _: release.wait()))
    try:
        yield
    finally:
        release.set()
        holding.add_done_callback(lambda done: done.exception())


async def queued(app: App, commands: int) -> None:
    await eventually(lambda: asyncio.sleep(0, app.domain.writer.queued == commands))


async def raw_answer(line: Line, request: bytes) -> bytes:
    """Return the bytes of a response without what no two responses share."""
    await line.send(request)
    head = await line.reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    body = await line.reader.readexactly(int(length[1])) if length else b""
    return re.sub(rb'(?<=date: )[^\r]+|(?<=x-request-id: )[^\r]+|(?<="request_id":")[^"]+|(?<=/requests/)[^"]+', b"", head + body)


async def test_submits_joins_and_polls_are_handed_over(api: Api, port: int, handed_over: list[str]) -> None:
    hall = await Hall.make(api)
    async with connected(port) as line:
        for request, status in (
            (hall.submit(), 201),
            (hall.join("Bert"), 201),
            (get(f"{hall.event.path}/status", hall.anna.token), 200),
        ):
            await line.send(request)
            assert (await line.answer())[0] == status
    assert [each.rpartition("/")[2] for each in handed_over] == ["responses", "join", "status"]
    assert await hall.stored() == 1


NOT_PLAIN = [
    ("transfer-encoding: chunked",), ("connection: close",), ("connection: Keep-Alive",), ("upgrade: websocket",),
    ("accept: text/Event-Stream",),
]  # fmt: skip


@pytest.mark.parametrize("lines", NOT_PLAIN, ids=str)
async def test_a_request_that_is_not_plain_takes_the_path_through_asgi(
    api: Api, port: int, handed_over: list[str], lines: tuple[str, ...]
) -> None:
    hall = await Hall.make(api)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) if "chunked" in lines[0] else BODY
    async with connected(port) as line:
        await line.send(hall.submit(*lines, body=body))
        assert (await line.answer())[0] == 201
    assert (handed_over, await hall.stored()) == ([], 1)


async def test_other_targets_versions_and_sizes_take_the_path_through_asgi(api: Api, port: int, handed_over: list[str]) -> None:
    hall = await Hall.make(api)
    large = b'{"response_data":"' + b"x" * direct_path.MAX_BODY_BYTES + b'"}'
    sent = [
        (hall.submit().replace(b"HTTP/1.1", b"HTTP/1.0"), 201), (hall.submit(body=large), 413),
        (hall.submit().replace(b"/responses ", b"/response%73 "), 201), (hall.submit().replace(b"POST ", b"HEAD "), 403),
        (with_body("/nowhere", None, BODY), 404), (with_body("/join", None, BODY, method="PATCH"), 405),
    ]  # fmt: skip
    for request, status in sent:
        async with connected(port) as line:
            await line.send(request)
            assert (await line.answer(head=True))[0] == status, request
    async with connected(port) as line:
        await line.send(hall.submit("expect: 100-continue"))
        assert [(await line.answer())[0] for _ in range(2)] == [100, 201]
    assert handed_over == []


async def test_a_request_in_several_reads_goes_to_asgi_with_all_of_its_body(api: Api, port: int, handed_over: list[str]) -> None:
    hall = await Hall.make(api)
    request = hall.submit()
    async with connected(port) as line:
        for size in (1, 7, len(BODY) - 1, len(BODY)):
            await line.send(request[:-size])
            await eventually(lambda: asyncio.sleep(0, any(not each.is_idle for each in api.app.edge.connections.connections)))
            await line.send(request[-size:])
            assert (await line.answer())[0] == 201
    assert (handed_over, await hall.stored()) == ([], 4)


async def test_requests_in_one_read_are_answered_in_order(api: Api, port: int, handed_over: list[str]) -> None:
    hall = await Hall.make(api)
    async with connected(port) as line:
        await line.send(b"".join(hall.submit(body=b'{"response_data":%d}' % number) for number in range(5)) + hall.join("Bert"))
        answers = [await line.answer() for _ in range(6)]
    assert [json.loads(body).get("response_data") for _, _, body in answers] == [0, 1, 2, 3, 4, None]
    assert len(handed_over) == 1  # the first one: all others arrived while a request was open


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
async def test_a_repeated_submit_is_the_same_bytes_on_both_paths(app: App, api: Api, port: int, fast: bool) -> None:
    hall = await Hall.make(api)
    app.edge.connections.direct = app.edge.connections.direct if fast else None
    key = "idempotency-key: 0d2f6c1e-8f7b-4c5e-9f43-b8fd0c5a7a11"
    async with connected(port) as line:
        first = await raw_answer(line, hall.submit(key))
        assert first.startswith(b"HTTP/1.1 201 Created\r\n")
        assert await raw_answer(line, hall.submit(key, TO_ASGI)) == first
        assert await raw_answer(line, hall.submit(key)) == first
    assert await hall.stored() == 1


REFUSED: list[tuple[bytes, tuple[str, ...]]] = [
    (b"{", ()), (b'{"a":1,"a":2}', ()), (b'{"other":1}', ()), (b"[]", ()), (b"", ()), (b'{"response_data":NaN}', ()),
    (BODY, ("content-type: text/plain",)), (BODY, ("content-encoding: gzip",)), (BODY, ('idempotency-key: ""',)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "lines"), REFUSED, ids=str)
async def test_a_refusal_is_the_same_bytes_on_both_paths(api: Api, port: int, body: bytes, lines: tuple[str, ...]) -> None:
    hall = await Hall.make(api)
    async with connected(port) as line:
        direct = await raw_answer(line, hall.submit(*lines, body=body))
        assert await raw_answer(line, hall.submit(*lines, TO_ASGI, body=body)) == direct
    assert direct.startswith(b"HTTP/1.1 4")
    assert await hall.stored() == 0


async def test_an_overloaded_writer_refuses_alike_on_both_paths(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hall = await Hall.make(api)
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_QUEUED_COMMANDS", 0)
    async with connected(port) as line:
        for request in (hall.submit, lambda *lines: hall.join("Bert", *lines)):
            direct = await raw_answer(line, request())
            assert direct.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: " in direct
            assert await raw_answer(line, request(TO_ASGI)) == direct


async def test_both_paths_spend_from_one_limit(settings: Settings) -> None:
    async with another(settings, StoppedClock(), rate_limits=True) as (_, api, port):
        hall = await Hall.make(api)
        async with connected(port) as line:
            found = [await raw_answer(line, hall.submit(*lines)) for lines in ((), (TO_ASGI,)) * 70]
    statuses = [each[9:12] for each in found]
    assert set(statuses[:120]) == {b"201"}
    assert statuses.count(b"201") == 120
    assert statuses[-1] == b"429"
    assert b"\r\nretry-after: 1\r\n" in found[-1]


async def test_no_response_comes_before_the_commit(app: App, api: Api, port: int) -> None:
    hall = await Hall.make(api)
    async with connected(port) as line:
        with held_writer(app):
            await line.send(hall.submit())
            await queued(app, 2)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(line.reader.readexactly(1), 0.05)
        assert (await line.answer())[0] == 201
    assert await hall.stored() == 1


async def test_an_answer_is_stored_although_its_connection_ends_before_the_commit(app: App, api: Api, port: int) -> None:
    hall = await Hall.make(api)
    with capture_logs() as log_lines:
        async with connected(port) as line:
            with held_writer(app):
                await line.send(hall.submit())
                await queued(app, 2)
                line.writer.transport.abort()
                await eventually(lambda: asyncio.sleep(0, not app.edge.connections.connections))
            await queued(app, 0)
    assert await hall.stored() == 1
    assert log_lines == []


async def test_a_server_that_stops_answers_what_it_accepted_and_closes(app: App, api: Api) -> None:
    hall = await Hall.make(api)
    async with listening(app) as port, connected(port) as line:
        with held_writer(app):
            await line.send(hall.submit())
            await queued(app, 2)
            (connection,) = app.edge.connections.connections
            connection.shutdown()
        status, headers, _ = await line.answer()
        assert (status, headers["connection"], await line.rest()) == (201, "close", b"")
    assert await hall.stored() == 1


async def test_a_waiting_poll_ends_with_its_client(app: App, api: Api, port: int, handed_over: list[str]) -> None:
    hall = await Hall.make(api)
    state = app.domain.sessions.cached(hall.event.id)
    cursor = accepted(await api.get(f"{hall.event.path}/changes/since/now", hall.event.host))["cursor"]
    async with connected(port) as line:
        await line.send(get(f"{hall.event.path}/changes/since/{cursor}?wait=20", hall.event.host))
        await eventually(lambda: asyncio.sleep(0, waiting(app) == 1))
        line.writer.transport.abort()
        await eventually(lambda: asyncio.sleep(0, waiting(app) == 0))
    assert len(handed_over) == 1
    assert state is not None


def waiting(app: App) -> int:
    """Return the number of polls that wait."""
    return app.edge.long_poll.waiting


async def test_addresses_before_trusted_proxies_count_as_on_the_path_through_asgi(app: App, api: Api, port: int) -> None:
    hall = await Hall.make(api)
    code = normalize_code(hall.event.code) or ""
    async with connected(port) as line:
        for number, lines in enumerate(((), (TO_ASGI,))):
            address = f"203.0.{number + 112}.9"
            await line.send(hall.join(f"Guest {number}", f"x-forwarded-for: 198.51.100.7, {address}, 127.0.0.1", *lines))
            assert (await line.answer())[0] == 201
            assert app.domain.code_guard.used.contains(network_of(address), code)
        await line.send(hall.join("Guest 2", "x-forwarded-for: "))
        assert (await line.answer())[0] == 201
    assert not app.domain.code_guard.used.contains(network_of("198.51.100.7"), code)


def test_a_server_without_configured_proxies_trusts_no_address() -> None:
    proxies = ConnectionEviction(max_connections=1).proxies
    assert "127.0.0.1" not in proxies
    assert proxies.get_trusted_client_address("203.0.113.9") == ("203.0.113.9", 0)


async def test_a_plain_request_has_its_whole_body(app: App, api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    answer = direct_path.DirectConnection._answer

    async def noted(connection: direct_path.DirectConnection, request: direct_path.DirectRequest) -> None:
        read.append(await request.read_body(1))
        await answer(connection, request)

    monkeypatch.setattr(direct_path.DirectConnection, "_answer", noted)
    hall = await Hall.make(api)
    async with connected(port) as line:
        await line.send(hall.submit())
        assert (await line.answer())[0] == 201
    assert read == [BODY]


async def test_pages_of_other_origins_get_their_headers(settings: Settings, clock: HandClock, handed_over: list[str]) -> None:
    async with another(settings, clock, cors_origins=["https://a.example"]) as (_, api, port):
        hall = await Hall.make(api)
        async with connected(port) as line:
            await line.send(hall.submit("origin: https://a.example"))
            assert (await line.answer())[1]["access-control-allow-origin"] == "https://a.example"
            assert handed_over == []
            await line.send(hall.submit())
            assert (await line.answer())[0] == 201
    assert len(handed_over) == 1


async def test_a_fault_of_the_server_closes_the_connection(api: Api, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise ValueError("a header holds a line break or NUL")

    hall = await Hall.make(api)
    monkeypatch.setattr(direct_path, "head_to_bytes", broken)
    with capture_logs() as log_lines:
        async with connected(port) as line:
            await line.send(hall.submit())
            status, _, body = await line.answer()
            assert (status, b'"code":"internal-error"' in body, await line.rest()) == (500, True, b"")
    assert [each["event"] for each in log_lines] == ["connection-failed"]
