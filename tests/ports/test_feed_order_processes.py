"""Two servers on one PostgreSQL: the feed is the same at both, and cursors hold at either."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from math import inf
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conflicto.feed.timestamps import parse
from tests.support import databases
from tests.support.crowd import PHONES, Crowd, gather
from tests.support.feed_check import Page, Write, check
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, served

ANSWERS = 25
READERS = ((1, 2), (4, 2), (25, 0), (1000, 1), (1000, 2))
"""Page size and server of each reader: 0 and 1 read from one server, 2 alternates. Odd sizes
read the session's feed, even sizes the activity's. Readers with small pages lag behind."""
Clients = Sequence[httpx2.Client]


@pytest.fixture(params=["apart", "neighbours"])
def servers(request: pytest.FixtureRequest, postgres_template: str, postgres_url: str, tmp_path: Path) -> Iterator[list[Served]]:
    """Two servers on two machines, or on one, where one of them writes."""
    more = {"CONFLICTO_WORKERS_DIR": str(tmp_path)} if request.param == "neighbours" else {}
    with databases.postgres_copy(postgres_url) as url, ExitStack() as running:
        folders: list[Path] = [tmp_path / name for name in ("first", "second")]
        yield [running.enter_context(served(folder, patient=True, DATABASE_URL=url, **more)) for folder in folders]


@contextmanager
def clients(servers: list[Served], token: str) -> Iterator[list[httpx2.Client]]:
    common: dict[str, Any] = {"headers": {"authorization": f"Bearer {token}"}, "timeout": PATIENCE_S, **PLAIN}
    with ExitStack() as opened:
        yield [opened.enter_context(httpx2.Client(base_url=f"{server.url}/api/v1", **common)) for server in servers]


def write(servers: list[Served], crowd: Crowd, index: int) -> list[Write]:
    """Send responses repeatedly, to both servers in turn."""
    done = []
    with clients(servers, crowd.tokens[index]) as at:
        for number in range(ANSWERS):
            began = time.monotonic()
            answer = at[number % len(at)].post(f"{crowd.path}/responses", json={"response_data": [index, number]})
            acked = time.monotonic()
            assert answer.status_code in {200, 201}, answer.text
            row = answer.json()
            done.append(Write(row["id"], row["revision"], parse(row["updated_at"]).us, began, acked))
    return done


class Story:
    """The end of the writing: the last acknowledged timestamp, µs, once all have written."""

    def __init__(self) -> None:
        self.last_us: float = inf


def follow(at: Clients, crowd: Crowd, limit: int, story: Story) -> list[Page]:
    """Page from 0, alternating between the servers, until each has reached the last write."""
    feed = f"/sessions/{crowd.session_id}/changes" if limit % 2 else f"{crowd.path}/responses"
    pages: list[Page] = []
    since, reached, deadline_s = "0", set(), time.monotonic() + PATIENCE_S
    for http in cycle(at):
        assert time.monotonic() < deadline_s, "the last write was not reached in time"
        page = http.get(f"{feed}/since/{since}?limit={limit}").raise_for_status().json()
        rows = [item for item in page["items"] if item.get("entity", "response") == "response"]
        versions = [(row["id"], row["revision"], parse(row["updated_at"]).us) for row in rows]
        pages.append(Page(int(since), versions, int(page["cursor"])))
        if int(page["cursor"]) >= story.last_us and not page["has_more"]:
            reached.add(http)
        if len(reached) == len(at):
            return pages
        since = page["cursor"]
    raise AssertionError


def story(servers: list[Served], policy: str) -> tuple[list[Write], dict[str, list[Page]]]:
    """Run phones and readers on one session; return acknowledgements and reads."""
    crowd = gather(servers[0], policy=policy)
    result = Story()
    with clients(servers, crowd.host) as (first, second), ThreadPoolExecutor(len(crowd.tokens) + len(READERS)) as pool:
        ways: list[Clients] = [[first], [second], [first, second]]
        following = {f"reader {limit} {way}": pool.submit(follow, ways[way], crowd, limit, result) for limit, way in READERS}
        sending = [pool.submit(write, servers, crowd, number) for number in range(len(crowd.tokens))]
        try:
            writes = [each for done in sending for each in done.result(PATIENCE_S)]
        except BaseException:
            result.last_us = 0
            raise
        result.last_us = max(write.ts for write in writes)
        return writes, {name: each.result(PATIENCE_S) for name, each in following.items()}


@pytest.mark.catalogue("D-01")
def test_two_processes_have_one_history(servers: list[Served]) -> None:
    with ThreadPoolExecutor(2) as pool:
        many, one = pool.map(story, (servers, servers), ("many", "one"))

    for writes, pages in (many, one):
        assert check(writes, pages) == []
        assert len(writes) == PHONES * ANSWERS
        assert all(len(each) > 3 for each in pages.values())
    assert len({write.id for write in many[0]}) == PHONES * ANSWERS
    assert {write.revision for write in one[0]} == set(range(1, ANSWERS + 1))
