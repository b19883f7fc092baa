"""Buckets in Redis or Valkey that all workers spend from.

One Lua script spends, and requests that arrive at the same time share one batch.
"""

from __future__ import annotations

import asyncio
from functools import partial
from hashlib import sha1
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from redis.exceptions import NoScriptError

from conflicto.platform.limits.bucket import ROUNDING_S, Verdict, to_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.limits.bucket import Policy
    from conflicto.platform.redis import Redis

EPOCH_S = 1_767_225_600
"""2026-01-01, from which seconds are counted: a double counted from 1970 is exact to 0.25 µs only.
"""

TIME_LUA = f"""
local time = redis.call('TIME')
local now = time[1] - {EPOCH_S} + time[2] / 1e6
"""
"""Redis' own clock, because the clocks of workers may differ by minutes."""

TTL_LUA = "'PX', math.ceil((after - now) * 1000)"
"""The key expires when the bucket is full, because a full bucket is the default."""

SPEND_LUA = f"""
local requests, replies = cmsgpack.unpack(ARGV[1]), {{}}
for index, key in ipairs(KEYS) do
    local interval, window, cost = requests[3 * index - 2], requests[3 * index - 1], requests[3 * index]
    local full = tonumber(redis.call('GET', key) or '0')
    local state = full
    if full > now + window + {ROUNDING_S!r} then state = now + window end
    local after = math.max(state, now) + cost * interval
    local free = now + window - after
    local allowed = free >= -{ROUNDING_S!r}
    if not allowed then after = state end
    if after <= now then
        redis.call('DEL', key)
    elseif after ~= full then
        redis.call('SET', key, string.format('%.17g', after), {TTL_LUA})
    end
    replies[2 * index - 1], replies[2 * index] = allowed and 1 or 0, free
end
return cmsgpack.pack(replies)
"""
"""`bucket.admit` for every key in turn, with the same operations."""

MAX_WAIT_S = 0.025
"""Wait for one batch. A request waits for the current batch and its own: 50 ms at most."""

MAX_BATCH_S = 1.0
"""Deadline of a late batch, which still spends. Cancelling it would also cost a new connection."""

GRACE_TURNS = 5
"""Turns of the event loop before a batch is late: after a lag of the loop itself, the reply may be
in the socket."""

MAX_LATE_BATCHES, PAUSE_S = 4, 1.0
"""After this number of late batches in a row, Redis is not used for this number of seconds."""

MAX_BATCH_KEYS = 512
"""Keys in one batch; about 1 ms of the single-threaded server."""


class Script(NamedTuple):
    """A Lua script and the SHA-1 under which Redis caches it."""

    text: str
    sha: str

    @classmethod
    def from_parts(cls, *parts: str) -> Script:
        """Return the script that joins these parts."""
        text = "".join(parts)
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


SPEND_SCRIPT = Script.from_parts(TIME_LUA, SPEND_LUA)


class SpendRequest(NamedTuple):
    """One request to spend: the key in Redis and the arguments of the script."""

    name: str
    policy: Policy
    cost: int


async def spend(client: Any, spendings: Sequence[SpendRequest], script: Script = SPEND_SCRIPT, *more: Any) -> list[Verdict]:  # noqa: ANN401 - redis-py's
    """Spend in order and return the verdicts; `more` are additional arguments of another script.

    A restarted Redis has no cached script, so the script is sent again.
    """
    names = [each.name for each in spendings]
    packed = msgspec.msgpack.encode(
        [figure for _, policy, cost in spendings for figure in (policy.interval_s, policy.window_s, cost)]
    )
    try:
        reply = await client.evalsha(script.sha, len(names), *names, packed, *more)
    except NoScriptError:
        reply = await client.eval(script.text, len(names), *names, packed, *more)
    values = msgspec.msgpack.decode(reply, type=list[float])
    return [
        to_verdict(each.policy, free_s, allowed=bool(allowed))
        for each, allowed, free_s in zip(spendings, values[::2], values[1::2], strict=True)
    ]


Pending = tuple[SpendRequest, "asyncio.Future[Verdict | None] | None"]
"""A request to spend, and the future of its verdict; None for a refund."""


class SharedBuckets:
    """The shared buckets as one process uses them. Used on the event loop only.

    Requests that arrive during a batch form the next one, so the load determines its size, not a
    timer.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._pending: list[Pending] = []
        self._sender: asyncio.Task[None] | None = None
        self._late: set[asyncio.Task[list[Verdict] | None]] = set()
        self._late_in_a_row = 0
        self._paused_until_s = 0.0

    async def spend(self, policy: Policy, key: str, cost: int = 1) -> Verdict | None:
        """Return the verdict for `cost`, or None if Redis does not answer."""
        loop = asyncio.get_running_loop()
        if self._redis.is_paused or loop.time() < self._paused_until_s:
            return None
        future: asyncio.Future[Verdict | None] = loop.create_future()
        self._queue(policy, key, cost, future)
        return await future

    def refund(self, policy: Policy, key: str, cost: int = 1) -> None:
        """Undo a spending, some time soon; nobody waits for it."""
        if not self._redis.is_paused:
            self._queue(policy, key, -cost, None)

    def _queue(self, policy: Policy, key: str, cost: int, future: asyncio.Future[Verdict | None] | None) -> None:
        self._pending.append((SpendRequest(f"{self._prefix}{policy.name}:{key}", policy, cost), future))
        if self._sender is None:
            self._sender = asyncio.ensure_future(self._send_batches())

    async def _send_batches(self) -> None:
        batch: list[Pending] = []
        try:
            while self._pending:
                batch, self._pending = self._pending[:MAX_BATCH_KEYS], self._pending[MAX_BATCH_KEYS:]
                _resolve(batch, await self._send_batch([each for each, _ in batch]))
        finally:
            _resolve([*batch, *self._pending], None)  # after an error no caller waits for ever
            self._pending, self._sender = [], None

    async def _send_batch(self, spendings: list[SpendRequest]) -> list[Verdict] | None:
        reply = asyncio.ensure_future(self._redis.run(partial(spend, spendings=spendings), None))
        await asyncio.wait({reply}, timeout=MAX_WAIT_S)
        for _ in range(GRACE_TURNS):
            if reply.done():
                self._late_in_a_row = 0
                return reply.result()
            await asyncio.sleep(0)
        self._late.add(reply)
        reply.add_done_callback(self._late.discard)
        self._late_in_a_row += 1
        if self._late_in_a_row >= MAX_LATE_BATCHES:
            self._late_in_a_row, self._paused_until_s = 0, asyncio.get_running_loop().time() + PAUSE_S
        return None


def _resolve(pending: list[Pending], verdicts: list[Verdict] | None) -> None:
    for index, (_, future) in enumerate(pending):
        if future is not None and not future.done():
            future.set_result(verdicts[index] if verdicts else None)
