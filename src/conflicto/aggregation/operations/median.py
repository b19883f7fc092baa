"""`median`: the median of the given numbers, their quartiles and extremes.

Quartiles are interpolated as in `QUARTILE.INC` of spreadsheets and by default in NumPy (Hyndman and
Fan, type 7).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from conflicto.aggregation.number_counts import (
    RANGE_OPTIONS,
    NumberCounts,
    NumberRange,
    Real,
    check_range,
    json_number,
    parse_range,
)
from conflicto.aggregation.operation import Operation, OperationResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflicto.aggregation.spill.store import SpillStore

QUARTERS = {"min": 0, "lower_quartile": 1, "median": 2, "upper_quartile": 3, "max": 4}
"""Names of the five numbers in a result, and the quarters of responses below each."""


class MedianFold(NumberRange):
    """Numbers between bounds."""

    __slots__ = ()

    def empty(self) -> MedianState:
        """Return an empty state."""
        return MedianState()


class MedianState(NumberCounts):
    """The counts of numbers, with order statistics as the result."""

    def result(self) -> dict[str, Any]:
        """Return the median, the quartiles and both extremes."""
        return self._to_result(sorted(self._counts.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        return self._to_result(spill.all_entries(state))

    def _to_result(self, counts: Iterable[tuple[Real, int]]) -> dict[str, Any]:
        n = self.answers
        places = [divmod((n - 1) * quarters, 4) for quarters in QUARTERS.values()] if n else []
        ranks = sorted({place + beyond for place, part in places for beyond in (0, bool(part))})
        numbers = dict(zip(ranks, _numbers_at(counts, ranks), strict=True))
        listed = [_interpolate(numbers[place], numbers[place + bool(part)], part) for place, part in places] or [None] * len(
            QUARTERS
        )
        return {"op": "median", "answers": n} | dict(zip(QUARTERS, listed, strict=True))


def _numbers_at(counts: Iterable[tuple[Real, int]], ranks: Sequence[int]) -> list[Real]:
    """Return the numbers at the ascending ranks `wanted`, counted from 0."""
    found: list[Real] = []
    seen = 0
    for value, count in counts:
        seen += count
        while len(found) < len(ranks) and ranks[len(found)] < seen:
            found.append(value)
    return found


def _interpolate(low: Real, high: Real, quarters: int) -> Any:  # noqa: ANN401 - a number as JSON holds it
    """Return the number `quarters` quarters of the way from `low` to `high`, rounded once."""
    exact = Fraction(low) + (Fraction(high) - Fraction(low)) * quarters / 4
    is_whole = exact.denominator == 1 and isinstance(low, int) and isinstance(high, int)
    return json_number(int(exact)) if is_whole else float(exact)


class MedianResult(OperationResult):
    """Five numbers that divide the answers into quarters; null without numbers."""

    op: Literal["median"]
    min: float | None
    lower_quartile: float | None = Field(description="A quarter of the answers lie below it.")
    median: float | None
    upper_quartile: float | None
    max: float | None


OPERATION = Operation(lambda options, _: MedianFold(*parse_range(options)), MedianResult, RANGE_OPTIONS, check_together=check_range)
