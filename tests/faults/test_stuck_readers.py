"""Stuck readers: other reads continue, readiness reports when none is left, SIGTERM still works."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from conflicto.platform.shutdown import MAX_SHUTDOWN_S
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, served

MARGIN_S = 3.0
"""Additional time for a busy machine."""

STUCK = """
import sys, threading
from conflicto.cli import main
from conflicto.joining import http as joining
from conflicto.participants import http as seats

def stuck(tx, *args, **kwargs):
    print("stuck", flush=True)
    while {spins}:
        pass
    threading.Event().wait()

assert joining.participant_page and seats.shown_names
joining.participant_page = seats.shown_names = stuck
sys.argv[0] = "conflicto"
main()
"""


@contextmanager
def stuck_server(folder: Path, *, spins: bool = False) -> Iterator[tuple[Served, str, str]]:
    with served(folder, program=("-c", STUCK.format(spins=spins))) as server:
        session = server.call("POST", "/sessions", {"title": "Town hall"})
        yield server, f"/sessions/{session['id']}", session["host_token"]


def leave(server: Served, path: str, token: str) -> int:
    """Send a request and disconnect after a moment; return the status, or 0 without a response."""
    try:
        headers = {"authorization": f"Bearer {token}"}
        return httpx2.get(f"{server.url}/api/v1{path}", headers=headers, timeout=0.5, **PLAIN).status_code
    except httpx2.TimeoutException:
        return 0


def ready(server: Served) -> tuple[int, str | None]:
    answer = httpx2.get(server.url + "/health/ready", timeout=PATIENCE_S, **PLAIN)
    return answer.status_code, answer.json().get("dependency")


@pytest.mark.catalogue("O-05", "O-10")
@pytest.mark.timed
def test_lists_that_never_end_leave_readers_and_a_server_that_stops(tmp_path: Path) -> None:
    with stuck_server(tmp_path, spins=True) as (server, path, token):
        for _ in range(8):
            assert leave(server, f"{path}/participants", token) in {0, 503}
        assert server.log.read_text().count("stuck\n") == 2
        assert server.call("GET", path, token=token)["title"] == "Town hall"
        assert ready(server) == (200, None)
        assert "conflicto_reads_overdue 2.0" in server.text("/metrics")

        began = time.monotonic()
        server.process.terminate()
        server.process.wait(MAX_SHUTDOWN_S + MARGIN_S)
        assert time.monotonic() - began < MAX_SHUTDOWN_S + MARGIN_S


@pytest.mark.timed
def test_no_reader_left_is_not_ready_and_the_server_still_stops(tmp_path: Path) -> None:
    with stuck_server(tmp_path) as (server, path, token):
        for _ in range(8):
            leave(server, f"{path}/names", token)
        assert server.log.read_text().count("stuck\n") == 4
        until = time.monotonic() + 10
        while (state := ready(server)) != (503, "readers"):
            assert time.monotonic() < until, state
            time.sleep(0.2)

        began = time.monotonic()
        server.process.terminate()
        server.process.wait(MAX_SHUTDOWN_S + MARGIN_S)
        assert time.monotonic() - began < MAX_SHUTDOWN_S + MARGIN_S


@pytest.mark.timed
def test_a_loop_that_hangs_does_not_keep_the_server(tmp_path: Path) -> None:
    hung = """
import asyncio, sys
from conflicto.platform.http import health
from conflicto.cli import main

async def live(self, call):
    while True:
        pass

health.HealthEndpoints.live = live
sys.argv[0] = "conflicto"
main()
"""
    with served(tmp_path, program=("-c", hung)) as server:
        with pytest.raises(httpx2.TimeoutException):
            httpx2.get(server.url + "/health/live", timeout=0.5, **PLAIN)

        began = time.monotonic()
        server.process.terminate()
        assert server.process.wait(MAX_SHUTDOWN_S + MARGIN_S) == 1
        assert MAX_SHUTDOWN_S - MARGIN_S < time.monotonic() - began < MAX_SHUTDOWN_S + MARGIN_S
        assert "ended-by-force" in server.log.read_text()
