"""Guessing codes: only misses are counted, and a hall full of phones behind one address is never locked out.

An address that missed too often may go on using codes that led someone there into a session before, at whichever worker; every other code
is refused unseen. While the whole server is being guessed at, a miss costs ten times as much.

A code that is new to an address is paid for before it is looked at, and given back if it was right. So however many codes are tried at
the same moment, no more are seen than are left; phones that try the same code at the same moment pay once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.addresses import network_of
from conflicto.platform.limits.bucket import Per, Policy
from conflicto.platform.limits.limiter import REPLAYS, Limiter
from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conflicto.platform.limits.bucket import Verdict
    from conflicto.platform.limits.marks import Marks

PER_ADDRESS = Policy("code-misses", 60, 60, per=Per.ADDRESS, shared=True, alone=10)
EVERYWHERE = Policy("all-code-misses", 1000, 60, per=Per.SERVER, shared=True, alone=100)
GUESSES = (PER_ADDRESS, EVERYWHERE)
"""What routes declare that take a code."""

COST_UNDER_ATTACK = 10
MOST_PAIRS = 100_000

UNTOLD = frozenset({Kind.UNAVAILABLE, Kind.INTERNAL})
"""Errors that do not say whether the code was right."""

Pair = tuple[str, str]
"""A network, and a code that was tried from there."""


Repeats = Callable[[], Awaitable[bool]] | None
"""Says whether a request, which has a key, was answered before; None: it has none."""


class Trial:
    """A code that is new to an address, while it is looked up for everyone there who tries it now."""

    __slots__ = ("cost", "missed", "payment", "riders")

    def __init__(self, cost: int, payment: asyncio.Task[Verdict]) -> None:
        self.cost = cost
        self.payment = payment
        self.riders = 0
        self.missed = False


class CodeGuard:
    """Remembers misses and hits of one process; with a Redis, all of them count misses together."""

    def __init__(self, limiter: Limiter, marks: Marks) -> None:
        self._limiter = limiter
        self._marks = marks
        self._hits: OrderedDict[Pair, None] = OrderedDict()
        self._trials: dict[Pair, Trial] = {}
        self._calm = True

    @asynccontextmanager
    async def trying(self, address: str, code: str, *, wrong: type[DomainError], repeats: Repeats = None) -> AsyncIterator[None]:
        """Let a code be looked up inside the block, which raises `wrong` if it leads nowhere.

        No limit refuses a request that `repeats` one which was answered.

        Raises:
            TooManyGuesses: the address missed too often, and this code was not used from there before.
        """
        pair = network_of(address), code
        trial = None if pair in self._hits else await self._begin(pair, repeats)
        try:
            yield
        except wrong:
            await self._miss(pair, trial)
            raise
        except DomainError as error:
            if error.kind not in UNTOLD:
                self._hit(pair)
            raise
        else:
            self._hit(pair)
        finally:
            if trial is not None:
                self._leave(pair, trial)

    async def _begin(self, pair: Pair, repeats: Repeats) -> Trial | None:
        """Pay for a new code, or ride with whoever pays for it now; None: the address cannot pay, and need not."""
        trial = self._trials.get(pair)
        if trial is None:
            cost = 1 if self._calm else COST_UNDER_ATTACK
            trial = self._trials[pair] = Trial(cost, asyncio.ensure_future(self._limiter.spend(PER_ADDRESS, pair[0], cost)))
        trial.riders += 1
        try:
            verdict = await asyncio.shield(trial.payment)
        except BaseException:
            self._leave(pair, trial)
            raise
        if verdict.allowed:
            return trial
        self._leave(pair, trial)
        if await self._marks.has(*pair):
            return None
        if repeats and self._limiter.memory.spend(REPLAYS, pair[0]).allowed and await repeats():
            return None
        raise TooManyGuesses(PER_ADDRESS, verdict)

    def _leave(self, pair: Pair, trial: Trial) -> None:
        """The last rider takes back what was paid, unless the code was wrong."""
        trial.riders -= 1
        if trial.riders:
            return
        del self._trials[pair]
        if not trial.missed and trial.payment.done() and trial.payment.result().allowed:
            self._limiter.give_back(PER_ADDRESS, pair[0], trial.cost)

    async def _miss(self, pair: Pair, trial: Trial | None) -> None:
        self._hits.pop(pair, None)
        if trial is not None and not trial.missed:
            trial.missed = True
            self._calm = (await self._limiter.spend(EVERYWHERE, "")).allowed

    def _hit(self, pair: Pair) -> None:
        if pair not in self._hits:
            self._marks.set(*pair)
        self._hits[pair] = None
        self._hits.move_to_end(pair)
        if len(self._hits) > MOST_PAIRS:
            self._hits.popitem(last=False)
