"""What must be there before a run: a session, its seats, and an activity that takes answers. Made through the API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.client import BenchFailed, Run, each_once, request_bytes
from bench.line import PREFIX

if TYPE_CHECKING:
    from bench.servers import Server

CONNECTIONS = 256
ANSWER = {"choice": "Curry", "confidence": 4, "note": "as always on Mondays"}


@dataclass(slots=True)
class Stage:
    """One session on one server. `seats` are (participant id, token)."""

    server: Server
    id: int
    code: str
    host: str
    seats: list[tuple[int, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The session's address below /api/v1."""
        return f"/sessions/{self.id}"

    def join(self, people: int) -> Run:
        """Let them all join at once."""
        first = len(self.seats)
        bodies = ({"nickname": f"Guest {first + number}", "code": self.code} for number in range(people))
        requests = [request_bytes("POST", f"{PREFIX}{self.path}/join", body=body) for body in bodies]
        run = each_once(self.server.port, requests, connections=CONNECTIONS, keep_bodies=True).expect(201)
        joined = [json.loads(body) for body in run.bodies]
        self.seats += [(each["participant_id"], each["participant_token"]) for each in joined]
        return run

    def meet(self) -> None:
        """Let every seat poll once, so that its token is known to the server, as it is to one in a live session."""
        each_once(self.server.port, [self.poll(token) for _, token in self.seats], connections=CONNECTIONS).expect(200)

    def open_activity(self, policy: str, **more: object) -> str:
        """Return the id of a new active activity; it takes the place of the one before."""
        with self.server.line(self.host) as line:
            counted = {"choices": {"path": "/choice", "op": "count"}, "confidence": {"path": "/confidence", "op": "number"}}
            fields = {"type": "lunch", "title": "Lunch?", "config": {"choices": ["Curry", "Pasta"]}, "aggregate": counted}
            return line.call("POST", f"{self.path}/activities", fields | {"response_policy": policy, "status": "active"} | more)[
                "id"
            ]

    def stored(self, activity: str) -> int:
        """Return how many answers the host is told of."""
        with self.server.line(self.host) as line:
            return line.call("GET", f"{self.path}/activities/{activity}/status")["response_count"]

    def poll(self, token: str, headers: dict[str, str] | None = None) -> bytes:
        """Return the request that every phone sends every two seconds."""
        return request_bytes("GET", f"{PREFIX}{self.path}/status", token=token, headers=headers)

    def answers(self, activity: str, tokens: list[str]) -> list[bytes]:
        """Return one submission for each token."""
        path = f"{PREFIX}{self.path}/activities/{activity}/responses"
        return [request_bytes("POST", path, token=token, body={"response_data": ANSWER}) for token in tokens]


def set_stage(server: Server) -> Stage:
    """Make an active session."""
    with server.line() as line:
        made = line.call("POST", "/sessions", {"title": "Bench"})
        line.call("PATCH", f"/sessions/{made['id']}", {"status": "active"}, token=made["host_token"])
    return Stage(server, made["id"], made["join_code"], made["host_token"])


def require_stored(stage: Stage, activity: str, acknowledged: int) -> None:
    """Refuse a run whose acknowledged answers are not all there: a fast loss is no speed."""
    stored = stage.stored(activity)
    if stored != acknowledged:
        message = f"{acknowledged} answers were acknowledged, {stored} are stored"
        raise BenchFailed(message)
