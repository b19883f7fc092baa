"""The worker that writes for its neighbours is killed, halted or ended while phones answer."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crowd import gather
from tests.support.machines import machines
from tests.support.processes import Served

ANSWERS = 40
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""A killed process cannot write its coverage."""


@pytest.fixture
def neighbours(postgres_template: str, postgres_url: str, tmp_path: Path) -> Iterator[list[Served]]:
    """Two workers of one machine. The first one is older, so it writes."""
    sockets = tmp_path / "sockets"
    sockets.mkdir(mode=0o700)
    with machines(tmp_path, postgres_url, CONFLICTO_WORKERS_DIR=str(sockets), **UNMEASURED) as servers:
        yield sorted(servers, key=lambda server: server.process.pid)


def test_kill_of_the_writer_refuses_and_loses_nothing(neighbours: list[Served]) -> None:
    writer, other = neighbours
    crowd = gather(other)
    with crowd.answering(other):
        crowd.wait_for(ANSWERS)
        writer.kill()
        crowd.wait_for(ANSWERS)
    assert crowd.refused == []
    assert crowd.lost(other) == {}


def test_end_of_the_writer_refuses_and_loses_nothing(neighbours: list[Served]) -> None:
    writer, other = neighbours
    crowd = gather(other)
    with crowd.answering(other):
        crowd.wait_for(ANSWERS)
        writer.stop()
        crowd.wait_for(ANSWERS)
    assert crowd.refused == []
    assert crowd.lost(other) == {}


def test_kill_of_a_worker_that_forwards_loses_nothing(neighbours: list[Served]) -> None:
    writer, other = neighbours
    crowd = gather(other)
    threads = crowd.answer_until_it_breaks(other)
    crowd.wait_for(ANSWERS)
    other.kill()
    for thread in threads:
        thread.join()
    assert crowd.lost(writer) == {}


def test_halted_writer_is_given_up_and_does_no_harm_when_it_goes_on(neighbours: list[Served]) -> None:
    """It may halt with the session's row locked. Then answers are refused until the lock ends."""
    writer, other = neighbours
    crowd = gather(other)
    with crowd.answering(other):
        crowd.wait_for(ANSWERS)
        writer.process.send_signal(signal.SIGSTOP)
        try:
            crowd.wait_for(ANSWERS)
        finally:
            writer.process.send_signal(signal.SIGCONT)
        crowd.wait_for(ANSWERS)
    assert {status for status, _ in crowd.refused} <= {503}
    for server in neighbours:
        assert crowd.lost(server) == {}
