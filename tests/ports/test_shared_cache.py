"""Shared copies in a real Valkey: foreign and damaged values are ignored."""

import secrets
from collections.abc import AsyncIterator

import pytest

from conflicto.platform.clock import Clock
from conflicto.platform.redis import Redis
from conflicto.platform.shared_cache import MAX_VALUE_BYTES, SharedCache

KEY = b"k" * 32


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    redis = Redis(valkey_url, Clock(), deadline_s=5.0)  # a machine that is busy with other tests responds late
    yield redis
    await redis.close()


@pytest.fixture
def prefix() -> str:
    return f"test:{secrets.token_hex(6)}:"


async def test_what_one_puts_another_gets_for_a_while(redis: Redis, prefix: str) -> None:
    first, second = SharedCache(redis, prefix, KEY, 300), SharedCache(redis, prefix, KEY, 300)
    assert await second.get("page") is None
    await first.put("page", b'{"items":[]}')
    assert await second.get("page") == b'{"items":[]}'
    assert 0 < await redis.run(lambda client: client.ttl(prefix + "page"), default=0) <= 300


async def test_nothing_is_believed_that_was_not_put_there_under_this_name(redis: Redis, prefix: str) -> None:
    cache, stranger = SharedCache(redis, prefix, KEY, 300), SharedCache(redis, prefix, b"x" * 32, 300)
    await cache.put("a", b"of a")
    stored = await redis.run(lambda client: client.get(prefix + "a"), default=None)
    for value in (stored[:-1], stored[:-1] + b"b", b"", b"of a", stored + b"!", stored[1:], b"\0" * 64):
        await redis.run(lambda client, value=value: client.set(prefix + "a", value), default=None)
        assert await cache.get("a") is None
    await redis.run(lambda client: client.set(prefix + "b", stored), default=None)
    assert await cache.get("b") is None
    await stranger.put("a", b"from elsewhere")
    assert await cache.get("a") is None
    await redis.run(lambda client: client.delete(prefix + "c"), default=None)
    await redis.run(lambda client: client.lpush(prefix + "c", b"a list"), default=None)
    assert await cache.get("c") is None


async def test_what_is_too_large_is_not_kept(redis: Redis, prefix: str) -> None:
    cache = SharedCache(redis, prefix, KEY, 300)
    await cache.put("large", b"x" * (MAX_VALUE_BYTES + 1))
    assert await cache.get("large") is None


async def test_without_a_server_there_is_nothing(prefix: str) -> None:
    nowhere = Redis("redis://127.0.0.1:1/0", Clock())
    cache = SharedCache(nowhere, prefix, KEY, 300)
    await cache.put("a", b"value")
    assert await cache.get("a") is None
    await nowhere.close()
