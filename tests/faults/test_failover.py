"""Failover to a database that lost the last commits: a replica, or an older copy of the files.

No server may continue from its memory, and no client from its cursor.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conflicto import migrations
from tests.support.machines import Hall, got, open_hall, until
from tests.support.processes import PLAIN, Served, served
from tests.support.servers import Cluster, create_database, postgres_cluster

NOTICED_S = 30.0
"""Time for the check of the database (1 s), and headroom for a busy machine."""


def read(server: Served, path: str, token: str) -> httpx2.Response:
    """Send a request like a client that retries after a 503; return the response."""
    answers = []
    until(lambda: answers.append(got(server, path, token)) or answers[-1].status_code != 503, within_s=NOTICED_S)
    return answers[-1]


def answer(server: Served, hall: Hall, token: str, word: str) -> None:
    """Send a response like a client, with the same idempotency key until it is accepted."""
    headers = {"authorization": f"Bearer {token}", "idempotency-key": f"the-word-{word}"}
    address, body = f"{server.url}/api/v1{hall.activity}/responses", {"response_data": word}
    until(lambda: httpx2.post(address, json=body, headers=headers, timeout=30, **PLAIN).status_code == 201, within_s=NOTICED_S)


@dataclass
class Standby:
    """The replica. `take_over` moves it to the address of its primary."""

    cluster: Cluster
    take_over: Callable[[int], None]


@contextmanager
def replica(primary: Cluster) -> Iterator[Standby]:
    """Yield a replica that has followed until now and then stopped."""
    copy = primary.copied()

    def take_over(port: int) -> None:
        copy.start(port, fsync=False, primary_conninfo="")
        assert copy.answers()
        copy.promote()

    try:
        yield Standby(copy, take_over)
    finally:
        copy.stop()


@contextmanager
def older_files(primary: Cluster) -> Iterator[Standby]:
    """Yield a copy of the present files."""
    port = primary.port
    primary.stop()
    copy = primary.files_copied()
    primary.start(port, fsync=False)
    assert primary.answers()

    def take_over(port: int) -> None:
        copy.start(port, fsync=False)
        assert copy.answers()

    try:
        yield Standby(copy, take_over)
    finally:
        copy.stop()


class Listener(threading.Thread):
    """A client with one pending request; `status` is None until the response."""

    def __init__(self, server: Served, path: str, token: str) -> None:
        super().__init__(daemon=True)
        self.status: int | None = None
        self._arguments = (server, path, token)
        self.start()

    def run(self) -> None:
        with suppress(httpx2.TransportError):  # the test failed meanwhile and stopped the server
            self.status = read(*self._arguments).status_code


def cursor_of(server: Served, hall: Hall, token: str) -> str:
    return str(read(server, f"{hall.path}/changes/since/now", token).json()["cursor"])


def words(server: Served, hall: Hall, since: str = "0") -> list[str]:
    """Return the responses in the feed, in order."""
    page = read(server, f"{hall.activity}/responses/since/{since}?limit=1000", hall.host)
    assert page.status_code == 200, page.text
    return [item["response_data"] for item in page.json()["items"]]


def epoch_of(server: Served, hall: Hall) -> str | None:
    """Return the epoch of a server, or None while the database is away."""
    epoch: str | None = got(server, f"{hall.path}/changes/since/0", hall.host).json().get("epoch")
    return epoch


class Story:
    """A session at two servers, a writer and a reader, whose database loses the last commits."""

    def __init__(self, servers: list[Served]) -> None:
        self.servers = servers
        self.writing, self.reading = servers
        self.hall = open_hall(self.writing, response_policy="many")
        _, self.token = self.hall.join(self.writing, "Ada")
        answer(self.writing, self.hall, self.token, "kept")
        self.kept = {each: cursor_of(self.writing, self.hall, each) for each in (self.hall.host, self.token)}
        self.epoch = epoch_of(self.writing, self.hall)

    def report_losses(self) -> None:
        hall, writing = self.hall, self.writing
        answer(writing, hall, self.token, "lost")
        writing.call("PATCH", hall.path, {"title": "Lost"}, token=hall.host)
        _, self.late = hall.join(writing, "Latecomer")
        self.lost = {each: cursor_of(writing, hall, each) for each in (hall.host, self.token)}
        until(lambda: words(self.reading, hall) == ["kept", "lost"])
        path = f"{hall.path}/changes/since/{self.lost[hall.host]}?wait=25"
        self.waiting = [Listener(server, path, hall.host) for server in self.servers]

    def require_a_new_beginning(self) -> None:
        """Require one new epoch at all servers, and status 410 for every lost cursor."""
        for server in self.servers:
            until(lambda server=server: epoch_of(server, self.hall) not in {None, self.epoch}, within_s=NOTICED_S)
        assert len({epoch_of(server, self.hall) for server in self.servers}) == 1
        until(lambda: all(each.status for each in self.waiting), within_s=NOTICED_S)
        assert {each.status for each in self.waiting} == {410}
        for server in self.servers:
            for who, position in self.lost.items():
                for since in (position, str(int(position) + 1)):
                    assert read(server, f"{self.hall.path}/changes/since/{since}", who).status_code == 410
            for who, position in self.kept.items():
                assert read(server, f"{self.hall.path}/changes/since/{position}", who).json()["items"] == []

    def require_nothing_of_what_is_lost(self) -> None:
        hall = self.hall
        for server in self.servers:
            assert words(server, hall) == ["kept"]
            assert read(server, f"{hall.activity}/results", hall.host).json()["response_count"] == 1
            assert read(server, f"{hall.path}/status", self.token).json()["participant_count"] == 1
            assert read(server, hall.path, hall.host).json()["title"] == "Hall"
            assert read(server, f"{hall.path}/changes/since/0", self.late).status_code in {401, 404}

    def require_that_it_goes_on(self) -> None:
        hall = self.hall
        answer(self.reading, hall, self.token, "kept")
        answer(self.reading, hall, self.token, "lost")
        answer(self.writing, hall, self.token, "new")
        for server in self.servers:
            until(lambda server=server: words(server, hall, self.kept[hall.host]) == ["lost", "new"], within_s=NOTICED_S)
            assert words(server, hall) == ["kept", "lost", "new"]
        assert int(cursor_of(self.writing, hall, hall.host)) > max(map(int, self.lost.values()))


@pytest.mark.catalogue("F-13")
@pytest.mark.parametrize("standby", [replica, older_files])
def test_nobody_goes_on_from_commits_that_were_lost(standby: Any, tmp_path: Path) -> None:
    with postgres_cluster(fsync=False) as primary, ExitStack() as stack:
        url = create_database(primary.url, "failover")
        migrations.upgrade(url)
        servers = [stack.enter_context(served(tmp_path / name, DATABASE_URL=url)) for name in ("writing", "reading")]
        story = Story(servers)
        next_one = stack.enter_context(standby(primary))
        story.report_losses()

        primary.crash()
        next_one.take_over(primary.port)

        story.require_a_new_beginning()
        story.require_nothing_of_what_is_lost()
        story.require_that_it_goes_on()


def test_a_replica_that_is_not_promoted_is_out_of_reach(tmp_path: Path) -> None:
    """No server reads from a replica before its promotion: it may lag, and accepts no writes."""
    with postgres_cluster(fsync=False) as primary, ExitStack() as stack:
        url = create_database(primary.url, "replica")
        migrations.upgrade(url)
        server = stack.enter_context(served(tmp_path, DATABASE_URL=url))
        hall = open_hall(server)
        _, token = hall.join(server, "Ada")
        copy = primary.copied()
        stack.callback(copy.stop)
        other = server.call("POST", "/sessions", {"title": "Not on the replica"})
        primary.crash()
        copy.start(primary.port, fsync=False, primary_conninfo="")
        assert copy.answers()

        refusal = httpx2.post(
            f"{server.url}/api/v1{hall.activity}/responses",
            json={"response_data": 1},
            headers={"authorization": f"Bearer {token}"},
            timeout=20,
            **PLAIN,
        )
        assert (refusal.status_code, refusal.json()["code"]) == (503, "unavailable")
        assert got(server, f"/sessions/{other['id']}", other["host_token"]).status_code == 503
        copy.promote()
        until(lambda: got(server, f"/sessions/{other['id']}", other["host_token"]).status_code in {401, 404}, within_s=NOTICED_S)
        answer(server, hall, token, "after")
