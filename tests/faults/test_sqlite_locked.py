"""A foreign lock on SQLite: writers wait a limited time, and readers do not wait."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from pysqlite3 import dbapi2 as sqlite

from tests.support.crowd import Crowd, gather
from tests.support.machines import got, until
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, served

LOCK_S = 3.0
"""Wait of a writer (`Timeouts.lock_s`)."""
HEADROOM_S = 5.0


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    other = sqlite.connect(folder / "conflicto.sqlite3", isolation_level=None, timeout=PATIENCE_S)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def answer(server: Served, crowd: Crowd, key: str) -> tuple[int, float, str | None]:
    began = time.monotonic()
    body = {"response_data": {"phone": -1, "count": key, "server": 0}}
    headers = {"authorization": f"Bearer {crowd.tokens[0]}", "idempotency-key": key}
    response = httpx2.post(f"{server.url}/api/v1{crowd.path}/responses", json=body, headers=headers, timeout=PATIENCE_S, **PLAIN)
    return response.status_code, time.monotonic() - began, response.headers.get("retry-after")


@pytest.mark.catalogue("F-07")
@pytest.mark.timed
def test_sqlite_locked_by_another_process(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        crowd = gather(server)
        with crowd.answering(server):
            crowd.wait_for(30)
            with locked(tmp_path):
                time.sleep(0.7)
            crowd.wait_for(30)
        assert crowd.refused == []

        with locked(tmp_path):
            status, took, back = answer(server, crowd, "refused")
            assert (status, bool(back)) == (503, True)
            assert LOCK_S * 0.8 < took < LOCK_S + HEADROOM_S
            began = time.monotonic()
            assert got(server, f"{crowd.path}/responses/since/0", crowd.host).status_code == 200
            assert time.monotonic() - began < HEADROOM_S
        until(lambda: answer(server, crowd, "refused")[0] == 201, within_s=HEADROOM_S)
        assert crowd.lost(server) == {}
