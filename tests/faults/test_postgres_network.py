"""PostgreSQL stopped, unreachable, slow or silent: requests end in time, and nothing is lost."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from conflicto import migrations
from tests.support.bad_network import Network, Weather, network
from tests.support.crowd import Crowd, gather
from tests.support.machines import got, until
from tests.support.processes import PLAIN, Served, served
from tests.support.servers import Cluster, create_database, postgres_cluster

DEADLINE_S = 8.0 + 4.0
"""Longest wait of a caller for the database (`Timeouts.caller_s`), and headroom."""
BACK_S = 1.0 + 3.0
"""Time from the database's return to the first acknowledgement, and headroom."""
CUTS = 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgres_cluster() as cluster:
        create_database(cluster.url, "template")
        migrations.upgrade(f"{cluster.url.rpartition('/')[0]}/template")
        yield cluster


@contextmanager
def behind(cluster: Cluster, folder: Path, name: str, **more: str) -> Iterator[tuple[Served, Network]]:
    """Yield a server that reaches its database through a network with faults."""
    url = create_database(cluster.url, name, template="template")
    with network(cluster.port) as relay:
        through = url.replace(f":{cluster.port}/", f":{relay.port}/")
        with served(folder, DATABASE_URL=through, **more) as server:
            yield server, relay


def health(server: Served) -> tuple[int, int]:
    """Return the statuses of liveness and readiness."""
    return tuple(httpx2.get(f"{server.url}/health/{which}", timeout=20, **PLAIN).status_code for which in ("live", "ready"))


def attempt(server: Served, crowd: Crowd, key: str) -> tuple[int, float, str | None]:
    """Send a response; return the status, its duration in seconds, and the time to retry."""
    began = time.monotonic()
    answer = httpx2.post(
        f"{server.url}/api/v1{crowd.path}/responses",
        json={"response_data": {"phone": -1, "count": key, "server": 0}},
        headers={"authorization": f"Bearer {crowd.tokens[0]}", "idempotency-key": key},
        timeout=30,
        **PLAIN,
    )
    return answer.status_code, time.monotonic() - began, answer.headers.get("retry-after")


@pytest.mark.catalogue("F-10")
def test_while_postgres_is_unreachable_cached_reads_work_and_the_rest_is_refused_in_time(cluster: Cluster, tmp_path: Path) -> None:
    with behind(cluster, tmp_path, "refusing") as (server, relay):
        crowd = gather(server)
        known = got(server, f"/sessions/{crowd.session_id}/status", crowd.host)
        assert attempt(server, crowd, "before")[0] == 201

        relay.weather = Weather.REFUSING
        relay.cut()
        status, took, back = attempt(server, crowd, "during")
        assert (status, bool(back)) == (503, True)
        assert took < DEADLINE_S
        again = got(server, f"/sessions/{crowd.session_id}/status", crowd.host)
        assert (again.status_code, again.json()["status"]) == (200, known.json()["status"])
        until(lambda: health(server) == (200, 503))

        relay.weather = Weather.FAIR
        until(lambda: attempt(server, crowd, "during")[0] == 201, within_s=BACK_S + 5)
        until(lambda: health(server) == (200, 200))
        assert server.process.poll() is None
        assert sorted(each["response_data"]["count"] for each in crowd.stored(server)) == ["before", "during"]


@pytest.mark.catalogue("F-11")
def test_a_silent_database_is_not_waited_for_without_end(cluster: Cluster, tmp_path: Path) -> None:
    with behind(cluster, tmp_path, "silent") as (server, relay):
        crowd = gather(server)
        relay.weather = Weather.BLACK_HOLE
        status, took, back = attempt(server, crowd, "lost")
        assert (status, bool(back)) == (503, True)
        assert took < DEADLINE_S
        began = time.monotonic()
        assert got(server, f"{crowd.path}/responses?participant_id=1", crowd.host).status_code == 503
        assert time.monotonic() - began < DEADLINE_S
        assert httpx2.get(f"{server.url}/health/live", timeout=5, **PLAIN).status_code == 200

        relay.weather = Weather.FAIR
        until(lambda: attempt(server, crowd, "lost")[0] in {200, 201}, within_s=DEADLINE_S + 8)
        assert [each["response_data"]["count"] for each in crowd.stored(server)] == ["lost"]


@pytest.mark.catalogue("F-11")
def test_a_slow_database_makes_answers_slow_and_nothing_else(cluster: Cluster, tmp_path: Path) -> None:
    with behind(cluster, tmp_path, "slow") as (server, relay):
        crowd = gather(server)
        relay.weather = Weather.SLOW
        with crowd.answering(server):
            crowd.wait_for(24)
            began = time.monotonic()
            assert got(server, f"/sessions/{crowd.session_id}/status", crowd.host).status_code == 200
            assert time.monotonic() - began < 1.0
        assert crowd.refused == []
        relay.weather = Weather.FAIR
        assert crowd.lost(server) == {}


@pytest.mark.catalogue("F-10")
def test_commits_whose_reply_is_lost_are_settled_by_the_key(cluster: Cluster, tmp_path: Path) -> None:
    with behind(cluster, tmp_path, "cuts") as (server, relay):
        crowd = gather(server)
        relay.drop_after = b"COMMIT"
        with crowd.answering(server):
            for number in range(1, CUTS + 1):
                crowd.wait_for(8)
                relay.drop_left = 1
                crowd.wait_until(lambda number=number: relay.dropped >= number)
            crowd.wait_for(16)
        assert {status for status, _ in crowd.refused} <= {503}
        assert crowd.refused
        assert crowd.lost(server) == {}


@pytest.mark.catalogue("F-12")
def test_five_hundred_clients_of_two_connections_get_an_answer_or_a_refusal(cluster: Cluster, tmp_path: Path) -> None:
    with behind(cluster, tmp_path, "pool", DATABASE_POOL_SIZE="2", DATABASE_MAX_OVERFLOW="0") as (server, relay):
        crowd = gather(server)
        relay.weather, relay.delay_s = Weather.SLOW, 0.01
        statuses, slowest = flood(server, f"/sessions/{crowd.session_id}/participants", crowd.host, 500)
        assert set(statuses) <= {200, 503}
        assert 200 in statuses
        assert slowest < DEADLINE_S
        began = time.monotonic()
        assert health(server)[0] == 200
        assert time.monotonic() - began < DEADLINE_S
        until(lambda: got(server, f"/sessions/{crowd.session_id}/participants", crowd.host).status_code == 200)


def flood(server: Served, path: str, token: str, number: int) -> tuple[list[int], float]:
    """Send requests over several connections at once; return every status and the longest wait."""
    port = int(server.url.rpartition(":")[2])
    request = f"GET /api/v1{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n".encode()

    async def one() -> tuple[int, float]:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        line = await reader.readline()
        await reader.read()
        writer.close()
        return int(line.split()[1]), time.monotonic() - began

    async def everyone() -> list[tuple[int, float]]:
        return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(number))), 60)

    found = asyncio.run(everyone())
    return [status for status, _ in found], max(took for _, took in found)
