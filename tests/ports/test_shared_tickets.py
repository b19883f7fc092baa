"""Tickets are valid once across all workers, or once per worker without Redis."""

import secrets

import pytest

from conflicto.access.errors import TokenInvalid
from conflicto.access.tickets import UsedTickets
from conflicto.platform.clock import Clock
from conflicto.platform.redis import Redis


async def test_workers_with_a_redis_share_tickets(valkey_url: str) -> None:
    redis, epoch = Redis(valkey_url, Clock(), deadline_s=5.0), secrets.token_hex(6)
    first, second = UsedTickets(Clock(), redis, epoch), UsedTickets(Clock(), redis, epoch)
    await first.use("a")
    for each in (first, second):
        with pytest.raises(TokenInvalid):
            await each.use("a")
    await second.use("b")
    await redis.close()


async def test_without_an_answer_of_redis_each_worker_decides_alone() -> None:
    nowhere = Redis("redis://127.0.0.1:1/0", Clock())
    first, second = UsedTickets(Clock(), nowhere, "e"), UsedTickets(Clock(), nowhere, "e")
    await first.use("a")
    await second.use("a")
    with pytest.raises(TokenInvalid):
        await first.use("a")
    await nowhere.close()
