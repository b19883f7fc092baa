"""Cache budget: a common limit in bytes for all caches of a process.

Every cache opens an account and reports each byte that it takes or frees. An account may use the
space that others leave. Above the limit, the account that exceeds its share by most evicts entry by
entry. Sizes are estimates: texts are measured, objects count as constants that a test compares with
the interpreter's allocations.

Caches also age: at every tick each drops what nobody used for some ticks, so that memory follows
the load down and not only up.
"""

from __future__ import annotations

import asyncio
from math import inf
from sys import getsizeof
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


AGING_INTERVAL_S = 10.0
"""Time between two ticks of age."""


def text_bytes(*texts: str | None) -> int:
    """Return the memory of texts: one to four bytes per character, by the widest; 0 for None."""
    found = 0
    for text in texts:
        if text is not None:
            found += getsizeof(text)
    return found


def _evict_nothing() -> bool:
    return False


def _age_nothing() -> None:
    """Keep everything: these entries end by themselves, or are too small to matter."""


class Account:
    """Bytes of one cache. For the event loop only.

    `evict` drops its least useful entry and returns whether there was one. `age` is called at every
    tick and drops what nobody used lately, in a few milliseconds at most.
    """

    __slots__ = ("_budget", "age", "bytes", "evict", "evictions", "name", "share")

    def __init__(self, budget: CacheBudget, name: str, share: float, evict: Callable[[], bool], age: Callable[[], None]) -> None:
        self._budget = budget
        self.name = name
        self.share = share
        self.evict = evict
        self.age = age
        self.bytes = 0
        self.evictions = 0

    def add(self, size: int) -> None:
        """Add bytes, or free them if `size` is negative; caches evict at once above the limit."""
        self.bytes += size
        budget = self._budget
        budget.used += size
        if size > 0 and budget.used > budget.max_bytes:
            budget.evict_to_fit()

    def set(self, size: int) -> None:
        """Set the number of bytes."""
        self.add(size - self.bytes)

    @property
    def max_bytes(self) -> float:
        """Bytes that the account may hold regardless of the others."""
        return self.share * self._budget.max_bytes


class CacheBudget:
    """Accounts of one process. Without `max_bytes` they only count."""

    def __init__(self, max_bytes: float = inf) -> None:
        self.max_bytes = max_bytes
        self.used = 0
        self.accounts: list[Account] = []

    def account(
        self,
        name: str,
        *,
        share: float = 0.0,
        evict: Callable[[], bool] = _evict_nothing,
        age: Callable[[], None] = _age_nothing,
    ) -> Account:
        """Open an account."""
        account = Account(self, name, share, evict, age)
        self.accounts.append(account)
        return account

    async def run(self) -> None:
        """Age all caches every `AGING_INTERVAL_S`, one after the other, until cancelled."""
        while True:
            for account in self.accounts:
                account.age()
                await asyncio.sleep(AGING_INTERVAL_S / len(self.accounts))

    def evict_to_fit(self) -> None:
        """Evict entries until the accounts fit, or until no account has any left."""
        empty: set[Account] = set()
        while self.used > self.max_bytes:
            candidates = [each for each in self.accounts if each not in empty and each.bytes > 0]
            if not candidates:
                return
            victim = max(candidates, key=lambda each: each.bytes - each.max_bytes)
            if victim.evict():
                victim.evictions += 1
            else:
                empty.add(victim)
