"""Buckets that all workers spend from, in Redis or Valkey: one script, and one trip for everyone who asks at that moment."""

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
"""2026-01-01: seconds are counted from here, because near 1970's count a double holds no more than a quarter of a microsecond."""

TIME_LUA = f"""
local time = redis.call('TIME')
local now = time[1] - {EPOCH_S} + time[2] / 1e6
"""
"""Redis' own clock: the machines of its callers may disagree by minutes."""

TTL_LUA = "'PX', math.ceil((after - now) * 1000)"
"""A full bucket says nothing, so its key lives no longer than it fills."""

SPEND_LUA = f"""
local asked, said = cmsgpack.unpack(ARGV[1]), {{}}
for nth, key in ipairs(KEYS) do
    local interval, window, cost = asked[3 * nth - 2], asked[3 * nth - 1], asked[3 * nth]
    local full = tonumber(redis.call('GET', key) or '0')
    local held = full
    if full > now + window + {ROUNDING_S!r} then held = now + window end
    local after = math.max(held, now) + cost * interval
    local free = now + window - after
    local allowed = free >= -{ROUNDING_S!r}
    if not allowed then after = held end
    if after <= now then
        redis.call('DEL', key)
    elseif after ~= full then
        redis.call('SET', key, string.format('%.17g', after), {TTL_LUA})
    end
    said[2 * nth - 1], said[2 * nth] = allowed and 1 or 0, free
end
return cmsgpack.pack(said)
"""
"""`bucket.admit`, operation by operation, for every key in turn."""

MAX_WAIT_S = 0.025
"""For one trip. Whoever asks while one is under way waits for that and for their own: 50 ms at most."""

MAX_BATCH_S = 1.0
"""For the answer to a trip that nobody waits for any more. What it spends is spent; breaking it off would cost a new connection too."""

GRACE_TURNS = 5
"""Of the event loop, before a trip is late: a loop that was late itself finds the time past and the answer in the socket."""

MAX_LATE_BATCHES, PAUSE_S = 4, 1.0
"""So many trips may be late one after the other, then nobody asks for so long."""

MAX_BATCH_KEYS = 512
"""Keys of one trip; about 1 ms of a server that does one thing at a time."""


class Script(NamedTuple):
    """A script and the name under which Redis remembers it."""

    text: str
    sha: str

    @classmethod
    def of(cls, *parts: str) -> Script:
        """Return the script that consists of these parts."""
        text = "".join(parts)
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


SPEND_SCRIPT = Script.of(TIME_LUA, SPEND_LUA)


class SpendRequest(NamedTuple):
    """One request to spend: the key in Redis, and what the script needs to know."""

    name: str
    policy: Policy
    cost: int


async def spend(client: Any, spendings: Sequence[SpendRequest], script: Script = SPEND_SCRIPT, *more: Any) -> list[Verdict]:  # noqa: ANN401 - redis-py's
    """Spend in order and return the verdicts; `more` arguments are for other scripts than ours.

    A Redis that was started anew knows no script and is told it again.
    """
    names = [each.name for each in spendings]
    asked = msgspec.msgpack.encode(
        [figure for _, policy, cost in spendings for figure in (policy.interval_s, policy.window_s, cost)]
    )
    try:
        reply = await client.evalsha(script.sha, len(names), *names, asked, *more)
    except NoScriptError:
        reply = await client.eval(script.text, len(names), *names, asked, *more)
    said = msgspec.msgpack.decode(reply, type=list[float])
    return [
        to_verdict(each.policy, free_s, allowed=bool(allowed))
        for each, allowed, free_s in zip(spendings, said[::2], said[1::2], strict=True)
    ]


Pending = tuple[SpendRequest, "asyncio.Future[Verdict | None] | None"]
"""A spending, and who waits for what comes of it."""


class SharedBuckets:
    """What one process asks of them. The event loop's alone.

    While a trip is under way, whoever asks next waits for the next one: load decides how many share it, no timer does.
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
        """Return whether `cost` fits; None: Redis does not say, and nothing is known."""
        loop = asyncio.get_running_loop()
        if self._redis.is_paused or loop.time() < self._paused_until_s:
            return None
        answer: asyncio.Future[Verdict | None] = loop.create_future()
        self._queue(policy, key, cost, answer)
        return await answer

    def refund(self, policy: Policy, key: str, cost: int = 1) -> None:
        """Undo a spending, some time soon; nobody waits for it."""
        if not self._redis.is_paused:
            self._queue(policy, key, -cost, None)

    def _queue(self, policy: Policy, key: str, cost: int, answer: asyncio.Future[Verdict | None] | None) -> None:
        self._pending.append((SpendRequest(f"{self._prefix}{policy.name}:{key}", policy, cost), answer))
        if self._sender is None:
            self._sender = asyncio.ensure_future(self._send_batches())

    async def _send_batches(self) -> None:
        going: list[Pending] = []
        try:
            while self._pending:
                going, self._pending = self._pending[:MAX_BATCH_KEYS], self._pending[MAX_BATCH_KEYS:]
                _resolve(going, await self._send_batch([each for each, _ in going]))
        finally:
            _resolve([*going, *self._pending], None)  # whatever went wrong, nobody waits for an answer that does not come
            self._pending, self._sender = [], None

    async def _send_batch(self, spendings: list[SpendRequest]) -> list[Verdict] | None:
        trip = asyncio.ensure_future(self._redis.run(partial(spend, spendings=spendings), None))
        await asyncio.wait({trip}, timeout=MAX_WAIT_S)
        for _ in range(GRACE_TURNS):
            if trip.done():
                self._late_in_a_row = 0
                return trip.result()
            await asyncio.sleep(0)
        self._late.add(trip)
        trip.add_done_callback(self._late.discard)
        self._late_in_a_row += 1
        if self._late_in_a_row >= MAX_LATE_BATCHES:
            self._late_in_a_row, self._paused_until_s = 0, asyncio.get_running_loop().time() + PAUSE_S
        return None


def _resolve(waiting: list[Pending], said: list[Verdict] | None) -> None:
    for nth, (_, answer) in enumerate(waiting):
        if answer is not None and not answer.done():
            answer.set_result(said[nth] if said else None)
