"""Our configuration files for real proxies, with the server below `/live`."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.deploy.programs import program
from tests.deploy.proxies import BINARIES, PROXIES, running
from tests.support.ports import free_port
from tests.support.processes import PLAIN, Served, served
from tests.support.wire import connected, get


@dataclass
class Below:
    """A session on a server below `/live` of a proxy's address."""

    server: Served
    port: int
    session: dict[str, Any]

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(self.root + path, follow_redirects=True, timeout=10, **PLAIN)


@pytest.fixture(scope="module", params=PROXIES)
def below(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Below]:
    program(BINARIES.get(request.param, request.param))
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    with served(folder / "data", CONFLICTO_PUBLIC_URL=f"http://127.0.0.1:{port}/live") as server:
        command = PROXIES[request.param](folder, port, int(server.url.rpartition(":")[2]), below=True)
        with running(command, folder, port, "/live"):
            session = server.call("POST", "/sessions", {"title": "Town hall"})
            server.call("PATCH", f"/sessions/{session['id']}", {"status": "active"}, token=session["host_token"])
            yield Below(server, port, session)


def test_pages_files_and_the_api_lie_below_the_path(below: Below) -> None:
    for path in ("/live/", "/live"):
        page = below.get(path)
        assert page.status_code == 200
        assert 'src="/live/' in page.text
        assert page.url.path in {"/live/", "/live"}
    (script,) = {each.split('"')[0] for each in page.text.split('src="')[1:] if each.startswith("/live/")}
    assert below.get(script).headers["content-type"].startswith("text/javascript")
    code = below.session["join_code"]
    made = httpx2.post(f"{below.root}/live/api/v1/join", json={"nickname": "Anna", "code": code}, timeout=10, **PLAIN)
    assert made.status_code == 201


def test_nothing_of_ours_lies_beside_the_path_and_metrics_are_not_for_the_world(below: Below) -> None:
    for path in ("/", "/api/v1/types", "/lively/", "/metrics", "/live/metrics"):
        answer = httpx2.get(below.root + path, timeout=10, **PLAIN)
        assert "conflicto" not in answer.text.lower(), path
        assert "token" not in answer.text.lower(), path


async def test_a_stream_begins_below_the_path(below: Below) -> None:
    request = get(f"/sessions/{below.session['id']}/events", below.session["host_token"])
    async with asyncio.timeout(10), connected(below.port) as line:
        await line.send(request.replace(b"GET /", b"GET /live/", 1))
        assert b" 200 " in await line.reader.readuntil(b"\r\n")
        await line.reader.readuntil(b"event: bookmark")
