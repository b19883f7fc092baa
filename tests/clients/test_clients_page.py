"""Programs of docs/clients.md: they follow a session through a restart, its end, and a restore."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clients.programs import PROGRAMS, Program, running
from tests.support.processes import PLAIN, Served, environment, run, served

NAMES = ["httpx-sse", "requests-sse", "aiohttp", "eventsource", "fetch", "httpx", "aiohttp, polled", "fetch, polled"]


def sampled(*sample: str) -> list[Any]:
    """Return all programs; those outside the sample are marked `thorough`."""
    return [pytest.param(name, marks=() if name in sample else pytest.mark.thorough) for name in NAMES]


ODD = "Été – 你好 🎉 \u2028 \u2029 \u0085 \r\n data: {}"
LARGE = {"texts": ["y" * 8_000] * 25}
"""A config of 200,000 bytes: an event of more than one buffer."""


@dataclass
class Meeting:
    """A session and its host."""

    server: Served
    id: int
    host: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.server.call(method, f"/sessions/{self.id}{path}", body, token=self.host)

    def activity(self, title: str, config: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = self.call("POST", "/activities", {"type": "riddle", "title": title, "config": config})
        return found

    def variables(self, cursor: str = "0") -> dict[str, str]:
        return {"CONFLICTO_URL": self.server.url, "SESSION": str(self.id), "TOKEN": self.host, "CURSOR": cursor}

    def complete(self) -> None:
        self.call("PATCH", "", {"status": "completed"})

    def state(self) -> dict[tuple[str, str], tuple[int, Any]]:
        """Return the feed from its beginning."""
        items = self.call("GET", "/changes/since/0?limit=1000")["items"]
        return {(item["entity"], str(item["id"])): (item["revision"], item["data"]) for item in items}


def meeting(server: Served) -> Meeting:
    made = server.call("POST", "/sessions", {"title": ODD})
    found = Meeting(server, made["id"], made["host_token"])
    found.call("PATCH", "", {"status": "active"})
    return found


def ended(program: Program, room: Meeting) -> None:
    """Compare the output of a finished program with the feed: everything, each revision once."""
    assert program.wait_for_end() == 0
    revisions = [each[:3] for each in program.seen]
    assert len(revisions) == len(set(revisions))
    assert program.state() == room.state()


def test_page_has_these_programs() -> None:
    assert list(PROGRAMS) == NAMES


@pytest.mark.parametrize("name", sampled("httpx-sse", "eventsource"))
def test_program_continues_after_a_restart_and_ends_with_the_session(name: str, tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "program"
    folder.mkdir()
    with served(data) as first:
        room = meeting(first)
        with running(name, folder, **room.variables()) as program:
            program.wait_for("session", room.id, 2)
            activity = room.activity(ODD, LARGE)
            program.wait_for("activity", activity["id"], 1)
            first.kill()
            with served(data, at_port=int(first.url.rpartition(":")[2])) as second:
                room.server = second
                later = room.activity("Later")
                program.wait_for("activity", later["id"], 1)
                room.complete()
                ended(program, room)


@pytest.mark.parametrize("name", sampled("httpx"))
def test_program_begins_again_after_a_restore(name: str, tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "program"
    folder.mkdir()
    with served(data) as first:
        room = meeting(first)
        assert run("db", "backup", tmp_path / "archive", env=environment(data)).exit_code == 0
        room.activity("Lost")
        cursor = room.call("GET", "/changes/since/0")["cursor"]
        first.stop()
    assert run("db", "restore", tmp_path / "archive", env=environment(data)).exit_code == 0
    with served(data) as second:
        room.server = second
        refused = httpx2.get(
            f"{second.url}/api/v1/sessions/{room.id}/events?since={cursor}", headers=_as(room), timeout=10, **PLAIN
        )
        assert (refused.status_code, refused.json()["code"]) == (410, "cursor-expired")
        with running(name, folder, **room.variables(cursor)) as program:
            program.wait_for("session", room.id, 2)
            room.complete()
            ended(program, room)
    assert {entity for entity, *_ in program.seen} == {"session"}


def _as(room: Meeting) -> dict[str, str]:
    return {"authorization": f"Bearer {room.host}"}
