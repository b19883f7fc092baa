"""Our proxy files in real proxies: streams are not buffered, and addresses are true."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.deploy.programs import program
from tests.deploy.proxies import BINARIES, PROXIES, running
from tests.support.ports import free_port
from tests.support.processes import PLAIN, Served, served
from tests.support.wire import streamed

LETTERS = str.maketrans("0123456789", "BCDFGHJKMN")
"""Codes have no digits."""

GUESSES = 5
FEW_GUESSES = f"""
from dataclasses import replace
from conflicto.access import code_guard
code_guard.ADDRESS_POLICY = replace(code_guard.ADDRESS_POLICY, quota={GUESSES}, window_s=86_400)
code_guard.GUESS_POLICIES = (code_guard.ADDRESS_POLICY, code_guard.SERVER_POLICY)
from conflicto.cli import main
main()
"""
"""A server with a limit of `GUESSES` wrong codes per address."""


@dataclass
class Passed:
    """A server behind a proxy, with a session in it. `url` and `port` are the proxy's."""

    server: Served
    port: int
    session: dict[str, Any]
    activity: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def path(self) -> str:
        return f"/sessions/{self.session['id']}"

    @property
    def host(self) -> str:
        return self.session["host_token"]

    def get(self, path: str, token: str, **more: Any) -> httpx2.Response:
        return httpx2.get(self.url + path, headers={"authorization": f"Bearer {token}", **more}, timeout=40, **PLAIN)

    def from_address(self, address: str, path: str, **headers: str) -> httpx2.Response:
        """Send a request without a token, from another loopback address."""
        transport = httpx2.HTTPTransport(local_address=address, **PLAIN)
        with httpx2.Client(transport=transport, timeout=10) as http:
            return http.get(self.url + path, headers=headers)


@pytest.fixture(scope="module", params=PROXIES)
def passed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passed]:
    program(BINARIES.get(request.param, request.param))
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    settings = {"CONFLICTO_ACCESS_LOG": "on", "CONFLICTO_RATE_LIMITS": "on"}
    with served(folder / "data", program=("-c", FEW_GUESSES), **settings) as server:
        command = PROXIES[request.param](folder, port, int(server.url.rpartition(":")[2]))
        with running(command, folder, port):
            session = server.call("POST", "/sessions", {"title": "Town hall"})
            host, path = session["host_token"], f"/sessions/{session['id']}"
            server.call("PATCH", path, {"status": "active"}, token=host)
            made = server.call("POST", f"{path}/activities", {"type": "anything", "status": "active"}, token=host)
            yield Passed(server, port, session, made["id"])


def answer(passed: Passed, nickname: str) -> str:
    """Submit a response of a new participant directly to the server, and return its id."""
    seat = passed.server.call("POST", "/join", {"nickname": nickname, "code": passed.session["join_code"]})
    path = f"{passed.path}/activities/{passed.activity}/responses"
    return passed.server.call("POST", path, {"response_data": nickname}, token=seat["participant_token"])["id"]


@pytest.mark.catalogue("D-11")
async def test_events_arrive_one_by_one_and_at_once(passed: Passed) -> None:
    now = (await asyncio.to_thread(passed.get, f"{passed.path}/changes/since/now", passed.host)).json()["cursor"]
    async with streamed(passed.port, f"{passed.path}/events", passed.host, f"last-event-id: {now}") as reader:
        for number in range(3):
            sent = time.monotonic()
            response = await asyncio.to_thread(answer, passed, f"Anna{number}{time.monotonic_ns()}")
            while not any(response in event["data"] for event in reader.received.events):
                assert await reader.part()
            assert time.monotonic() - sent < 5, "a buffered event would arrive with the next one, or never"
    headers = {name.lower(): value for name, value in reader.headers.items()}
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-length" not in headers


async def test_a_long_poll_is_held_back_and_answered_by_the_change(passed: Passed) -> None:
    cursor = (await asyncio.to_thread(passed.get, f"{passed.path}/changes/since/now", passed.host)).json()["cursor"]
    began = time.monotonic()
    waiting = asyncio.create_task(asyncio.to_thread(passed.get, f"{passed.path}/changes/since/{cursor}?wait=25", passed.host))
    await asyncio.sleep(1)
    assert not waiting.done()
    await asyncio.to_thread(answer, passed, f"Bo{time.monotonic_ns()}")
    page = (await waiting).json()

    assert page["items"][0]["entity"] == "participant", "joins and responses appear in the stream at once"
    assert time.monotonic() - began < 15


def test_tags_bodies_and_problems_pass_unchanged(passed: Passed) -> None:
    through = passed.get(f"{passed.path}/status", passed.host)
    tag = through.headers["etag"]

    assert through.content == httpx2.get(
        f"{passed.server.url}/api/v1{passed.path}/status", headers={"authorization": f"Bearer {passed.host}"}, **PLAIN
    ).content  # fmt: skip
    assert passed.get(f"{passed.path}/status", passed.host, **{"if-none-match": tag}).status_code == 304
    refused = passed.get(f"{passed.path}/status", "nobody's")
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")


