"""A damaged SQLite file or unreadable page: only requests that need it fail."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.machines import Hall, got, open_hall
from tests.support.power import Disk
from tests.support.processes import PLAIN, Served, environment, run, served

PAGE = 4096
LEAVES = (10, 13)
"""First byte of SQLite's leaf pages: index and table."""
ANSWERS = 24
WORD = "of the first hall "
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}


class Halls:
    """Two sessions in one database. The first fills pages with its own responses."""

    def __init__(self, server: Served) -> None:
        self.first, self.second = (open_hall(server, response_policy="many") for _ in range(2))
        _, self.ada = self.first.join(server, "Ada")
        _, self.bert = self.second.join(server, "Bert")
        for number in range(ANSWERS):
            self.first.answer(server, self.ada, f"{number}: " + WORD * 50)
        for number in range(ANSWERS):
            self.second.answer(server, self.bert, f"{number}: " + "of the second hall " * 50)

    def damage(self, file: Path) -> int:
        """Overwrite each leaf with responses of the first session only; return their number."""
        data, number = bytearray(file.read_bytes()), 0
        for at in range(0, len(data), PAGE):
            page = bytes(data[at : at + PAGE])
            if page[0] in LEAVES and WORD.encode() * 2 in page and b"of the second hall" not in page:
                data[at : at + 16] = b"\xff" * 16
                number += 1
        with file.open("r+b") as written:
            written.write(data)
        return number


def stored(server: Served, hall: Hall) -> httpx2.Response:
    return got(server, f"{hall.activity}/responses/since/0?limit=1000", hall.host)


def reset(server: Served, hall: Hall) -> httpx2.Response:
    """Clear the round, which reads every response."""
    headers = {"authorization": f"Bearer {hall.host}"}
    return httpx2.post(f"{server.url}/api/v1{hall.activity}/reset", json={}, headers=headers, timeout=30, **PLAIN)


def readiness(server: Served) -> tuple[int, Any]:
    answer = httpx2.get(f"{server.url}/health/ready", timeout=10, **PLAIN)
    return answer.status_code, answer.json()


def log_lines(server: Served, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


@pytest.mark.catalogue("F-08")
def test_a_page_found_damaged_is_the_databases_fault_and_hurts_only_who_needs_it(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        halls = Halls(server)
        server.stop()
    with served(tmp_path) as server:  # its caches are empty
        assert readiness(server)[0] == 200
        assert halls.damage(tmp_path / "conflicto.sqlite3") > 2

        for _ in range(3):
            answer = stored(server, halls.first)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert reset(server, halls.first).status_code == 503
        (logged,) = log_lines(server, "database-damaged")
        assert logged["level"] == "error"
        status, problem = readiness(server)
        assert (status, problem["code"], problem["dependency"], problem["reason"]) == (503, "not-ready", "database", "damaged")
        assert httpx2.get(f"{server.url}/health/live", **PLAIN).status_code == 200

        kept = halls.second.answer(server, halls.bert, "taken after it was found")
        assert kept["id"] in {item["id"] for item in stored(server, halls.second).json()["items"]}
        server.stop()
    with served(tmp_path) as server:
        assert kept["id"] in {item["id"] for item in stored(server, halls.second).json()["items"]}
    found = run("db", "check", env=environment(tmp_path))
    assert found.exit_code == 3
    assert "conflicto db restore" in found.stderr


@pytest.mark.catalogue("F-06")
def test_an_unreadable_page_is_reported_and_reads_go_on_after_repair(tmp_path: Path) -> None:
    disk = Disk.below(tmp_path)
    with served(disk.live) as server:
        halls = Halls(server)
        server.stop()
    with served(disk.live, **disk.environment, **UNMEASURED) as server:
        with disk.broken("read"):
            for _ in range(3):
                answer = stored(server, halls.first)
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert reset(server, halls.first).status_code == 503
        assert len(log_lines(server, "database-damaged")) == 1
        assert readiness(server)[1]["reason"] == "damaged"
        assert stored(server, halls.first).json()["count"] == ANSWERS
        halls.first.answer(server, halls.ada, "after it")
        assert stored(server, halls.first).json()["count"] == ANSWERS + 1
        server.stop()
    with served(disk.live) as server:
        assert readiness(server)[0] == 200
        assert stored(server, halls.first).json()["count"] == ANSWERS + 1
