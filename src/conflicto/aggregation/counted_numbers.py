"""Numbers that answers give, counted one by one: what operations on numbers share. Nothing drifts, since nothing is added up on the way."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec

from conflicto.aggregation.operation import MAX_ENTRIES, number
from conflicto.aggregation.spill.store import Entry
from conflicto.aggregation.values import EXACT, number_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.aggregation.operation import Check, ResponseMetadata
    from conflicto.aggregation.spill.store import SpillStore

Real = int | float

BOUNDS: dict[str, Check] = {"min": number, "max": number}
"""Options of `Bounded`."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """With `min` or `max`, what lies beyond them is no answer: one absurd number shall not move what all others say."""

    min: Real | None = None
    max: Real | None = None

    def read(self, value: object, about: ResponseMetadata) -> Real | None:  # noqa: ARG002 - Fold's signature
        """Return the number."""
        found = number_in(value)
        if found is None or (self.min is not None and found < self.min) or (self.max is not None and found > self.max):
            return None
        return found


class CountedNumbers:
    """Number of answers that gave each number."""

    max_entries = MAX_ENTRIES

    def __init__(self) -> None:
        self.answers = 0
        self._counts: Counter[Real] = Counter()

    def add(self, read: Real) -> None:
        """Take in an answer."""
        self._move(read, 1)

    def remove(self, read: Real) -> None:
        """Take it back."""
        self._move(read, -1)

    def dump(self) -> tuple[int, dict[Real, int]]:
        """Return how many answers there are, and how many gave each number."""
        return self.answers, dict(self._counts)

    def take(self, dumped: tuple[int, dict[Real, int]]) -> None:
        """Take in other answers."""
        for read, times in dumped[1].items():
            self._move(read, times)

    @property
    def entries(self) -> int:
        """Return the number of different numbers in memory."""
        return len(self._counts)

    def detach(self) -> Self:
        """Return what memory holds, as a state of its own."""
        detached = copy(self)
        self._counts = Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add what memory holds to what is stored."""
        spill.add(state, (Entry(value, count, 0, 0) for value, count in self._counts.items()))

    def _move(self, read: Real, times: int) -> None:
        self.answers += times
        self._counts[read] += times
        if not self._counts[read]:
            del self._counts[read]


def bounds_agree(options: Any) -> str | None:  # noqa: ANN401 - the checked options
    """Return what is wrong with `min` and `max` together, or None."""
    low, high = options.get("min"), options.get("max")
    return "needs a `min` below its `max`" if low is not None and high is not None and low >= high else None


def bounds_in(options: Mapping[str, Any]) -> tuple[Real | None, Real | None]:
    """Return `min` and `max`, None where they are not given."""
    return number_in(options.get("min")), number_in(options.get("max"))


def out(value: Real) -> Real | msgspec.Raw:
    """Return a number as JSON can hold it: whole ones exactly, whatever their length."""
    return msgspec.Raw(str(value).encode()) if isinstance(value, int) and abs(value) > EXACT else value
