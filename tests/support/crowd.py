"""Phones that answer without end, and remember what the server acknowledged: for tests that stop the server meanwhile."""

import threading
from dataclasses import dataclass, field

import httpx2

from tests.support.processes import PLAIN, Served

PHONES = 8


@dataclass
class Crowd:
    """A session with one activity that takes many answers, and the seats of its phones."""

    session_id: int
    path: str
    tokens: list[str]
    acknowledged: dict[str, dict[str, int]] = field(default_factory=dict)
    news: threading.Event = field(default_factory=threading.Event)

    def answer_until_it_breaks(self, server: Served) -> list[threading.Thread]:
        """Let every phone send one answer after the other until it is refused or loses its connection."""
        threads = [threading.Thread(target=self._phone, args=(server, nth)) for nth in range(len(self.tokens))]
        for thread in threads:
            thread.start()
        return threads

    def _phone(self, server: Served, nth: int) -> None:
        with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {self.tokens[nth]}"}, **PLAIN) as http:
            for count in range(1_000_000):
                data = {"phone": nth, "count": count, "server": server.process.pid}
                try:
                    answer = http.post(f"/api/v1{self.path}/responses", json={"response_data": data})
                except httpx2.TransportError:
                    return
                if answer.status_code != 201:
                    return
                self.acknowledged[answer.json()["id"]] = data
                self.news.set()

    def wait_for(self, more: int) -> None:
        """Wait until that many further answers are acknowledged."""
        wanted = len(self.acknowledged) + more
        while len(self.acknowledged) < wanted:
            self.news.wait(20)
            self.news.clear()


def gather(server: Served) -> Crowd:
    made = server.call("POST", "/sessions", {"title": "Crowd"})
    host, path = made["host_token"], f"/sessions/{made['id']}"
    server.call("PATCH", path, {"status": "active"}, token=host)
    body = {"type": "wall", "config": {}, "response_policy": "many", "status": "active"}
    activity = server.call("POST", f"{path}/activities", body, token=host)
    seats = [server.call("POST", f"{path}/join", {"nickname": f"Phone {nth}", "code": made["join_code"]}) for nth in range(PHONES)]
    return Crowd(made["id"], f"{path}/activities/{activity['id']}", [seat["participant_token"] for seat in seats])
