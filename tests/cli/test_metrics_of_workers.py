"""Two real workers on PostgreSQL: either returns the metrics of both."""

import os
import signal
import time
from pathlib import Path

import httpx2
import pytest

from tests.support import databases
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, served
from tests.support.scrape import Samples, parse


@pytest.fixture
def two(postgres_url: str, postgres_template: str, tmp_path: Path):
    with databases.postgres_copy(postgres_url) as url, served(tmp_path, workers=2, DATABASE_URL=url) as server:
        _until(server, lambda samples: samples["conflicto_workers", ()] == 2)
        yield server


def scrape(server: Served) -> Samples:
    return parse(server.text("/metrics"))


def lives(samples: Samples) -> float:
    return samples.get(("conflicto_requests_total", ("GET", "/health/live", "200")), 0.0)


ACCEPTED = "conflicto_responses_total", ("submit", "accepted")


def _polls(samples: Samples) -> float:
    return sum(
        number for (name, labels), number in samples.items() if name == "conflicto_polls_total" and labels[0] == "session_status"
    )


def test_every_request_is_counted_once_at_any_worker(two: Served) -> None:
    before = lives(scrape(two))
    for _ in range(60):
        assert httpx2.get(f"{two.url}/health/live", **PLAIN).is_success  # one connection each, so that both workers get some

    samples = _until(two, lambda samples: lives(samples) == before + 60)

    assert samples["conflicto_workers", ()] == 2
    pages = int(Path(f"/proc/{two.process.pid}/statm").read_text().split()[1])
    supervisor = samples["conflicto_supervisor_resident_memory_bytes", ()]
    assert 0.5 < supervisor / (pages * os.sysconf("SC_PAGE_SIZE")) < 2, "the parent's memory, counted once"
    assert samples["conflicto_pool_limit", ()] <= 50, "DATABASE_POOL_SIZE plus DATABASE_MAX_OVERFLOW"
    time.sleep(2.5)
    assert lives(scrape(two)) == before + 60, "the values stay"


def test_answers_and_polls_are_counted_once_on_both_paths(two: Served) -> None:
    session = two.call("POST", "/sessions", {"title": "Town hall"})
    host, path = session["host_token"], f"/sessions/{session['id']}"
    two.call("PATCH", path, {"status": "active"}, token=host)
    fields = {"type": "anything", "status": "active", "response_policy": "many"}
    activity = two.call("POST", f"{path}/activities", fields, token=host)
    phone = two.call("POST", "/join", {"nickname": "Anna", "code": session["join_code"]})["participant_token"]
    for number in range(30):  # each call opens a connection
        two.call("POST", f"{path}/activities/{activity['id']}/responses", {"response_data": number}, token=phone)
    for _ in range(60):
        two.call("GET", f"{path}/status", token=phone)

    samples = _until(two, lambda samples: _polls(samples) == 60 and samples.get(ACCEPTED) == 30)

    assert samples["conflicto_commit_commands_sum", ()] >= 30
    assert samples["conflicto_committed_events_total", ()] >= 30
    assert samples.get(("conflicto_polls_total", ("session_status", "accepted", "fast")), 0) > 0
    assert samples["conflicto_pool_open", ()] <= samples["conflicto_pool_limit", ()]


def test_the_counts_of_a_killed_worker_stay_and_no_counter_falls(two: Served) -> None:
    for _ in range(40):
        httpx2.get(f"{two.url}/health/live", **PLAIN)
    high = lives(_until(two, lambda samples: lives(samples) >= 40))
    workers = _children(two.process.pid)
    assert len(workers) == 2

    os.kill(workers[0], signal.SIGKILL)

    end = time.monotonic() + PATIENCE_S
    while workers[0] in _children(two.process.pid) or len(_children(two.process.pid)) < 2:
        assert time.monotonic() < end, two.log.read_text()
        high = _not_below(two, high)
    _until(two, lambda samples: samples["conflicto_workers", ()] == 2 and lives(samples) >= high)


def _not_below(server: Served, high: float) -> float:
    try:
        now = lives(scrape(server))
    except httpx2.TransportError:
        return high  # the connection belonged to the killed worker
    assert now >= high
    time.sleep(0.05)
    return now


def _children(pid: int) -> list[int]:
    """Return the processes that serve; multiprocessing's own tracker does not."""
    children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def _until(server: Served, true) -> Samples:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            samples = scrape(server)
        except httpx2.TransportError:
            samples = None
        if samples and true(samples):
            return samples
        assert time.monotonic() < end, samples
        time.sleep(0.1)
