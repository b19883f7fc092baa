"""Several workers: every change appears at all of them soon, once, and byte for byte."""

import os
import signal
import statistics
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.crowd import gather
from tests.support.machines import Hall, got, machines, open_hall, until
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served

STALE_S = 2.0
"""Age of a read at another worker."""
HEADROOM = 3.0
"""Additional time for a machine that is busy with other tests."""
ROUNDS = 9


@pytest.fixture(scope="module")
def ringing(
    postgres_template: str, postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Served]]:
    """Two servers with doorbells; every test uses new sessions."""
    with machines(tmp_path_factory.mktemp("ringing"), postgres_url, patient=True, REDIS_URL=valkey_url) as servers:
        yield servers


@pytest.fixture(scope="module")
def sweeping(postgres_template: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Served]]:
    """Two servers that share only a database."""
    with machines(tmp_path_factory.mktemp("sweeping"), postgres_url, patient=True) as servers:
        yield servers


@pytest.fixture(scope="module")
def neighbours(postgres_template: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Served]]:
    """Two servers of one machine, which find each other in a directory."""
    folder = tmp_path_factory.mktemp("neighbours")
    with machines(folder, postgres_url, patient=True, CONFLICTO_WORKERS_DIR=str(sockets(folder))) as servers:
        yield servers


def sockets(folder: Path) -> Path:
    made = folder / "sockets"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture(params=["ringing", "sweeping", "neighbours"])
def pair(request: pytest.FixtureRequest) -> list[Served]:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["with doorbells", "by the sweep"])
def mortal(request: pytest.FixtureRequest, postgres_template: str, postgres_url: str, tmp_path: Path) -> Iterator[list[Served]]:
    """Two servers that a test may kill."""
    more = {"REDIS_URL": request.getfixturevalue("valkey_url")} if request.param == "with doorbells" else {}
    with machines(tmp_path, postgres_url, **more) as servers:
        yield servers


def read_status(server: Served, hall: Hall, token: str) -> dict[str, Any]:
    """Return all feeds and bodies of a member, with their ETags."""
    paths = ("/status", "/changes/since/0", "/leaderboard", f"/activities/{hall.activity_id}/status")
    paths += (f"/activities/{hall.activity_id}/results",)
    answers = {path: got(server, hall.path + path, token) for path in paths}
    return {path: (each.status_code, each.headers.get("etag"), each.content) for path, each in answers.items()}


def test_a_change_at_one_worker_reads_alike_at_all(pair: list[Served]) -> None:
    first, second = pair
    hall = open_hall(first)
    seats = [hall.join(pair[number % 2], f"Person {number}") for number in range(6)]
    assert read_status(second, hall, hall.host)["/status"][0] == 200
    for turn in range(3):
        for number, (_, token) in enumerate(seats):
            hall.answer(pair[(number + turn) % 2], token, f"{turn}-{number % 3}")
    second.call("POST", f"{hall.activity}/rounds", {}, token=hall.host)
    hall.answer(first, seats[0][1], "again")
    first.call("PATCH", f"/participants/{seats[1][0]}", {"nickname": "Renamed"}, token=hall.host)
    second.call("POST", f"{hall.path}/lock", {"locked": True}, token=hall.host)

    until(lambda: read_status(first, hall, hall.host) == read_status(second, hall, hall.host))
    assert {status for status, _, _ in read_status(first, hall, hall.host).values()} == {200}
    until(lambda: got(first, f"{hall.path}/status", seats[0][1]).json()["locked"])
    for server in pair:
        page = got(server, f"{hall.path}/changes/since/0?limit=1000", hall.host).json()
        for other in pair:
            assert got(other, f"{hall.path}/changes/since/{page['cursor']}", hall.host).json()["items"] == []


