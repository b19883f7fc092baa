"""`number`: sum, mean, least, greatest and histogram of numbers. The state is how often each number was given, so nothing drifts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec

from conflicto.results.folds.base import MAX_ENTRIES, Kind, whole
from conflicto.results.folds.base import number as a_number
from conflicto.results.spill.store import Entry
from conflicto.results.values import EXACT, number_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conflicto.results.folds.base import About
    from conflicto.results.spill.store import SpillStore

    Filled = Callable[[Sequence[int | float]], list[int]]
    """Returns how many answers lie between each start of a bin and the next one."""

Real = int | float

UNIT_BITS = 1_074
UNIT = 1 << UNIT_BITS
"""The least double is one part of so many: in these parts every double is a whole number, and adding them up is exact."""


@dataclass(frozen=True, slots=True)
class Number:
    """With `min` or `max`, what lies beyond them is no answer: one absurd number shall not squeeze all others into one bin."""

    bins: int = 10
    min: Real | None = None
    max: Real | None = None

    def read(self, value: object, about: About) -> Real | None:  # noqa: ARG002 - Fold's signature
        """Return the number."""
        found = number_in(value)
        if found is None or (self.min is not None and found < self.min) or (self.max is not None and found > self.max):
            return None
        return found

    def empty(self) -> Numbers:
        """Return the state of no answers."""
        return Numbers(self)


class Numbers:
    """How many answers gave each number, their exact sum in units of the least double, and how many are no whole numbers."""

    max_entries = MAX_ENTRIES

    def __init__(self, spec: Number) -> None:
        self.answers = 0
        self._spec = spec
        self._total = 0
        self._parts = 0
        self._counts: Counter[Real] = Counter()

    def add(self, read: Real) -> None:
        """Take in an answer."""
        self._move(read, 1)

    def remove(self, read: Real) -> None:
        """Take it back."""
        self._move(read, -1)

    def result(self) -> dict[str, Any]:
        """Return what the numbers say together."""
        counts = self._counts
        return self._told((min(counts), max(counts)) if counts else None, lambda starts: _filled(counts, starts))

    def dump(self) -> tuple[int, dict[Real, int]]:
        """Return how many answers there are, and how many gave each number."""
        return self.answers, dict(self._counts)

    def take(self, dumped: tuple[int, dict[Real, int]]) -> None:
        """Take in other answers."""
        for read, times in dumped[1].items():
            self._move(read, times)

    @property
    def entries(self) -> int:
        """How many numbers memory holds."""
        return len(self._counts)

    def detach(self) -> Self:
        """Return what memory holds, as a state of its own."""
        detached = copy(self)
        self._counts = Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add what memory holds to what is stored."""
        spill.add(state, (Entry(value, count, 0, 0) for value, count in self._counts.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of what is stored."""
        return self._told(spill.bounds(state), lambda starts: spill.filled(state, starts))

    def _told(self, bounds: tuple[Real, Real] | None, filled: Filled) -> dict[str, Any]:
        n, (least, greatest) = self.answers, bounds or (None, None)
        return {
            "op": "number",
            "answers": n,
            "sum": _out(_quotient(self._total, UNIT)),
            "mean": _out(_quotient(self._total, UNIT * n)) if n else None,
            "min": least,
            "max": greatest,
            "histogram": self._histogram(least, greatest, filled),
        }

    def _histogram(self, least: Real | None, greatest: Real | None, filled: Filled) -> list[dict[str, Any]]:
        spec = self._spec
        low, high = least if spec.min is None else spec.min, greatest if spec.max is None else spec.max
        if low is None or high is None:
            return []
        if isinstance(low, int) and isinstance(high, int) and not self._parts:
            return _whole_bins(low, high, spec.bins, filled)
        if low == high:
            return [{"from": low, "to": high, "count": self.answers}]
        edges = sorted(low * (1 - part / spec.bins) + high * (part / spec.bins) for part in range(spec.bins))
        bins = zip(edges, [*edges[1:], high], filled(edges), strict=True)
        return [{"from": _out(start), "to": _out(end), "count": count} for start, end, count in bins]

    def _move(self, read: Real, times: int) -> None:
        self.answers += times
        self._total += times * _units(read)
        self._parts += 0 if isinstance(read, int) else times
        self._counts[read] += times
        if not self._counts[read]:
            del self._counts[read]


def _units(value: Real) -> int:
    """Return a number in units of the least double."""
    above, below = value.as_integer_ratio()
    return above << (UNIT_BITS + 1 - below.bit_length())


def _quotient(above: int, below: int) -> Real:
    """Return a number of units as a whole number if it is one, else as the nearest double."""
    whole_part, rest = divmod(above, below)
    return above / below if rest else whole_part


def _out(value: Real) -> Real | msgspec.Raw:
    """Return a number as JSON can hold it: whole ones exactly, whatever their length."""
    return msgspec.Raw(str(value).encode()) if isinstance(value, int) and abs(value) > EXACT else value


def _whole_bins(low: int, high: int, bins: int, filled: Filled) -> list[dict[str, Any]]:
    """Return bins of whole numbers, both ends included: 1 to 5 are five bins, whatever their number was to be."""
    width = -(-(high - low + 1) // bins)
    starts = list(range(low, high + 1, width))
    return [
        {"from": _out(start), "to": _out(min(start + width - 1, high)), "count": count}
        for start, count in zip(starts, filled(starts), strict=True)
    ]


def _filled(counts: Mapping[Real, int], starts: Sequence[Real]) -> list[int]:
    filled = [0] * len(starts)
    for value, count in counts.items():
        filled[max(0, bisect_right(starts, value) - 1)] += count
    return filled


def _bounds_agree(options: Any) -> str | None:  # noqa: ANN401 - the checked options
    low, high = options.get("min"), options.get("max")
    return "needs a `min` below its `max`" if low is not None and high is not None and low >= high else None


def _made(options: Mapping[str, Any]) -> Number:
    return Number(options.get("bins", 10), number_in(options.get("min")), number_in(options.get("max")))


KIND = Kind(lambda options, _: _made(options), {"bins": whole(1, 100), "min": a_number, "max": a_number}, agree=_bounds_agree)
