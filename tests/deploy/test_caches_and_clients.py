"""Varnish as a cache in front of the real server, and `ab` as a client of HTTP/1.0."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.deploy.programs import program
from tests.deploy.proxies import running
from tests.support.ports import free_port
from tests.support.processes import ADMIN, PLAIN, Served, served
from tests.support.wire import streamed


@dataclass
class Cached:
    """A session on a server behind a cache; `port` is the cache's."""

    server: Served
    port: int
    session: dict[str, Any]

    def get(self, path: str, token: str = "", **headers: str) -> httpx2.Response:
        sent_headers = headers | ({"authorization": f"Bearer {token}"} if token else {})
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", headers=sent_headers, timeout=10, **PLAIN)


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cached]:
    """Varnish with its default rules.

    It leaves compression to the server, as most caches do.
    """
    varnish, folder, port = program("varnishd"), tmp_path_factory.mktemp("varnish"), free_port()
    with served(folder / "data") as server:
        listen = ["-a", f"127.0.0.1:{port}", "-b", server.url.removeprefix("http://"), "-j", "none", "-n", str(folder / "work")]
        store = ["-s", "malloc,16m", "-p", "http_gzip_support=off"]
        with running([varnish, "-F", *listen, *store], folder, port):
            session = server.call("POST", "/sessions", {"title": "Town hall"})
            server.call("PATCH", f"/sessions/{session['id']}", {"status": "active"}, token=session["host_token"])
            yield Cached(server, port, session)


def test_files_are_cached_in_both_encodings_and_pages_are_revalidated(cached: Cached) -> None:
    page = cached.get("/")
    (script,) = set(re.findall(r'src="(/s/[^"]+\.js)"', page.text))
    forms = {each: cached.get(script, **{"accept-encoding": each}).headers.get("content-encoding") for each in ("gzip", "identity")}
    again = {each: cached.get(script, **{"accept-encoding": each}) for each in forms}

    assert forms == {"gzip": "gzip", "identity": None}
    assert {each: found.headers.get("content-encoding") for each, found in again.items()} == forms
    assert all(is_hit(found) for found in again.values())
    assert not is_hit(cached.get("/"))


def test_nobody_receives_the_cached_response_of_another(cached: Cached) -> None:
    path = f"/api/v1/sessions/{cached.session['id']}"
    for polled in (path, f"{path}/status", f"{path}/changes/since/0"):
        hosts_answer = cached.get(polled, cached.session["host_token"])
        assert hosts_answer.status_code == 200
        assert (
            cached.get(polled, cached.session["host_token"], **{"if-none-match": hosts_answer.headers["etag"]}).status_code == 304
        )
        assert [cached.get(polled, token).status_code for token in ("", "nobody's")] == [401, 401]
        assert not is_hit(cached.get(polled, cached.session["host_token"]))


async def test_a_stream_begins_at_once(cached: Cached) -> None:
    async with streamed(cached.port, f"/sessions/{cached.session['id']}/events", cached.session["host_token"]) as reader:
        while reader.received.last is None:
            assert await reader.part()


def is_hit(answer: httpx2.Response) -> bool:
    """Return whether Varnish had the response cached: its header then names two requests."""
    return len(answer.headers["x-varnish"].split()) > 1


def test_ab_is_answered_whole(tmp_path: Path) -> None:
    ab = program("ab")
    with served(tmp_path) as server:
        session = server.call("POST", "/sessions", {"title": "Town hall"})
        path = f"{server.url}/api/v1/sessions/{session['id']}"
        for address, at_once in (
            (f"{server.url}/", 3),
            (f"{path}/status", 3),
            (f"{path}/changes/since/0", 3),
            (f"{path}/export?format=csv", 1),
        ):
            for more in ([], ["-k"], ["-i"]):
                command = [ab, "-q", "-n", "6", "-c", str(at_once), "-H", f"Authorization: Bearer {ADMIN}", *more, address]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
                figures = dict(re.findall(r"^(\w[\w -]+):\s+(\d+)", done.stdout, re.MULTILINE))
                assert (figures["Complete requests"], figures["Failed requests"]) == ("6", "0"), done.stdout + done.stderr
                assert "Non-2xx responses" not in figures, (address, done.stdout)
