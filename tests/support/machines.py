"""Several server processes on one PostgreSQL, with or without a shared Valkey."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support import databases
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, starting, wait_for


@contextmanager
def machines(
    folder: Path, postgres_url: str, *, number: int = 2, workers: int = 1, patient: bool = False, **more: str
) -> Iterator[list[Served]]:
    """Yield servers that share an empty database; requires the template.

    The other parameters are those of `starting`.
    """
    with databases.postgres_copy(postgres_url) as url, ExitStack() as running:
        servers = [
            running.enter_context(starting(folder / f"machine-{index}", workers=workers, patient=patient, DATABASE_URL=url, **more))
            for index in range(number)
        ]
        for server in servers:
            wait_for(server)
        yield servers


@dataclass(frozen=True)
class Hall:
    """An active session with an open activity."""

    session_id: int
    code: str
    host: str
    activity_id: str

    @property
    def path(self) -> str:
        return f"/sessions/{self.session_id}"

    @property
    def activity(self) -> str:
        return f"{self.path}/activities/{self.activity_id}"

    def join(self, server: Served, nickname: str) -> tuple[int, str]:
        seat = server.call("POST", f"{self.path}/join", {"nickname": nickname, "code": self.code})
        return seat["participant_id"], seat["participant_token"]

    def answer(self, server: Served, token: str, data: Any, *, key: str | None = None) -> Any:
        return server.call("POST", f"{self.activity}/responses", {"response_data": data}, token=token, key=key)


def open_hall(server: Served, **activity: Any) -> Hall:
    made = server.call("POST", "/sessions", {"title": "Hall"})
    path, host = f"/sessions/{made['id']}", made["host_token"]
    server.call("PATCH", path, {"status": "active"}, token=host)
    body = {"type": "board", "config": {}, "aggregate": {"all": {"path": "", "op": "count"}}, "status": "active"} | activity
    return Hall(made["id"], made["join_code"], host, server.call("POST", f"{path}/activities", body, token=host)["id"])


def got(server: Served, path: str, token: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """Return a response of any status."""
    given = {"authorization": f"Bearer {token}"} | dict(headers or {})
    return httpx2.get(f"{server.url}/api/v1{path}", headers=given, timeout=PATIENCE_S, **PLAIN)


def until(holds: Callable[[], Any], *, within_s: float = PATIENCE_S) -> float:
    """Wait until a condition holds, and return the time that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, "the condition did not hold in time"
        time.sleep(0.01)
    return time.monotonic() - began
