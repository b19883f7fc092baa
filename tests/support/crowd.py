"""Phones that respond continuously and record what the server acknowledged.

Tests stop the server or its database meanwhile.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served

PHONES = 8


@dataclass
class Crowd:
    """A session with an activity with policy `many`, and the seats of its phones."""

    session_id: int
    path: str
    tokens: list[str]
    host: str = ""
    acknowledged: dict[str, dict[str, int]] = field(default_factory=dict)
    news: threading.Event = field(default_factory=threading.Event)
    acked_s: list[float] = field(default_factory=list)
    """Times of the acknowledgements, seconds."""
    refused: list[tuple[int, float]] = field(default_factory=list)
    """Statuses of refused requests and their times, seconds; status 0 for a lost connection."""
    done: threading.Event = field(default_factory=threading.Event)

    def answer_until_it_breaks(self, server: Served) -> list[threading.Thread]:
        """Send responses from all phones in turn until each is refused or disconnected."""
        threads = [threading.Thread(target=self._phone, args=(server, number)) for number in range(len(self.tokens))]
        for thread in threads:
            thread.start()
        return threads

    def _phone(self, server: Served, number: int) -> None:
        with httpx2.Client(
            base_url=server.url, headers={"authorization": f"Bearer {self.tokens[number]}"}, timeout=PATIENCE_S, **PLAIN
        ) as http:
            for count in range(1_000_000):
                data = {"phone": number, "count": count, "server": server.process.pid}
                try:
                    answer = http.post(f"/api/v1{self.path}/responses", json={"response_data": data})
                except httpx2.TransportError:
                    return
                if answer.status_code != 201:
                    return
                self.acknowledged[answer.json()["id"]] = data
                self.news.set()

    @contextmanager
    def answering(self, server: Served) -> Iterator[None]:
        """Send responses from all phones while the block runs.

        Each has an idempotency key and is repeated until it is accepted.
        """
        threads = [threading.Thread(target=self._patient_phone, args=(server, number)) for number in range(len(self.tokens))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.done.set()
            for thread in threads:
                thread.join()

    def _patient_phone(self, server: Served, number: int) -> None:
        with httpx2.Client(
            base_url=server.url, headers={"authorization": f"Bearer {self.tokens[number]}"}, timeout=PATIENCE_S, **PLAIN
        ) as http:
            count = 0
            while not self.done.is_set():
                data = {"phone": number, "count": count, "server": server.process.pid}
                key = {"idempotency-key": f"phone-{number}-answer-{count}"}
                try:
                    answer = http.post(f"/api/v1{self.path}/responses", json={"response_data": data}, headers=key)
                    status = answer.status_code
                except httpx2.TransportError:
                    status = 0
                if status == 201:
                    self.acknowledged[answer.json()["id"]] = data
                    self.acked_s.append(time.monotonic())
                    count += 1
                    self.news.set()
                else:
                    self.refused.append((status, time.monotonic()))
                    self.news.set()
                    self.done.wait(0.02)

    def stored(self, server: Served) -> list[dict[str, Any]]:
        """Return every response in the feed."""
        items: list[dict[str, Any]] = []
        since, more = "0", True
        while more:
            page = server.call("GET", f"{self.path}/responses/since/{since}?limit=1000", token=self.host)
            items += page["items"]
            since, more = page["cursor"], page["has_more"]
        return items

    def lost(self, server: Served) -> dict[str, Any]:
        """Return acknowledged responses that are not stored; assert that none is stored twice."""
        found = {each["id"]: each["response_data"] for each in self.stored(server)}
        assert len({tuple(data.values()) for data in found.values()}) == len(found)
        return {each: data for each, data in self.acknowledged.items() if found.get(each) != data}

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Wait until a condition holds that the phones bring about."""
        until = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < until, "the condition did not hold in time"
            self.news.wait(0.2)
            self.news.clear()

    def wait_for(self, more: int) -> None:
        """Wait until `more` further responses are acknowledged."""
        wanted = len(self.acknowledged) + more
        self.wait_until(lambda: len(self.acknowledged) >= wanted)


def gather(server: Served, *, policy: str = "many") -> Crowd:
    made = server.call("POST", "/sessions", {"title": "Crowd"})
    host, path = made["host_token"], f"/sessions/{made['id']}"
    server.call("PATCH", path, {"status": "active"}, token=host)
    body = {"type": "board", "config": {}, "response_policy": policy, "status": "active"}
    activity = server.call("POST", f"{path}/activities", body, token=host)
    seats = [
        server.call("POST", f"{path}/join", {"nickname": f"Phone {number}", "code": made["join_code"]}) for number in range(PHONES)
    ]
    return Crowd(made["id"], f"{path}/activities/{activity['id']}", [seat["participant_token"] for seat in seats], host)
