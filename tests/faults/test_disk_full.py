"""A full disk under SQLite: writes are refused in time, reads continue, and writes resume later.

The limit on file sizes stands for the disk. It stops the database, its log, and the server's own
messages, which go to a file.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.crowd import Crowd, gather
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, environment, run, served

NO_SPACE = 4096


@contextmanager
def full_disk(server: Served) -> Iterator[None]:
    """Limit the server's files to their first page."""
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (NO_SPACE, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


def statuses(crowd: Crowd, server: Served, path: str) -> int:
    return httpx2.get(
        f"{server.url}{path}", headers={"authorization": f"Bearer {crowd.host}"}, timeout=PATIENCE_S, **PLAIN
    ).status_code


@pytest.mark.catalogue("F-05")
def test_a_full_disk_stops_writes_alone_and_only_while_it_is_full(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        crowd = gather(server)
        with crowd.answering(server):
            crowd.wait_for(50)
            with full_disk(server):
                crowd.wait_until(lambda: len(crowd.refused) > 50)
                there = len(crowd.acknowledged)
                assert statuses(crowd, server, "/health/live") == 200
                assert statuses(crowd, server, f"/api/v1{crowd.path}/status") == 200
                assert len(crowd.stored(server)) >= there
                crowd.wait_until(lambda: statuses(crowd, server, "/health/ready") == 503)
            crowd.wait_for(50)

        assert {status for status, _ in crowd.refused} == {503}
        assert statuses(crowd, server, "/health/ready") == 200
        assert crowd.lost(server) == {}
        assert len(crowd.stored(server)) == len(crowd.acknowledged)

    check = run("db", "check", env=environment(tmp_path))
    assert check.exit_code == 0, check.stdout
