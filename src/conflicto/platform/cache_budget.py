"""Cache budget: the bytes that all caches of one process may hold together, and which of them gives way.

Every cache registers an account and tells it of each byte that it takes or gives back. An account may use what others leave. Once all
together hold too much, the one that exceeds its share by most evicts, entry by entry. Sizes are estimates: texts as they are, objects
by constants that a test compares with what the interpreter allocates.
"""

from __future__ import annotations

from math import inf
from sys import getsizeof
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


BYTES_PER_MB = 1024 * 1024


def text_bytes(text: str | None) -> int:
    """Return the memory that a text takes, 0 for none: one to four bytes for each character, depending on its widest."""
    return 0 if text is None else getsizeof(text)


def _nothing() -> bool:
    return False


class Account:
    """Bytes of one cache. `evict` drops its least useful entry and returns whether there was one. The event loop's alone."""

    __slots__ = ("_budget", "bytes", "evict", "evictions", "name", "share")

    def __init__(self, budget: CacheBudget, name: str, share: float, evict: Callable[[], bool]) -> None:
        self._budget = budget
        self.name = name
        self.share = share
        self.evict = evict
        self.bytes = 0
        self.evictions = 0

    def add(self, by: int) -> None:
        """Take so many bytes more, or give some back; others, or this cache, evict at once if that is too much."""
        self.bytes += by
        budget = self._budget
        budget.used += by
        if by > 0 and budget.used > budget.max_bytes:
            budget.evict_to_fit()

    def set(self, size: int) -> None:
        """Hold so many bytes from now on."""
        self.add(size - self.bytes)

    @property
    def max_bytes(self) -> float:
        """Bytes that the account may hold whatever the others do."""
        return self.share * self._budget.max_bytes


class CacheBudget:
    """Accounts of one process. Without `max_bytes` they only count."""

    def __init__(self, max_bytes: float = inf) -> None:
        self.max_bytes = max_bytes
        self.used = 0
        self.accounts: list[Account] = []

    def account(self, name: str, *, share: float = 0.0, evict: Callable[[], bool] = _nothing) -> Account:
        """Open an account."""
        made = Account(self, name, share, evict)
        self.accounts.append(made)
        return made

    def evict_to_fit(self) -> None:
        """Evict until the accounts fit, or until nobody has anything left to evict."""
        spent: set[Account] = set()
        while self.used > self.max_bytes:
            willing = [each for each in self.accounts if each not in spent and each.bytes > 0]
            if not willing:
                return
            victim = max(willing, key=lambda each: each.bytes - each.max_bytes)
            if victim.evict():
                victim.evictions += 1
            else:
                spent.add(victim)
