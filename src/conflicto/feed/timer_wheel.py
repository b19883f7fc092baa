"""Timer wheel: one timer wakes thousands of items, and each tick touches only the due ones."""

from __future__ import annotations

from typing import Generic, TypeVar

Item = TypeVar("Item")

SLOTS = 64
"""Slots of the wheel. Items due later than the last slot are checked there and put in again."""


class TimerWheel(Generic[Item]):
    """Items by the tick at which they are due; call `advance` once a tick."""

    __slots__ = ("_position", "_slot_of", "_slots")

    def __init__(self) -> None:
        self._slots: list[dict[Item, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Item, int] = {}
        self._position = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def put(self, item: Item, ticks: int) -> None:
        """Schedule an item in `ticks` ticks, from 1 to `SLOTS` - 1. An item has one place."""
        self.remove(item)
        slot = (self._position + max(1, min(ticks, SLOTS - 1))) % SLOTS
        self._slots[slot][item] = None
        self._slot_of[item] = slot

    def remove(self, item: Item) -> None:
        """Remove an item, if it is there."""
        slot = self._slot_of.pop(item, None)
        if slot is not None:
            del self._slots[slot][item]

    def advance(self) -> list[Item]:
        """Advance by one tick, and remove and return the due items in order of arrival."""
        self._position = (self._position + 1) % SLOTS
        due = list(self._slots[self._position])
        for item in due:
            self.remove(item)
        return due
