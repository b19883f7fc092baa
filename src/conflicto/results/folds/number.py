"""`number`: sum, mean, least, greatest and histogram of numbers. The state is how often each number was given, so nothing drifts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.results.folds.base import Kind, whole
from conflicto.results.folds.base import number as a_number
from conflicto.results.values import EXACT, number_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflicto.results.folds.base import About

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
    """How many answers gave each number."""

    def __init__(self, spec: Number) -> None:
        self.answers = 0
        self._spec = spec
        self._counts: Counter[Real] = Counter()

    def add(self, read: Real) -> None:
        """Take in an answer."""
        self.answers += 1
        self._counts[read] += 1

    def remove(self, read: Real) -> None:
        """Take it back."""
        self.answers -= 1
        self._counts[read] -= 1
        if not self._counts[read]:
            del self._counts[read]

    def result(self) -> dict[str, Any]:
        """Return what the numbers say together."""
        counts, n = self._counts, self.answers
        total = _total(counts)
        return {
            "op": "number",
            "answers": n,
            "sum": _out(_quotient(total, UNIT)),
            "mean": _out(_quotient(total, UNIT * n)) if n else None,
            "min": min(counts) if n else None,
            "max": max(counts) if n else None,
            "histogram": _histogram(counts, self._spec),
        }

    def dump(self) -> tuple[int, dict[Real, int]]:
        """Return how many answers there are, and how many gave each number."""
        return self.answers, dict(self._counts)

    def take(self, dumped: tuple[int, dict[Real, int]]) -> None:
        """Take in other answers."""
        answers, counts = dumped
        self.answers += answers
        self._counts.update(counts)


def _total(counts: Mapping[Real, int]) -> int:
    """Return the exact sum of it all, in units of the least double."""
    total = 0
    for value, count in counts.items():
        above, below = value.as_integer_ratio()
        total += above * count << (UNIT_BITS + 1 - below.bit_length())
    return total


def _quotient(above: int, below: int) -> Real:
    """Return a number of units as a whole number if it is one, else as the nearest double."""
    whole_part, rest = divmod(above, below)
    return above / below if rest else whole_part


def _out(value: Real) -> Real | msgspec.Raw:
    """Return a number as JSON can hold it: whole ones exactly, whatever their length."""
    return msgspec.Raw(str(value).encode()) if isinstance(value, int) and abs(value) > EXACT else value


def _histogram(counts: Counter[Real], spec: Number) -> list[dict[str, Any]]:
    low = spec.min if spec.min is not None else min(counts, default=None)
    high = spec.max if spec.max is not None else max(counts, default=None)
    if low is None or high is None:
        return []
    if isinstance(low, int) and isinstance(high, int) and all(isinstance(value, int) for value in counts):
        return _whole_bins(counts, low, high, spec.bins)
    if low == high:
        return [{"from": low, "to": high, "count": counts.total()}]
    edges = sorted(low * (1 - part / spec.bins) + high * (part / spec.bins) for part in range(spec.bins))
    filled = _filled(counts, edges)
    ends = [*edges[1:], high]
    return [{"from": _out(start), "to": _out(end), "count": count} for start, end, count in zip(edges, ends, filled, strict=True)]


def _whole_bins(counts: Mapping[Real, int], low: int, high: int, bins: int) -> list[dict[str, Any]]:
    """Return bins of whole numbers, both ends included: 1 to 5 are five bins, whatever their number was to be."""
    width = -(-(high - low + 1) // bins)
    starts = list(range(low, high + 1, width))
    filled = _filled(counts, starts)
    return [
        {"from": _out(start), "to": _out(min(start + width - 1, high)), "count": count}
        for start, count in zip(starts, filled, strict=True)
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
