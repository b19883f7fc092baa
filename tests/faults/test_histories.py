"""Histories with kills: phones answer, servers die and return, and readers miss nothing."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self

import httpx2
import pytest

from conflicto.feed.timestamps import parse
from tests.support.crowd import Crowd, gather
from tests.support.feed_check import Page, Write, check
from tests.support.ports import free_port
from tests.support.processes import PLAIN, Served, served

TOGETHER = 8
"""Concurrent histories, each in its own session."""
PAUSE_S = 0.01
EACH = 65
"""Responses per phone; eight phones write 520."""
KILLS = 3
LIVES_S = (0.4, 1.2)
PATIENCE_S = 120.0
QUIET_S = 3.0
"""Time without a change after which a reader stops: a read may be 2 s old."""

FeedRows = list[tuple[object, int, int]]


@dataclass
class Fleet:
    """Servers at fixed ports. Each may die at any time and is restarted."""

    folder: Path
    settings: dict[str, str]
    ports: list[int]
    running: dict[int, tuple[ExitStack, Served]] = field(default_factory=dict)

    def start(self, index: int) -> Served:
        stack = ExitStack()
        name = f"server-{index}" if self.settings else "server"
        server = stack.enter_context(
            served(self.folder / name, at_port=self.ports[index], COVERAGE_PROCESS_CONFIG="", **self.settings)
        )
        self.running[index] = stack, server
        return server

    def kill(self, index: int) -> None:
        stack, server = self.running.pop(index)
        server.kill()
        stack.close()

    def url(self, index: int) -> str:
        return f"http://127.0.0.1:{self.ports[index % len(self.ports)]}/api/v1"


@contextmanager
def fleet(folder: Path, settings: dict[str, str]) -> Iterator[Fleet]:
    """Yield two servers on PostgreSQL, one on SQLite."""
    made = Fleet(folder, settings, [free_port() for _ in range(2 if settings else 1)])
    for index in range(len(made.ports)):
        made.start(index)
    try:
        yield made
    finally:
        for index in list(made.running):
            made.kill(index)


class Client:
    """A client that moves between servers and repeats requests with the same idempotency key."""

    def __init__(self, fleet: Fleet, token: str, server_index: int) -> None:
        self.fleet, self.server_index = fleet, server_index
        self.http = httpx2.Client(headers={"authorization": f"Bearer {token}"}, timeout=20, **PLAIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            self.server_index += 1
            try:
                answer = self.http.request(method, self.fleet.url(self.server_index) + path, **kwargs)
            except httpx2.TransportError:
                time.sleep(0.02)
                continue
            if answer.is_success:
                return answer.json()
            assert answer.status_code == 503, answer.text
            time.sleep(0.05)
        raise AssertionError("no server responded in time")


def write(fleet: Fleet, crowd: Crowd, index: int) -> list[Write]:
    done = []
    with Client(fleet, crowd.tokens[index], index) as client:
        for number in range(EACH):
            began, key = time.monotonic(), {"idempotency-key": f"{index}-{number}"}
            row = client.call("POST", f"{crowd.path}/responses", json={"response_data": [index, number]}, headers=key)
            done.append(Write(row["id"], row["revision"], parse(row["updated_at"]).us, began, time.monotonic()))
    return done


def rows(items: list[dict[str, Any]]) -> FeedRows:
    return [
        (item["id"], item["revision"], parse(item["updated_at"]).us)
        for item in items
        if item.get("entity", "response") == "response"
    ]


def page_through(fleet: Fleet, crowd: Crowd, writing: threading.Event, wait: str) -> list[Page]:
    """Poll or long-poll, alternating between the servers."""
    since, pages, fresh_s = "0", list[Page](), time.monotonic()
    with Client(fleet, crowd.host, 0) as client:
        while writing.is_set() or time.monotonic() - fresh_s < QUIET_S:
            page = client.call("GET", f"{crowd.path}/responses/since/{since}?limit=40{wait}")
            pages.append(Page(int(since), rows(page["items"]), int(page["cursor"])))
            if page["items"] or writing.is_set():
                fresh_s = time.monotonic()
            since = page["cursor"]
            time.sleep(PAUSE_S)
    return pages


def listen(fleet: Fleet, crowd: Crowd, writing: threading.Event) -> list[Page]:
    """Read the session's event stream, and reconnect from the last id after each break."""
    since, pages, fresh_s = "0", list[Page](), time.monotonic()
    with Client(fleet, crowd.host, 1) as client:
        while writing.is_set() or time.monotonic() - fresh_s < QUIET_S:
            for cursor, items in streamed_items(client, crowd, since):
                pages.append(Page(int(since), rows(items), int(cursor)))
                since = cursor
                if items or writing.is_set():
                    fresh_s = time.monotonic()
    return pages


