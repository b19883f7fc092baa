"""A timer wheel: one timer wakes thousands, and each tick touches only those that are due."""

from __future__ import annotations

from typing import Generic, TypeVar

Item = TypeVar("Item")

SLOTS = 64
"""Slots of the wheel. What is due later than the last one is looked at there and put in again."""


class TimerWheel(Generic[Item]):
    """Items by the tick at which they are due; `turn` is called once a tick."""

    __slots__ = ("_position", "_slot_of", "_slots")

    def __init__(self) -> None:
        self._slots: list[dict[Item, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Item, int] = {}
        self._position = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def put(self, item: Item, ticks: int) -> None:
        """Let an item be due in so many ticks: at least one, at most `TICKS` - 1. An item has one place."""
        self.remove(item)
        slot = (self._position + max(1, min(ticks, SLOTS - 1))) % SLOTS
        self._slots[slot][item] = None
        self._slot_of[item] = slot

    def remove(self, item: Item) -> None:
        """Forget an item; one that is not there is no fault."""
        slot = self._slot_of.pop(item, None)
        if slot is not None:
            del self._slots[slot][item]

    def advance(self) -> list[Item]:
        """Go on by one tick and return what is due, in the order in which it came; it is not in the wheel any more."""
        self._position = (self._position + 1) % SLOTS
        due = list(self._slots[self._position])
        for item in due:
            self.remove(item)
        return due
