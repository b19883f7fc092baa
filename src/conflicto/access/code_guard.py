"""Guessing codes: only misses are counted, and a hall full of phones behind one address is never locked out.

A link whose key is right is no guess, nor is a code that led somebody in from the same address within the last day, at whichever worker.
Every other code is paid for before it is looked up, by its address and by the server as a whole, and the payment is given back if the
code was right. So however many codes are tried at the same moment, no more are looked up than the limits allow. Phones that try the same
code at the same moment pay once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.addresses import network_of
from conflicto.platform.limits.bucket import LimitScope, Policy, fallback_policy
from conflicto.platform.limits.limiter import REPLAYS, Limiter
from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conflicto.access.link_keys import LinkKeys
    from conflicto.access.used_codes import UsedCodes
    from conflicto.platform.limits.bucket import Verdict
    from conflicto.platform.limits.shared_flags import SharedFlags

ADDRESS_POLICY = Policy("join-code-failures", 600, 60, scope=LimitScope.ADDRESS, shared=True, fallback_quota=60)
SERVER_POLICY = Policy("join-code-failures-total", 1000, 60, scope=LimitScope.SERVER, shared=True, fallback_quota=100)
GUESS_POLICIES = (ADDRESS_POLICY, SERVER_POLICY)
"""What routes declare that take a code."""

COST_UNDER_ATTACK, RESERVE_DIVISOR = 10, 4
"""Cost of a miss to its address while less than one in `RESERVE` of the server's misses is left: a few addresses cannot spend them all."""

INCONCLUSIVE = frozenset({Kind.UNAVAILABLE, Kind.INTERNAL})
"""Errors that do not say whether the code was right."""

Pair = tuple[str, str]
"""A network, and a code that was tried from there."""

Repeats = Callable[[], Awaitable[bool]] | None
"""Tells whether a request, which has a key, was answered before; None: it has none."""