def streamed_items(client: Client, crowd: Crowd, since: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the events of one stream until it breaks off, or is silent for a while."""
    client.server_index += 1
    headers = {"accept": "text/event-stream"} | ({"last-event-id": since} if since != "0" else {})
    path = f"/sessions/{crowd.session_id}/changes/since/{since}"
    try:
        with client.http.stream("GET", client.fleet.url(client.server_index) + path, headers=headers, timeout=QUIET_S) as stream:
            yield from events(stream)
    except httpx2.TransportError:
        time.sleep(0.02)


def events(stream: httpx2.Response) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield id and items of each complete event; a keep-alive moves the position only."""
    if stream.status_code != 200:
        return
    cursor, kind, items = "", "", []
    for line in stream.iter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            cursor = value
        elif name == "event":
            kind = value
        elif name == "data":
            items = [json.loads(value)] if kind == "change" else []
        elif not line and cursor:
            yield cursor, items
            cursor, kind, items = "", "", []


def break_things(fleet: Fleet, rng: Random, most: int, done: threading.Event) -> int:
    """Kill the servers in turn and restart them; return the number of kills."""
    kills = 0
    while not done.is_set() and kills < most:
        time.sleep(rng.uniform(*LIVES_S))
        index = rng.randrange(len(fleet.ports))
        fleet.kill(index)
        fleet.start(index)
        kills += 1
    return kills


def stories(fleet: Fleet, rng: Random, count: int) -> tuple[list[tuple[list[Write], dict[str, list[Page]]]], int]:
    """Run all phones, each group in its own session; return acknowledgements, reads and kills."""
    server = next(server for _, server in fleet.running.values())
    crowds, done = [gather(server) for _ in range(count)], threading.Event()
    with ThreadPoolExecutor(count + 1) as pool:
        breaking = pool.submit(break_things, fleet, rng, KILLS + count // 2, done)
        futures = [pool.submit(story, fleet, crowd) for crowd in crowds]
        try:
            outcomes = [each.result(3 * PATIENCE_S) for each in futures]
        finally:
            done.set()
        return outcomes, breaking.result(PATIENCE_S)


def story(fleet: Fleet, crowd: Crowd) -> tuple[list[Write], dict[str, list[Page]]]:
    """Send responses from a session's phones, while one reader of each kind reads."""
    writing = threading.Event()
    writing.set()
    with ThreadPoolExecutor(len(crowd.tokens) + 3) as pool:
        reading = {
            "polls": pool.submit(page_through, fleet, crowd, writing, ""),
            "waits": pool.submit(page_through, fleet, crowd, writing, "&wait=1"),
            "stream": pool.submit(listen, fleet, crowd, writing),
        }
        sending = [pool.submit(write, fleet, crowd, number) for number in range(len(crowd.tokens))]
        try:
            writes = [each for done in sending for each in done.result(2 * PATIENCE_S)]
        finally:
            writing.clear()
        return writes, {name: each.result(PATIENCE_S) for name, each in reading.items()}


@pytest.mark.catalogue("D-01")
def test_histories_with_kills_reach_every_reader_complete(
    stored: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    histories, written, broken = request.config.getoption("--histories"), 0, 0
    with fleet(tmp_path, stored) as servers:
        for first in range(0, histories, TOGETHER):
            outcomes, kills = stories(servers, Random(first), min(TOGETHER, histories - first))
            for writes, pages in outcomes:
                assert check(writes, pages) == [], f"stories from {first}"
                assert len({write.id for write in writes}) == len(writes) == 8 * EACH
                assert all(len(each) > 3 for each in pages.values())
                written += len(writes)
            broken += kills
    database = "PostgreSQL, two servers" if stored else "SQLite"
    counted(
        f"{database}: {histories} stories, {written} writes, {broken} kills, three kinds of readers: 0 lost, 0 repeated, 0 out of order"
    )
