"""Dictionary in two generations, which drops what nobody used for a whole generation."""

from __future__ import annotations

from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

TICKS = 30
"""Ticks of a generation: an entry is dropped 5 to 10 minutes after its last use."""

MAX_DROPPED = 5_000
"""Entries dropped in one tick, in a few milliseconds."""


class Generations(Generic[K, V]):
    """Entries by key, without None. A use moves an entry to the recent generation.

    Where every microsecond counts, look into `recent` before `get`.
    """

    __slots__ = ("_previous", "_stale", "_ticks", "recent")

    def __init__(self) -> None:
        self.recent: dict[K, V] = {}
        self._previous: dict[K, V] = {}
        self._stale: dict[K, V] = {}
        self._ticks = 0

    def __len__(self) -> int:
        return len(self.recent) + len(self._previous) + len(self._stale)

    def get(self, key: K) -> V | None:
        """Return a value, which is in use again, or None."""
        value = self.recent.get(key)
        if value is None and self._previous and (value := self._previous.pop(key, None)) is not None:
            self.recent[key] = value
        return value

    def put(self, key: K, value: V) -> V | None:
        """Store a value and return the one that it replaces, if any."""
        replaced = [each for each in (self.recent, self._previous, self._stale) if key in each]
        before = [generation.pop(key) for generation in replaced]
        self.recent[key] = value
        return before[0] if before else None

    def pop_oldest(self) -> V | None:
        """Remove and return the value that was used longest ago, None if there is none."""
        for generation in (self._stale, self._previous, self.recent):
            for key in islice(generation, 1):
                return generation.pop(key)
        return None

    def age(self) -> list[tuple[K, V]]:
        """Count a tick. Return the entries that it dropped, in no order."""
        self._ticks += 1
        if self._ticks >= TICKS and not self._stale:
            self._ticks = 0
            self._stale, self._previous, self.recent = self._previous, self.recent, {}
        return [self._stale.popitem() for _ in range(min(MAX_DROPPED, len(self._stale)))]

    def clear(self) -> None:
        """Remove everything."""
        for generation in (self.recent, self._previous, self._stale):
            generation.clear()
