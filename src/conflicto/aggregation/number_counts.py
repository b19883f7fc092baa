"""Base of the operations on numbers: the count of each number, so sums stay exact."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec

from conflicto.aggregation.config_options import ConfigOption
from conflicto.aggregation.operation import MAX_ENTRIES, check_number
from conflicto.aggregation.spill.store import KeySums
from conflicto.aggregation.values import MAX_EXACT_INTEGER, as_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.aggregation.operation import OptionCheck, ResponseMetadata
    from conflicto.aggregation.spill.store import SpillStore

Real = int | float

RANGE_OPTIONS: dict[str, OptionCheck] = {"min": ConfigOption(check_number), "max": ConfigOption(check_number)}
"""Options of `NumberRange`."""


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers from `min` to `max`.

    Numbers outside are left out, so one absurd number does not change the result.
    """

    min: Real | None = None
    max: Real | None = None

    def read(self, value: object, metadata: ResponseMetadata) -> Real | None:  # noqa: ARG002 - Fold's signature
        """Return the number, None for a value that is not a number in the range."""
        found = as_number(value)
        if found is None or (self.min is not None and found < self.min) or (self.max is not None and found > self.max):
            return None
        return found


class NumberCounts:
    """The number of responses that gave each number."""

    max_entries = MAX_ENTRIES

    def __init__(self) -> None:
        self.answers = 0
        self._counts: Counter[Real] = Counter()

    def add(self, read: Real) -> None:
        """Count a response."""
        self._change_count(read, 1)

    def remove(self, read: Real) -> None:
        """Remove a counted response."""
        self._change_count(read, -1)

    def dump(self) -> tuple[int, dict[Real, int]]:
        """Return the number of responses, and the count of each number."""
        return self.answers, dict(self._counts)

    def merge(self, dumped: tuple[int, dict[Real, int]]) -> None:
        """Add the responses of another state."""
        for read, times in dumped[1].items():
            self._change_count(read, times)

    @property
    def entries(self) -> int:
        """The number of distinct numbers in memory."""
        return len(self._counts)

    def detach(self) -> Self:
        """Return the counts in memory as a separate state, and start again at 0."""
        detached = copy(self)
        self._counts = Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the counts in memory to the stored ones."""
        spill.add(state, (KeySums(value, count, 0, 0) for value, count in self._counts.items()))

    def _change_count(self, read: Real, times: int) -> None:
        self.answers += times
        self._counts[read] += times
        if not self._counts[read]:
            del self._counts[read]


def check_range(options: Any) -> str | None:  # noqa: ANN401 - the checked options
    """Return the fault of `min` and `max` together, or None."""
    low, high = parse_range(options)
    return "needs a `min` below its `max`" if low is not None and high is not None and low >= high else None


def parse_range(options: Mapping[str, Any]) -> tuple[Real | None, Real | None]:
    """Return `min` and `max`, None where they are missing."""
    return as_number(options.get("min")), as_number(options.get("max"))


def json_number(value: Real) -> Real | msgspec.Raw:
    """Return a number as JSON holds it: whole numbers exactly, at any length."""
    return msgspec.Raw(str(value).encode()) if isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER else value
