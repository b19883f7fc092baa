"""Limits on guessing join codes.

They count wrong codes only, so a full hall behind one address still joins.

A link with the right key is no guess. Neither is a code that someone at the same address joined
with during the last day, at any worker. Every other code is charged before its lookup, to its
address and to the whole server. A right code gets a refund. So concurrent tries cannot exceed the
limits. Concurrent tries of the same code are charged once.
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
"""Policies that routes with a code declare."""

COST_UNDER_ATTACK, RESERVE_DIVISOR = 10, 4
"""Cost of a wrong code to its address while less than 1/`RESERVE_DIVISOR` of the server's quota is
left.

So a few addresses cannot spend the whole quota."""

INCONCLUSIVE = frozenset({Kind.UNAVAILABLE, Kind.INTERNAL})
"""Errors that leave open whether the code was right."""

Pair = tuple[str, str]
"""A network and a code that it tried."""

Repeats = Callable[[], Awaitable[bool]] | None
"""Returns whether a request with an idempotency key was answered before; None: it has no key."""


def share_of_server_policy(workers: int) -> Policy:
    """Return the server's policy for one of `workers` processes without shared counters."""
    return replace(SERVER_POLICY, quota=max(1, SERVER_POLICY.quota // workers))


class Charge:
    """Charge of a guess to one bucket, shared by concurrent tries of the same code."""

    __slots__ = ("cost", "is_confirmed", "verdict", "waiting")

    def __init__(self, cost: int, verdict: asyncio.Task[Verdict]) -> None:
        self.cost = cost
        self.verdict = verdict
        self.waiting = 0
        self.is_confirmed = False


class PendingCharges:
    """Pending charges to the buckets of one policy, by the tried code."""

    def __init__(self, limiter: Limiter, policy: Policy) -> None:
        self.policy = policy
        self._limiter = limiter
        self._pending: dict[Hashable, Charge] = {}

    def __len__(self) -> int:
        return len(self._pending)

    async def charge(self, code: Hashable, key: str, cost: int) -> Verdict:
        """Charge a try, or share a pending charge. After an allowed verdict, call `release`."""
        charge = self._pending.get(code)
        if charge is None:
            charge = self._pending[code] = Charge(cost, asyncio.ensure_future(self._limiter.spend(self.policy, key, cost)))
        charge.waiting += 1
        try:
            verdict = await asyncio.shield(charge.verdict)
        except BaseException:
            self.release(code, key)
            raise
        if not verdict.allowed:
            self.release(code, key)
        return verdict

    def confirm(self, code: Hashable) -> None:
        """Keep the charge, because the guess was wrong."""
        self._pending[code].is_confirmed = True

    def release(self, code: Hashable, key: str) -> None:
        """End one try. The last one refunds a charge that was not kept."""
        charge = self._pending[code]
        charge.waiting -= 1
        if charge.waiting:
            return
        del self._pending[code]
        if not charge.verdict.done():
            charge.verdict.add_done_callback(lambda done: self._refund(key, charge.cost, done))
        elif not charge.is_confirmed:
            self._refund(key, charge.cost, charge.verdict)

    def _refund(self, key: str, cost: int, done: asyncio.Task[Verdict]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        verdict = done.result()
        if verdict.allowed:
            self._limiter.refund(self.policy, key, cost, by=verdict)


class CodeGuard:
    """Counts wrong codes and stores used ones of a process.

    With Redis, all processes count together.
    """

    def __init__(
        self, limiter: Limiter, shared_uses: SharedFlags, used: UsedCodes, link_keys: LinkKeys, everywhere: Policy = SERVER_POLICY
    ) -> None:
        self.used = used
        self._limiter = limiter
        self._shared_uses = shared_uses
        self._link_keys = link_keys
        self._addresses = PendingCharges(limiter, ADDRESS_POLICY)
        self._server = PendingCharges(limiter, everywhere)
        self._has_reserve = True

    @asynccontextmanager
    async def guard(
        self, address: str, code: str, *, wrong: type[DomainError], link_key: str | None = None, repeats: Repeats = None
    ) -> AsyncIterator[None]:
        """Guard the lookup of a code inside the block, which raises `wrong` for an unknown code.

        No limit refuses a code with its `link_key`, or a replay of an answered request (`repeats`).

        Raises:
            TooManyGuesses: too many codes were wrong, and nobody at this address used this code
                before.
            wrong: the link key does not match the code, right or wrong.
        """
        pair = network_of(address), code
        if link_key is not None and not self._link_keys.matches(code, link_key):
            await self._count_wrong_link_key(pair, link_key)
            raise wrong
        is_free = link_key is not None or self.used.contains(*pair)
        is_charged = not is_free and await self._charge(pair, repeats)
        try:
            yield
        except wrong:
            if is_charged:
                await self._count_wrong(pair)
            raise
        except DomainError as error:
            if error.kind not in INCONCLUSIVE:
                self._record_use(pair)
            raise
        else:
            self._record_use(pair)
        finally:
            if is_charged:
                self._release(pair)

    async def _charge(self, pair: Pair, repeats: Repeats) -> bool:
        """Charge a new code. Return False if the limit is reached but does not apply.

        Raises:
            TooManyGuesses: the limit is reached.
        """
        refusal = await self._charge_both(pair)
        if refusal is None:
            return True
        if await self._shared_uses.is_set(*pair):
            return False
        if repeats and self._limiter.memory.spend(REPLAYS, pair[0]).allowed and await repeats():
            return False
        raise refusal

    async def _charge_both(self, pair: Pair) -> TooManyGuesses | None:
        verdict = await self._addresses.charge(pair, pair[0], 1 if self._has_reserve else COST_UNDER_ATTACK)
        if not verdict.allowed:
            return TooManyGuesses(ADDRESS_POLICY, verdict)
        try:
            verdict = await self._server.charge(pair[1], "", 1)
        except BaseException:
            self._addresses.release(pair, pair[0])
            raise
        self._has_reserve = RESERVE_DIVISOR * verdict.remaining >= self._quota(verdict)
        if verdict.allowed:
            return None
        self._addresses.release(pair, pair[0])
        return TooManyGuesses(self._server.policy, verdict)

    def _quota(self, verdict: Verdict) -> int:
        policy = self._server.policy
        return (fallback_policy(policy) if verdict.is_fallback else policy).quota

    def _release(self, pair: Pair) -> None:
        self._addresses.release(pair, pair[0])
        self._server.release(pair[1], "")

    def _confirm_charges(self, pair: Pair) -> None:
        self._addresses.confirm(pair)
        self._server.confirm(pair[1])

    async def _count_wrong(self, pair: Pair) -> None:
        """Count a wrong code, unless someone at this address used it at another worker.

        Such a code has expired since, so it is no guess.
        """
        if not await self._shared_uses.is_set(*pair):
            self._confirm_charges(pair)

    async def _count_wrong_link_key(self, pair: Pair, link_key: str) -> None:
        pair = pair[0], f"{pair[1]} {link_key}"
        if await self._charge(pair, None):
            self._confirm_charges(pair)
            self._release(pair)

    def _record_use(self, pair: Pair) -> None:
        if self.used.add(*pair):
            self._shared_uses.set(*pair)
