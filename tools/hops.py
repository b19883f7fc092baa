"""Count our function calls and files behind one request over a socket (`make hops`).

A profile hook counts in all threads of a server in this process during one request. Each walk is
repeated and the least count is printed, because timers of the server add calls. `--walk NAME` lists
the calls of one walk as `file → function`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from time import sleep
from types import FrameType
from typing import Any

import uvicorn

import conflicto
from conflicto.app import App
from conflicto.cli.environment import migrate
from conflicto.platform.http.server.fast_path import Connection
from conflicto.settings import Settings

SOURCE = str(Path(conflicto.__file__).parent) + "/"
ADMIN = "the-operator-of-the-hops-table"
REPEATS = 5
IDLE_S = 3.0
SETTLED_S = 0.3
"""Seconds after a request for its later effects, such as a notice to other threads."""


Function = tuple[str, str]
"""File below the package, and a function's name in it."""


@dataclass
class Walk:
    """Calls behind one request, in order. `roots` are those without a caller of ours."""

    calls: list[Function] = field(default_factory=list)
    roots: set[Function] = field(default_factory=set)

    @property
    def files(self) -> int:
        return len({file for file, _ in self.calls})


class Recorder:
    """Profile hook that records our calls while `walk` is set, except calls of timers."""

    def __init__(self) -> None:
        self.walk: Walk | None = None
        self.ignored: set[Function] = set()
        self._local = threading.local()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if not file.startswith(SOURCE) or event not in {"call", "return"}:
            return
        stack: list[Function] = self._local.__dict__.setdefault("stack", [])
        if event == "return":
            if stack:
                stack.pop()
            return
        called = (file.removeprefix(SOURCE), frame.f_code.co_qualname)
        stack.append(called)
        if self.walk is not None and stack[0] not in self.ignored:
            self.walk.calls.append(called)
            self.walk.roots.add(stack[0])

    def ignore_timers(self) -> None:
        """Record the calls of timers while there is no request."""
        with self.recording() as walk:
            sleep(IDLE_S)
        self.ignored |= walk.roots

    @contextmanager
    def recording(self) -> Iterator[Walk]:
        self.walk = walk = Walk()
        try:
            yield walk
        finally:
            self.walk = None


class Server:
    """App in its own thread on a free port, with one connection to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._ready.wait()
        self.line = HTTPConnection("127.0.0.1", self.port)

    async def _run(self) -> None:
        named = {
            "DATABASE_URL": f"sqlite:///{self._folder}/hops.sqlite3",
            "CONFLICTO_DATA_DIR": self._folder,
            "CONFLICTO_ADMIN_TOKEN": ADMIN,
        }
        async with App(Settings.model_validate(named)).running() as app:
            listener = socket.create_server(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
            config = uvicorn.Config(
                app, http=Connection, lifespan="off", ws="none", log_config=None, server_header=False, proxy_headers=False
            )
            self._server = uvicorn.Server(config)
            self._ready.set()  # who connects before the server accepts waits in the listener's queue
            await self._server.serve([listener])

    def close(self) -> None:
        self.line.close()
        self._server.should_exit = True
        self._thread.join()

    def request(self, method: str, path: str, token: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
        """Send a request and return the body of its response.

        Raises:
            RuntimeError: the answer is a problem.
        """
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.line.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), sent)
        answer = self.line.getresponse()
        text = answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None


@dataclass
class Scene:
    """Session with an open poll and a participant."""

    server: Server
    session: dict[str, Any]
    poll: dict[str, Any]
    token: str

    @property
    def path(self) -> str:
        return f"/sessions/{self.session['id']}"

    def touch(self) -> None:
        """Change the session, so that no cached response remains."""
        self.server.request("PATCH", self.path, self.session["host_token"], {"title": f"Lunch {next(NUMBERS)}"})
        sleep(SETTLED_S)

    def answer(self) -> None:
        body = {"response_data": {"choices": ["a"]}}
        self.server.request("POST", f"{self.path}/activities/{self.poll['id']}/responses", self.token, body)

    def results(self) -> None:
        self.server.request("GET", f"{self.path}/activities/{self.poll['id']}/results", self.session["host_token"])

    def status(self) -> None:
        self.server.request("GET", f"{self.path}/status", self.token)


NUMBERS = iter(range(1, sys.maxsize))


def scene(server: Server) -> Scene:
    """Return a new session of a server."""
    session = server.request("POST", "/sessions", ADMIN, {"title": "Lunch"})
    server.request("PATCH", f"/sessions/{session['id']}", session["host_token"], {"status": "active"})
    config = {"question": "Where?", "options": [{"id": "a", "text": "Pizza"}, {"id": "b", "text": "Soup"}], "multiple": False}
    body = {"type": "poll", "config": config, "status": "active"}
    poll = server.request("POST", f"/sessions/{session['id']}/activities", session["host_token"], body)
    seat = server.request("POST", "/join", "", {"nickname": "Anna", "code": session["join_code"]})
    return Scene(server, session, poll, seat["participant_token"])


def measured(recorder: Recorder, prepare: Callable[[], object], act: Callable[[], object]) -> Walk:
    """Return the walk of `act` with the least calls of several, each after `prepare`."""
    found = []
    for _ in range(REPEATS):
        prepare()
        sleep(SETTLED_S)
        with recorder.recording() as walk:
            act()
            sleep(SETTLED_S)
        found.append(walk)
    return min(found, key=lambda each: len(each.calls))


def walks() -> dict[str, Walk]:
    """Return the walks by name."""
    recorder = Recorder()
    threading.setprofile(recorder)
    with tempfile.TemporaryDirectory(prefix="conflicto-hops-") as name:
        folder = Path(name)
        migrate(f"sqlite:///{folder}/hops.sqlite3")
        server = Server(folder)
        try:
            here = scene(server)
            sleep(SETTLED_S)
            recorder.ignore_timers()
            found = {
                "poll, cached": measured(recorder, here.status, here.status),
                "poll, not cached": measured(recorder, here.touch, here.status),
                "submit": measured(recorder, here.status, here.answer),
                "results after a commit": measured(recorder, here.answer, here.results),
            }
        finally:
            server.close()
        found["results after a restart"] = _restarted(recorder, folder, here)
    threading.setprofile(None)
    return found


def _restarted(recorder: Recorder, folder: Path, here: Scene) -> Walk:
    found = []
    for _ in range(REPEATS):
        here.server = Server(folder)
        here.server.request("GET", "/activity-types", "")
        sleep(SETTLED_S)
        with recorder.recording() as walk:
            here.results()
            sleep(SETTLED_S)
        found.append(walk)
        here.server.close()
    return min(found, key=lambda each: len(each.calls))


def main() -> None:
    """Print the table, or one walk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--walk", help="list the calls of this walk")
    parser.add_argument("--json", action="store_true", help="print the calls of all walks as JSON, as the last line")
    arguments = parser.parse_args()
    chosen, found = arguments.walk, walks()
    if arguments.json:
        print(json.dumps({name: walk.calls for name, walk in found.items()}))
        return
    if chosen:
        print("\n".join(f"{number}. {file} → {function}" for number, (file, function) in enumerate(found[chosen].calls, 1)))
        return
    print("| Request | Calls | Files |\n|---|---|---|")
    for name, walk in found.items():
        print(f"| {name} | {len(walk.calls)} | {walk.files} |")


if __name__ == "__main__":
    main()
