"""Limits that real worker processes share, with and without faults of Redis."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
import redis as client_library

from conflicto.access.code_guard import ADDRESS_POLICY
from conflicto.responses.http import SUBMIT
from tests.support.crowd import Crowd, gather
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, served
from tests.support.servers import valkey_server

MAX_WAIT_S = 2.0
"""Limit for a response while Redis hangs: 50 ms for Redis, the rest for a busy machine."""

LIMITED = {"CONFLICTO_RATE_LIMITS": "on"}


@pytest.fixture
def workers(postgres_database: str, valkey_url: str, tmp_path: Path) -> Iterator[list[Served]]:
    settings = LIMITED | {"DATABASE_URL": postgres_database, "REDIS_URL": valkey_url}
    with ExitStack() as running:
        yield [running.enter_context(served(tmp_path / name, **settings)) for name in ("one", "other")]


def answered(server: Served, crowd: Crowd, number: int = 0) -> int:
    """Send a response and return the status."""
    headers = {"authorization": f"Bearer {crowd.tokens[number]}"}
    body = {"response_data": {"at": server.url}}
    return httpx2.post(
        f"{server.url}/api/v1{crowd.path}/responses", json=body, headers=headers, timeout=PATIENCE_S, **PLAIN
    ).status_code


def decided_alone(server: Served) -> float:
    """Return the number of limits that Redis did not decide in time, as on a busy machine."""
    return float(re.search(r"^conflicto_limit_fallbacks_total (\S+)", server.text("/metrics"), re.MULTILINE)[1])


def looked_up(server: Served, most: int) -> int:
    """Return the number of wrong codes that were looked up."""
    with httpx2.Client(base_url=f"{server.url}/api/v1", timeout=PATIENCE_S, **PLAIN) as http:
        return [http.get(f"/sessions/by-code/{wrong_code(number)}").status_code for number in range(most)].count(404)


def wrong_code(number: int) -> str:
    return "BCDF" + "".join("BCDFGHJKLM"[int(digit)] for digit in f"{number:04}")


def test_a_token_has_one_quota_at_two_workers(workers: list[Served]) -> None:
    crowd, began = gather(workers[0]), time.monotonic()
    statuses = [answered(workers[number % 2], crowd) for number in range(SUBMIT.quota + 60)]
    most = SUBMIT.quota + (time.monotonic() - began) / SUBMIT.interval_s + sum(map(decided_alone, workers))

    assert SUBMIT.quota <= statuses.count(201) <= most + 1
    assert set(statuses) <= {201, 429}
    assert answered(workers[1], crowd, number=1) == 201, "a neighbour is not affected"


def test_failures_at_one_worker_count_at_the_other(workers: list[Served]) -> None:
    began = time.monotonic()
    looked = looked_up(workers[0], ADDRESS_POLICY.quota - 20) + looked_up(workers[1], 200)

    most = ADDRESS_POLICY.quota + (time.monotonic() - began) / ADDRESS_POLICY.interval_s + sum(map(decided_alone, workers))
    assert looked <= most + 1
    assert looked >= ADDRESS_POLICY.quota or any(map(decided_alone, workers)), "without Redis a worker is stricter"


@pytest.mark.parametrize("shared", [False, True])
def test_links_pass_at_every_worker_when_no_more_codes_may_be_tried(
    postgres_database: str, valkey_url: str, tmp_path: Path, shared: bool
) -> None:
    """A QR code admits at once, and then also typed codes from that address."""
    settings = LIMITED | {"DATABASE_URL": postgres_database} | ({"REDIS_URL": valkey_url} if shared else {})
    with ExitStack() as running:
        workers = [running.enter_context(served(tmp_path / name, **settings)) for name in ("one", "other")]
        made = workers[0].call("POST", "/sessions", {"title": "Lecture"})
        code, key = made["join_code"], {"link-key": made["link_key"]}
        for server in workers:
            exhaust(server)
        for number, server in enumerate(workers):
            with httpx2.Client(base_url=f"{server.url}/api/v1", timeout=PATIENCE_S, **PLAIN) as http:
                assert http.get(f"/sessions/by-code/{code}", headers=key).status_code == 200
                body = {"nickname": f"Guest {number}", "code": code}
                assert http.post("/join", json=body, headers=key).status_code == 201
                exhaust(server)
                assert http.get(f"/sessions/by-code/{code}").status_code == 200


def exhaust(server: Served) -> None:
    """Try wrong codes until no more are looked up."""
    with httpx2.Client(base_url=f"{server.url}/api/v1", timeout=PATIENCE_S, **PLAIN) as http:
        for number in range(5_000):
            if http.get(f"/sessions/by-code/{wrong_code(number)}").status_code == 429:
                return
    raise AssertionError("guessing was never refused")


@pytest.mark.catalogue("R-06")
@pytest.mark.parametrize("fault", ["killed", "hangs", "full"])
@pytest.mark.timed
def test_answers_go_on_and_guesses_do_not(tmp_path: Path, fault: str) -> None:
    """R-06: no errors, and no wait for Redis."""
    with valkey_server() as valkey, served(tmp_path, REDIS_URL=valkey.connection_url, **LIMITED) as server:
        crowd = gather(server)
        assert answered(server, crowd) == 201
        pid = valkey._process.pid
        with client_library.Redis.from_url(valkey.connection_url) as client:
            if fault == "full":
                client.config_set("maxmemory", "1")
                client.config_set("maxmemory-policy", "noeviction")
        if fault != "full":
            os.kill(pid, signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
        try:
            took = []
            for number in range(60):
                began = time.monotonic()
                assert answered(server, crowd, number % len(crowd.tokens)) == 201
                took.append(time.monotonic() - began)
            began = time.monotonic()
            looked = looked_up(server, 90)
            assert 60 <= looked <= 61 + (time.monotonic() - began)
            assert max(took) < MAX_WAIT_S
        finally:
            if fault == "hangs":
                os.kill(pid, signal.SIGCONT)
        assert "conflicto_limit_fallbacks_total 0" not in server.text("/metrics")


async def test_simultaneous_answers_share_batches(tmp_path: Path) -> None:
    with valkey_server() as valkey, served(tmp_path, REDIS_URL=valkey.connection_url, **LIMITED) as server:
        crowd = gather(server)
        with client_library.Redis.from_url(valkey.connection_url) as client:
            before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
            async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_S, **PLAIN) as http:
                requests = (
                    http.post(
                        f"/api/v1{crowd.path}/responses",
                        json={"response_data": number},
                        headers={"authorization": f"Bearer {crowd.tokens[number % len(crowd.tokens)]}"},
                    )
                    for number in range(200)
                )
                statuses = {answer.status_code for answer in await asyncio.gather(*requests)}
            trips = client.info("commandstats")["cmdstat_evalsha"]["calls"] - before

        assert statuses == {201}
        assert trips < 200