def test_compressed_polls_are_answered_304_and_edits_are_conditional(passed: Passed) -> None:
    packed = {"accept-encoding": "gzip"}
    path = f"{passed.path}/activities/{passed.activity}"
    for polled in (f"{passed.path}/status", path, f"{passed.path}/changes/since/0"):
        tag = passed.get(polled, passed.host, **packed).headers["etag"]
        again = [passed.get(polled, passed.host, **packed, **{"if-none-match": tag}) for _ in range(3)]
        assert [each.status_code for each in again] == [304] * 3, (polled, tag)
    path = passed.path
    headers = {"authorization": f"Bearer {passed.host}", **packed}
    tag = passed.get(path, passed.host, **packed).headers["etag"]
    statuses = [
        httpx2.patch(
            passed.url + path, json={"title": f"Town hall {n}"}, headers=headers | {"if-match": tag}, timeout=10, **PLAIN
        ).status_code
        for n in range(2)
    ]
    assert statuses == [200, 412]


def test_large_bodies_are_limited_by_us_or_by_the_proxy(passed: Passed) -> None:
    def status(size: int) -> int:
        headers = {"authorization": f"Bearer {passed.host}"}
        body = {"type": "anything", "config": {"lines": ["x" * 1000] * (size // 1000)}}
        return httpx2.post(f"{passed.url}{passed.path}/activities", json=body, headers=headers, timeout=10, **PLAIN).status_code

    assert status(60_000) == 201
    assert status(600_000) == 413


async def test_the_first_bytes_of_a_stream_are_there_within_a_second(passed: Passed) -> None:
    async with asyncio.timeout(10), streamed(passed.port, f"{passed.path}/events", passed.host) as reader:
        began = time.monotonic()
        while reader.received.last is None:
            assert await reader.part()
        assert time.monotonic() - began <= 1


def test_limits_depend_on_the_caller_and_not_on_the_content(passed: Passed) -> None:
    def guess(address: str, number: int) -> int:
        forged = {"x-forwarded-for": f"198.51.100.{number % 250}", "forwarded": f"for=203.0.113.{number % 250}"}
        return passed.from_address(address, f"/sessions/by-code/BCDF{number:04d}".translate(LETTERS), **forged).status_code

    for address in ("127.0.0.2", "127.0.0.3"):
        assert [guess(address, number) for number in range(3)] == [404] * 3

    logged = [json.loads(line) for line in passed.server.log.read_text().splitlines() if line.startswith("{")]
    guesses = {line["address"] for line in logged if line.get("route") == "/api/v1/sessions/by-code/{code}"}
    assert {"127.0.0.2", "127.0.0.3"} <= guesses
    assert not any(address.startswith(("198.", "203.")) for address in guesses)


def test_each_address_has_a_limit_of_its_own_whatever_it_writes(passed: Passed) -> None:
    greedy, blamed = "127.0.0.4", "127.0.0.5"
    guess = "/sessions/by-code/GGHHMMMM"
    forged = {"forwarded": f"for={blamed}", "x-real-ip": blamed}
    sent = [blamed, *(f"198.51.100.{number}" for number in range(GUESSES)), f"{blamed}, {greedy}", "unknown"]

    statuses = [passed.from_address(greedy, guess, **forged, **{"x-forwarded-for": each}).status_code for each in sent]

    assert statuses == [404] * GUESSES + [429] * (len(sent) - GUESSES)
    assert passed.from_address(blamed, guess).status_code == 404
    transport = httpx2.HTTPTransport(local_address="127.0.0.6", **PLAIN)
    with httpx2.Client(transport=transport, timeout=10) as http:
        past_the_proxy = http.get(f"{passed.server.url}/api/v1{guess}", headers={"x-forwarded-for": greedy})
    assert past_the_proxy.status_code == 404, "the server trusts only its proxies"


def test_metrics_are_not_for_the_world(passed: Passed) -> None:
    assert httpx2.get(f"http://127.0.0.1:{passed.port}/metrics", **PLAIN).status_code in {403, 404}


@pytest.mark.patient
async def test_a_stream_without_changes_outlives_every_idle_timeout_on_the_way(passed: Passed) -> None:
    now = (await asyncio.to_thread(passed.get, f"{passed.path}/changes/since/now", passed.host)).json()["cursor"]
    async with streamed(passed.port, f"{passed.path}/events", passed.host, f"last-event-id: {now}") as reader:
        until = time.monotonic() + 95
        while time.monotonic() < until:
            async with asyncio.timeout(30):
                assert await _part(reader), "the stream ended"
        assert reader.received.comments >= 5
        response = await asyncio.to_thread(answer, passed, f"Cleo{time.monotonic_ns()}")
        while not any(response in event["data"] for event in reader.received.events):
            assert await reader.part()


async def _part(reader: Any) -> bool:
    """Read one chunk, however long it takes: heartbeats are 15 s apart."""
    size = int((await reader.line.reader.readuntil(b"\r\n")).strip(), 16)
    data = await reader.line.reader.readexactly(size)
    await reader.line.reader.readexactly(2)
    reader.take(data)
    return size > 0