@pytest.mark.catalogue("C-02")
def test_results_are_exact_while_everyone_writes_everywhere(pair: list[Served]) -> None:
    hall = open_hall(pair[0])
    seats = [hall.join(pair[number % 2], f"Person {number}")[1] for number in range(8)]
    for server in pair:
        assert got(server, f"{hall.activity}/results", hall.host).status_code == 200

    def write(number: int, token: str) -> None:
        for turn in range(12):
            hall.answer(pair[(number + turn) % 2], token, (number * turn) % 4)

    threads = [threading.Thread(target=write, args=each) for each in enumerate(seats)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for server in pair:
            assert got(server, f"{hall.activity}/results", hall.host).status_code == 200
    expected = Counter(str((number * 11) % 4) for number in range(8))
    for server in pair:
        until(lambda server=server: counted(server, hall) == expected)


def counted(server: Served, hall: Hall) -> dict[str, int]:
    body = got(server, f"{hall.activity}/results", hall.host).json()
    return {str(each["value"]): each["count"] for each in body["results"]["all"]["values"]}


@pytest.mark.timed
def test_waits_at_other_workers_end_by_doorbell(ringing: list[Served]) -> None:
    """The sweep alone would take half a second on average."""
    first, second = ringing
    hall = open_hall(first)
    _, token = hall.join(first, "Ada")
    took: list[float] = []

    def answer(began: list[float], turn: int) -> None:
        began.append(time.monotonic())
        hall.answer(first, token, turn)

    with httpx2.Client(
        base_url=f"{second.url}/api/v1", headers={"authorization": f"Bearer {hall.host}"}, timeout=PATIENCE_S, **PLAIN
    ) as waiting:
        cursor = "now"
        for turn in range(ROUNDS):
            cursor = waiting.get(f"{hall.activity}/responses/since/{cursor}").json()["cursor"]
            began: list[float] = []
            timer = threading.Timer(0.15, answer, (began, turn))
            timer.start()
            page = waiting.get(f"{hall.activity}/responses/since/{cursor}?wait=10").json()
            took.append(time.monotonic() - began[0])
            timer.join()
            assert [item["response_data"] for item in page["items"]] == [turn]
            cursor = page["cursor"]
    assert statistics.median(took) < 0.35, took


def test_neighbours_show_an_acknowledged_answer_at_once(neighbours: list[Served]) -> None:
    hall = open_hall(neighbours[0])
    tokens = [hall.join(server, f"At {number}")[1] for number, server in enumerate(neighbours)]
    for server in neighbours:
        assert got(server, f"{hall.path}/status", hall.host).status_code == 200
    hall.answer(neighbours[0], tokens[0], "to meet")  # whichever writes, both have heard of each other now
    until(lambda: all(counted(server, hall) == {"to meet": 1} for server in neighbours))
    for turn in range(ROUNDS):
        hall.answer(neighbours[turn % 2], tokens[turn % 2], turn)
        assert str(turn) in counted(neighbours[turn % 2], hall)


@pytest.mark.timed
def test_change_is_seen_elsewhere_in_time(pair: list[Served]) -> None:
    first, second = pair
    hall = open_hall(first)
    _, token = hall.join(first, "Ada")
    assert got(second, f"{hall.path}/status", token).json()["locked"] is False
    first.call("POST", f"{hall.path}/lock", {"locked": True}, token=hall.host)
    until(lambda: got(second, f"{hall.path}/status", token).json()["locked"], within_s=STALE_S + HEADROOM)


def test_who_is_removed_at_one_is_out_at_all(pair: list[Served]) -> None:
    first, second = pair
    hall = open_hall(first)
    seat, token = hall.join(first, "Ada")
    assert got(second, f"{hall.path}/status", token).status_code == 200
    first.call("DELETE", f"/participants/{seat}", token=hall.host)
    assert got(first, f"{hall.path}/status", token).status_code == 401
    until(lambda: got(second, f"{hall.path}/status", token).status_code == 401)


@pytest.mark.catalogue("C-10")
@pytest.mark.timed
def test_time_is_over_once_and_on_time_wherever_it_was_set(mortal: list[Served]) -> None:
    first, second = mortal
    hall = open_hall(first, duration_seconds=2)
    lasting = open_hall(first, duration_seconds=3)
    assert got(second, f"{lasting.path}/status", lasting.host).status_code == 200
    began = time.monotonic()
    until(lambda: got(second, f"{hall.activity}/status", hall.host).json()["status"] == "expired")
    assert time.monotonic() - began < 2 + STALE_S + HEADROOM
    first.kill()
    until(lambda: got(second, f"{lasting.activity}/status", lasting.host).json()["status"] == "expired")

    for each in (hall, lasting):
        moves = second.call("GET", f"{each.path}/transitions", token=each.host)["items"]
        ended = [move for move in moves if move["to_status"] == "expired"]
        assert [move["actor"] for move in ended] == ["system"]


def test_ticket_opens_one_stream_at_one_worker(ringing: list[Served]) -> None:
    first, second = ringing
    hall = open_hall(first)
    ticket = first.call("POST", f"{hall.path}/events/ticket", token=hall.host)["ticket"]
    path = f"/api/v1{hall.path}/events?ticket={ticket}"
    with httpx2.stream("GET", first.url + path, timeout=PATIENCE_S, **PLAIN) as stream:
        assert stream.status_code == 200
    for server in ringing:
        with httpx2.stream("GET", server.url + path, timeout=PATIENCE_S, **PLAIN) as again:
            assert again.status_code == 401
    assert got(second, f"{hall.path}/status", hall.host).status_code == 200


def children(server: Served) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(server.process.pid), "-f", "spawn_main"], capture_output=True, text=True, check=False
    )
    return [int(each) for each in found.stdout.split()]


def test_workers_of_one_machine_share_its_port_and_survive_each_other(
    postgres_template: str, postgres_url: str, valkey_url: str, tmp_path: Path
) -> None:
    with machines(tmp_path, postgres_url, number=1, workers=2, REDIS_URL=valkey_url) as (server,):
        workers = children(server)
        assert len(workers) == 2
        crowd = gather(server)
        with crowd.answering(server):
            crowd.wait_for(60)
            os.kill(workers[0], signal.SIGKILL)
            crowd.wait_for(60)
            until(lambda: len(children(server)) == 2 and workers[0] not in children(server))
            crowd.wait_for(60)
        assert {status for status, _ in crowd.refused} <= {0, 503}
        assert crowd.lost(server) == {}
        assert server.stop() == 0


def test_workers_find_room_for_sockets_beside_a_long_folder_of_temporary_files(
    postgres_template: str, postgres_url: str, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    with machines(tmp_path, postgres_url, number=1, workers=2, TMPDIR=str(long)) as (server,):
        assert server.call("GET", "/sessions")["total"] == 0
    assert list(long.iterdir()) == []
