"""Codes that a network joined with during the last day. Using one again is no guess."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.instants import S_PER_DAY
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock

REFRESH_S = 3_600
"""Interval between two records of one code's use, so that a full hall causes one."""

LIFETIME_S = S_PER_DAY + REFRESH_S
"""Life of an entry: a day after the last recorded use."""

MAX_BYTES = 16 * MIB
SHARE = 0.02
"""Of the budget of all caches."""

ENTRY_BYTES = 256
"""Size of an entry with its part of the table, rounded up; measured on CPython 3.11 to 3.13."""


class UsedCodes:
    """Pairs of a network and a code in one process, bounded in bytes.

    The pair with the oldest recorded use is evicted first.
    """

    def __init__(self, clock: Clock, budget: CacheBudget | None = None) -> None:
        self._account = (budget or CacheBudget()).account("codes", share=SHARE, evict=self._evict)
        self._clock = clock
        self._used: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def contains(self, network: str, code: str) -> bool:
        """Return whether the code was used from the network within the last day."""
        used_s = self._used.get(_name(network, code))
        return used_s is not None and self._clock.monotonic_s() - used_s < LIFETIME_S

    def add(self, network: str, code: str) -> bool:
        """Record a use.

        Return whether to publish it, because the last record is an hour old or missing.
        """
        name, now_s = _name(network, code), self._clock.monotonic_s()
        used_s = self._used.get(name)
        if used_s is not None and now_s - used_s < REFRESH_S:
            return False
        self._used[name] = now_s
        self._used.move_to_end(name)
        self._remove_expired(now_s)
        self._account.set(len(self._used) * ENTRY_BYTES)
        return True

    def clear(self) -> None:
        """Remove all entries, as a restart does."""
        self._used.clear()
        self._account.set(0)

    def _evict(self) -> bool:
        if not self._used:
            return False
        self._used.popitem(last=False)
        self._account.add(-ENTRY_BYTES)
        return True

    def _remove_expired(self, now_s: float) -> None:
        while self._used:
            oldest_s = next(iter(self._used.values()))
            if len(self._used) * ENTRY_BYTES <= MAX_BYTES and now_s - oldest_s < LIFETIME_S:
                return
            self._used.popitem(last=False)


def _name(network: str, code: str) -> bytes:
    return blake2b(f"{network}\0{code}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
