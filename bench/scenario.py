"""Scenario of a run, created through the API: a session, its seats, and an open activity."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.blocking_connection import PREFIX
from bench.client import BenchmarkError, Run, request_bytes, send_once

if TYPE_CHECKING:
    from bench.servers import Server

CONNECTIONS = 256
ANSWER = {"choice": "Curry", "confidence": 4, "note": "as always on Mondays"}


@dataclass(slots=True)
class Scenario:
    """Session on one server. `seats` are (participant id, token)."""

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
        """Join all participants at once."""
        run = send_once(self.server.port, self.join_requests(people), connections=CONNECTIONS, keep_bodies=True).expect(201)
        joined = [json.loads(body) for body in run.bodies]
        self.seats += [(each["participant_id"], each["participant_token"]) for each in joined]
        return run

    def join_requests(self, people: int) -> list[bytes]:
        """Return the requests of people who have not joined yet."""
        first = len(self.seats)
        bodies = ({"nickname": f"Guest {first + number}", "code": self.code} for number in range(people))
        return [request_bytes("POST", f"{PREFIX}{self.path}/join", body=body) for body in bodies]

    def start(self) -> None:
        """Poll once with every seat, so that the server has cached its token."""
        send_once(self.server.port, [self.poll(token) for _, token in self.seats], connections=CONNECTIONS).expect(200)

    def open_activity(self, policy: str, **more: object) -> str:
        """Return the id of a new active activity, which replaces the previous one."""
        with self.server.connect(self.host) as line:
            counted = {"choices": {"path": "/choice", "op": "count"}, "confidence": {"path": "/confidence", "op": "number"}}
            fields = {"type": "lunch", "title": "Lunch?", "config": {"choices": ["Curry", "Pasta"]}, "aggregate": counted}
            return line.call("POST", f"{self.path}/activities", fields | {"response_policy": policy, "status": "active"} | more)[
                "id"
            ]

    def stored(self, activity: str) -> int:
        """Return the number of answers that the host sees."""
        with self.server.connect(self.host) as line:
            return line.call("GET", f"{self.path}/activities/{activity}/status")["response_count"]

    def poll(self, token: str, headers: dict[str, str] | None = None) -> bytes:
        """Return the poll that every phone sends every two seconds."""
        return request_bytes("GET", f"{PREFIX}{self.path}/status", token=token, headers=headers)

    def answers(self, activity: str, tokens: list[str]) -> list[bytes]:
        """Return one request with an answer for each token."""
        path = f"{PREFIX}{self.path}/activities/{activity}/responses"
        return [request_bytes("POST", path, token=token, body={"response_data": ANSWER}) for token in tokens]


def create_scenario(server: Server) -> Scenario:
    """Create an active session."""
    with server.connect() as line:
        made = line.call("POST", "/sessions", {"title": "Bench"})
        line.call("PATCH", f"/sessions/{made['id']}", {"status": "active"}, token=made["host_token"])
    return Scenario(server, made["id"], made["join_code"], made["host_token"])


def require_stored(scenario: Scenario, activity: str, acknowledged: int) -> None:
    """Raise an error if acknowledged answers are missing."""
    stored = scenario.stored(activity)
    if stored != acknowledged:
        message = f"{acknowledged} answers were acknowledged, {stored} are stored"
        raise BenchmarkError(message)
