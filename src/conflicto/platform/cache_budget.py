"""Cache budget: a common limit in bytes for all caches of a process.

Every cache opens an account and reports each byte that it takes or frees. An account may use the
space that others leave. Above the limit, the account that exceeds its share by most evicts entry by
entry. Sizes are estimates: texts are measured, objects count as constants that a test compares with
the interpreter's allocations.
"""

from __future__ import annotations

from math import inf
from sys import getsizeof
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def text_bytes(*texts: str | None) -> int:
    """Return the memory of texts: one to four bytes per character, by the widest; 0 for None."""
    found = 0
    for text in texts:
        if text is not None:
            found += getsizeof(text)
    return found


def _nothing() -> bool:
    return False


class Account:
    """Bytes of one cache. For the event loop only.

    `evict` drops its least useful entry and returns whether there was one.
    """

    __slots__ = ("_budget", "bytes", "evict", "evictions", "name", "share")

    def __init__(self, budget: CacheBudget, name: str, share: float, evict: Callable[[], bool]) -> None:
        self._budget = budget
        self.name = name
        self.share = share
        self.evict = evict
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

    def account(self, name: str, *, share: float = 0.0, evict: Callable[[], bool] = _nothing) -> Account:
        """Open an account."""
        account = Account(self, name, share, evict)
        self.accounts.append(account)
        return account

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
