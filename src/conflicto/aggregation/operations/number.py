"""`number`: sum, mean, extremes and histogram of numbers, from exact counts of each number."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from sys import float_info
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from conflicto.aggregation.config_options import ConfigOption
from conflicto.aggregation.number_counts import RANGE_OPTIONS, NumberCounts, NumberRange, check_range, json_number, parse_range
from conflicto.aggregation.operation import Operation, OperationResult, whole_number_check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conflicto.aggregation.number_counts import Real
    from conflicto.aggregation.spill.store import SpillStore

    CountsOfBins = Callable[[Sequence[int | float]], list[int]]
    """Returns the number of responses in each bin, given the starts of the bins."""

SCALE_BITS = 1_074
SCALE = 1 << SCALE_BITS
"""The smallest double is 1 / SCALE. In this unit every double is an integer, so sums are exact."""

MAX_SUM = int(float_info.max) * SCALE
"""The largest double in units of 1 / SCALE. Most programs would read larger sums as infinity."""


@dataclass(frozen=True, slots=True)
class NumberFold(NumberRange):
    """Numbers in a range, and the number of histogram bins."""

    bins: int = 10

    def empty(self) -> NumberState:
        """Return an empty state."""
        return NumberState(self)


class NumberState(NumberCounts):
    """The counts of numbers, their exact sum in units of 1 / SCALE, and the number of fractions."""

    def __init__(self, spec: NumberFold) -> None:
        super().__init__()
        self._spec = spec
        self._total = 0
        self._fractions = 0

    def result(self) -> dict[str, Any]:
        """Return sum, mean, extremes and histogram."""
        counts = self._counts
        return self._to_result((min(counts), max(counts)) if counts else None, lambda starts: _counts_of_bins(counts, starts))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        return self._to_result(spill.extreme_keys(state), lambda starts: spill.sums_between(state, starts))

    def _to_result(self, bounds: tuple[Real, Real] | None, count_bins: CountsOfBins) -> dict[str, Any]:
        n, (least, greatest) = self.answers, bounds or (None, None)
        return {
            "op": "number",
            "answers": n,
            "sum": json_number(_quotient(self._total, SCALE)) if abs(self._total) <= MAX_SUM else None,
            "mean": json_number(_quotient(self._total, SCALE * n)) if n else None,
            "min": least,
            "max": greatest,
            "histogram": self._histogram(least, greatest, count_bins),
        }

    def _histogram(self, least: Real | None, greatest: Real | None, count_bins: CountsOfBins) -> list[dict[str, Any]]:
        spec = self._spec
        low, high = least if spec.min is None else spec.min, greatest if spec.max is None else spec.max
        if low is None or high is None:
            return []
        if isinstance(low, int) and isinstance(high, int) and not self._fractions:
            return _whole_number_bins(low, high, spec.bins, count_bins)
        if low == high:
            return [{"from": low, "to": high, "count": self.answers}]
        edges = sorted(low * (1 - part / spec.bins) + high * (part / spec.bins) for part in range(spec.bins))
        bins = zip(edges, [*edges[1:], high], count_bins(edges), strict=True)
        return [{"from": json_number(start), "to": json_number(end), "count": count} for start, end, count in bins]

    def _change_count(self, read: Real, times: int) -> None:
        self._total += times * _units(read)
        self._fractions += 0 if isinstance(read, int) else times
        super()._change_count(read, times)


def _units(value: Real) -> int:
    """Return a number in units of 1 / SCALE."""
    numerator, denominator = value.as_integer_ratio()
    return numerator << (SCALE_BITS + 1 - denominator.bit_length())


def _quotient(numerator: int, denominator: int) -> Real:
    """Return a quotient, as an integer if it is one, else as the nearest double."""
    whole_part, rest = divmod(numerator, denominator)
    return numerator / denominator if rest else whole_part


def _whole_number_bins(low: int, high: int, bins: int, count_bins: CountsOfBins) -> list[dict[str, Any]]:
    """Return at most `bins` bins of whole numbers, both ends included: 1 to 5 give five bins."""
    width = -(-(high - low + 1) // bins)
    starts = list(range(low, high + 1, width))
    return [
        {"from": json_number(start), "to": json_number(min(start + width - 1, high)), "count": count}
        for start, count in zip(starts, count_bins(starts), strict=True)
    ]


def _counts_of_bins(counts: Mapping[Real, int], starts: Sequence[Real]) -> list[int]:
    bin_counts = [0] * len(starts)
    for value, count in counts.items():
        bin_counts[max(0, bisect_right(starts, value) - 1)] += count
    return bin_counts


def _build(options: Mapping[str, Any]) -> NumberFold:
    return NumberFold(*parse_range(options), bins=options.get("bins", 10))


class Bin(BaseModel):
    """One bar of a histogram."""

    from_: float = Field(alias="from")
    to: float
    count: int


class NumberResult(OperationResult):
    """Sum, mean, extremes and histogram of numbers; null where there are no numbers."""

    op: Literal["number"]
    sum: float | None
    mean: float | None
    min: float | None
    max: float | None
    histogram: list[Bin]


OPERATION = Operation(
    lambda options, _: _build(options),
    NumberResult,
    {"bins": ConfigOption(whole_number_check(1, 100))} | RANGE_OPTIONS,
    check_together=check_range,
)
