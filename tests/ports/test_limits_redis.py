"""The bucket in Redis equals the pure function, and its keys expire."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import redis as client_library
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.platform.limits.bucket import Policy, Verdict, admit
from conflicto.platform.limits.shared_buckets import SPEND_LUA, TTL_LUA, Script, SpendRequest, spend
from tests.support.patience import PATIENCE_S

POLICIES = st.builds(Policy, st.sampled_from(["p", "q"]), st.integers(1, 50), st.sampled_from([1, 7, 60, 3600]))
STEPS = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(-50, 100, allow_nan=False)), st.sampled_from("ab"), st.integers(-3, 5)),
    min_size=1,
    max_size=40,
)
AT_A_GIVEN_TIME = Script.from_parts("local now = tonumber(ARGV[2])\n", SPEND_LUA.replace(TTL_LUA, "'EX', 3600"))
"""The script with a clock that the test sets. Redis expires keys by its own clock, so the script
keeps them; a later test covers expiry."""


@pytest.fixture(scope="module")
def valkey(valkey_url: str) -> Iterator[client_library.Redis]:
    with client_library.Redis.from_url(valkey_url) as client:
        yield client


class Awaitable:
    """A blocking client for the script, so that hypothesis needs no event loop."""

    def __init__(self, client: client_library.Redis) -> None:
        self._client = client

    async def evalsha(self, *arguments: object) -> object:
        return self._client.evalsha(*arguments)

    async def eval(self, *arguments: object) -> object:
        return self._client.eval(*arguments)


def run(client: client_library.Redis, spendings: list[SpendRequest], now_s: float | None = None) -> list[Verdict]:
    script = () if now_s is None else (AT_A_GIVEN_TIME, repr(now_s))
    spending = spend(Awaitable(client), spendings, *script)
    try:
        spending.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError


@settings(max_examples=300)
@given(POLICIES, STEPS, st.floats(0, 1e9))
def test_the_script_equals_the_pure_function(valkey: client_library.Redis, policy: Policy, steps: list, start: float) -> None:
    valkey.flushall()
    states, now = {"a": 0.0, "b": 0.0}, start
    for wait, key, cost in steps:
        now = max(1.0, now + wait)
        states[key], expected = admit(states[key], now, policy, cost)
        assert run(valkey, [SpendRequest(key, policy, cost)], now) == [expected]
        assert float(valkey.get(key) or 0) == states[key]


@settings(max_examples=100)
@given(POLICIES, STEPS, st.floats(0, 1e9))
def test_one_batch_equals_many_batches_of_one(valkey: client_library.Redis, policy: Policy, steps: list, now: float) -> None:
    valkey.flushall()
    expected, states = [], {"a": 0.0, "b": 0.0}
    for _, key, cost in steps:
        states[key], verdict = admit(states[key], now, policy, cost)
        expected.append(verdict)
    assert run(valkey, [SpendRequest(key, policy, cost) for _, key, cost in steps], now) == expected


def test_time_is_the_servers_and_keys_expire_when_full(valkey: client_library.Redis) -> None:
    valkey.flushall()
    policy = Policy("quick", 10, 1)
    verdicts = run(valkey, [SpendRequest("quick", policy, 1)] * 12)
    assert [each.allowed for each in verdicts] == [True] * 10 + [False] * 2
    assert 0 < valkey.pttl("quick") <= 1001  # rounded up; the burst itself takes a moment
    deadline = time.monotonic() + PATIENCE_S
    while valkey.exists("quick"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def test_the_script_is_sent_again_to_a_restarted_server(valkey_url: str, valkey: client_library.Redis) -> None:
    async with client_library.asyncio.Redis.from_url(valkey_url) as client:
        for _ in range(2):
            valkey.script_flush()
            assert (await spend(client, [SpendRequest("again", Policy("again", 3, 60), 1)]))[0].allowed
        assert (await asyncio.gather(*(spend(client, [SpendRequest("again", Policy("again", 3, 60), 1)]) for _ in range(3))))[0]