def share_of_server_policy(workers: int) -> Policy:
    """Return the server's policy for one of so many processes that cannot count together."""
    return replace(SERVER_POLICY, quota=max(1, SERVER_POLICY.quota // workers))


class Payment:
    """Cost of a guess to one bucket, while it is looked up for everyone who tries it now."""

    __slots__ = ("cost", "is_spent", "verdict", "waiting")

    def __init__(self, cost: int, verdict: asyncio.Task[Verdict]) -> None:
        self.cost = cost
        self.verdict = verdict
        self.waiting = 0
        self.is_spent = False


class Payments:
    """Payments under way to the buckets of one policy, by what is tried."""

    def __init__(self, limiter: Limiter, policy: Policy) -> None:
        self.policy = policy
        self._limiter = limiter
        self._under_way: dict[Hashable, Payment] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    async def pay(self, tried: Hashable, key: str, cost: int) -> Verdict:
        """Pay, or ride with whoever pays for the same now; whoever was allowed calls `leave` afterwards."""
        payment = self._under_way.get(tried)
        if payment is None:
            payment = self._under_way[tried] = Payment(cost, asyncio.ensure_future(self._limiter.spend(self.policy, key, cost)))
        payment.waiting += 1
        try:
            verdict = await asyncio.shield(payment.verdict)
        except BaseException:
            self.leave(tried, key)
            raise
        if not verdict.allowed:
            self.leave(tried, key)
        return verdict

    def spend(self, tried: Hashable) -> None:
        """Keep what was paid, because the guess was wrong."""
        self._under_way[tried].is_spent = True

    def leave(self, tried: Hashable, key: str) -> None:
        """End one's part; the last one takes back what was paid and not spent."""
        payment = self._under_way[tried]
        payment.waiting -= 1
        if payment.waiting:
            return
        del self._under_way[tried]
        if not payment.verdict.done():
            payment.verdict.add_done_callback(lambda done: self._refund(key, payment.cost, done))
        elif not payment.is_spent:
            self._refund(key, payment.cost, payment.verdict)

    def _refund(self, key: str, cost: int, paid: asyncio.Task[Verdict]) -> None:
        if paid.cancelled() or paid.exception() is not None:
            return
        verdict = paid.result()
        if verdict.allowed:
            self._limiter.refund(self.policy, key, cost, by=verdict)


class CodeGuard:
    """Remembers misses and used codes of one process; with a Redis, all of them count misses together."""

    def __init__(
        self, limiter: Limiter, marks: SharedFlags, used: UsedCodes, link_keys: LinkKeys, everywhere: Policy = SERVER_POLICY
    ) -> None:
        self.used = used
        self._limiter = limiter
        self._marks = marks
        self._link_keys = link_keys
        self._addresses = Payments(limiter, ADDRESS_POLICY)
        self._server = Payments(limiter, everywhere)
        self._calm = True

    @asynccontextmanager
    async def guard(
        self, address: str, code: str, *, wrong: type[DomainError], link_key: str | None = None, repeats: Repeats = None
    ) -> AsyncIterator[None]:
        """Let a code be looked up inside the block, which raises `wrong` if it leads nowhere.

        No limit refuses a code that comes with its `link_key`, nor a request that `repeats` one which was answered.

        Raises:
            TooManyGuesses: too many codes missed, and this one was not used from this address before.
            wrong: the link key is not that of the code, whether the code is right or not.
        """
        pair = network_of(address), code
        if link_key is not None and not self._link_keys.matches(code, link_key):
            await self._miss_link(pair, link_key)
            raise wrong
        is_free = link_key is not None or self.used.has(*pair)
        is_paid = not is_free and await self._pay(pair, repeats)
        try:
            yield
        except wrong:
            if is_paid:
                await self._miss(pair)
            raise
        except DomainError as error:
            if error.kind not in INCONCLUSIVE:
                self._use(pair)
            raise
        else:
            self._use(pair)
        finally:
            if is_paid:
                self._leave(pair)

    async def _pay(self, pair: Pair, repeats: Repeats) -> bool:
        """Pay for a new code; False: this cannot be paid, and need not."""
        refusal = await self._paid(pair)
        if refusal is None:
            return True
        if await self._marks.is_set(*pair):
            return False
        if repeats and self._limiter.memory.spend(REPLAYS, pair[0]).allowed and await repeats():
            return False
        raise refusal

    async def _paid(self, pair: Pair) -> TooManyGuesses | None:
        verdict = await self._addresses.pay(pair, pair[0], 1 if self._calm else COST_UNDER_ATTACK)
        if not verdict.allowed:
            return TooManyGuesses(ADDRESS_POLICY, verdict)
        try:
            verdict = await self._server.pay(pair[1], "", 1)
        except BaseException:
            self._addresses.leave(pair, pair[0])
            raise
        self._calm = RESERVE_DIVISOR * verdict.remaining >= self._quota(verdict)
        if verdict.allowed:
            return None
        self._addresses.leave(pair, pair[0])
        return TooManyGuesses(self._server.policy, verdict)

    def _quota(self, verdict: Verdict) -> int:
        policy = self._server.policy
        return (fallback_policy(policy) if verdict.is_fallback else policy).quota

    def _leave(self, pair: Pair) -> None:
        self._addresses.leave(pair, pair[0])
        self._server.leave(pair[1], "")

    def _spend(self, pair: Pair) -> None:
        self._addresses.spend(pair)
        self._server.spend(pair[1])

    async def _miss(self, pair: Pair) -> None:
        """Count a miss, unless the code led somebody in from this address at another worker: then it is over, and no guess."""
        if not await self._marks.is_set(*pair):
            self._spend(pair)

    async def _miss_link(self, pair: Pair, link_key: str) -> None:
        pair = pair[0], f"{pair[1]} {link_key}"
        if await self._pay(pair, None):
            self._spend(pair)
            self._leave(pair)

    def _use(self, pair: Pair) -> None:
        if self.used.add(*pair):
            self._marks.set(*pair)
