"""`median`: the median of the given numbers, their quartiles and extremes.

Quartiles are interpolated as in `QUARTILE.INC` of spreadsheets and by default in NumPy (Hyndman and
Fan, type 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from conflicto.aggregation.number_counts import (
    RANGE_OPTIONS,
    NumberCounts,
    NumberRange,
    Real,
    check_range,
    json_number,
    parse_range,
)
from conflicto.aggregation.operation import Operation, OperationResult, whole_number_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conflicto.aggregation.spill.store import SpillStore

MAX_PERCENTILES = 20

QUARTERS = {"min": 0, "lower_quartile": 1, "median": 2, "upper_quartile": 3, "max": 4}
"""Names of the five numbers in a result, and the quarters of responses below each."""


@dataclass(frozen=True, slots=True)
class MedianFold(NumberRange):
    """Numbers between bounds, and the percentiles listed beside the quartiles."""

    percentiles: tuple[int, ...] = ()

    def empty(self) -> MedianState:
        """Return an empty state."""
        return MedianState(self.percentiles)


class MedianState(NumberCounts):
    """The counts of numbers, with order statistics as the result."""

    def __init__(self, percentiles: tuple[int, ...]) -> None:
        super().__init__()
        self._percentiles = percentiles

    def result(self) -> dict[str, Any]:
        """Return the median, the quartiles and both extremes."""
        return self._to_result(sorted(self._counts.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        return self._to_result(spill.all_entries(state))

    def _to_result(self, counts: Iterable[tuple[Real, int]]) -> dict[str, Any]:
        n = self.answers
        hundredths = [*(25 * quarters for quarters in QUARTERS.values()), *self._percentiles]
        places = [divmod((n - 1) * each, 100) for each in hundredths] if n else []
        ranks = sorted({place + beyond for place, part in places for beyond in (0, bool(part))})
        numbers = dict(zip(ranks, _numbers_at(counts, ranks), strict=True))
        listed = [_interpolate(numbers[place], numbers[place + bool(part)], part) for place, part in places]
        listed = listed or [None] * len(hundredths)
        percentiles = [
            {"percent": each, "value": value} for each, value in zip(self._percentiles, listed[len(QUARTERS) :], strict=True)
        ]
        quarters = dict(zip(QUARTERS, listed, strict=False))
        return {"op": "median", "answers": n} | quarters | {"percentiles": percentiles}


def _numbers_at(counts: Iterable[tuple[Real, int]], ranks: Sequence[int]) -> list[Real]:
    """Return the numbers at the ascending ranks `wanted`, counted from 0."""
    found: list[Real] = []
    seen = 0
    for value, count in counts:
        seen += count
        while len(found) < len(ranks) and ranks[len(found)] < seen:
            found.append(value)
    return found


def _interpolate(low: Real, high: Real, hundredths: int) -> Any:  # noqa: ANN401 - a number as JSON holds it
    """Return the number `hundredths` hundredths of the way from `low` to `high`, rounded once."""
    exact = Fraction(low) + (Fraction(high) - Fraction(low)) * hundredths / 100
    is_whole = exact.denominator == 1 and isinstance(low, int) and isinstance(high, int)
    return json_number(int(exact)) if is_whole else float(exact)


def _check_percentiles(value: object) -> str | None:
    check = whole_number_check(1, 99)
    fits = isinstance(value, list) and len(value) <= MAX_PERCENTILES and not any(map(check, value))
    return None if fits else f"must be a list of up to {MAX_PERCENTILES} whole numbers from 1 to 99"


def _build(options: Mapping[str, Any]) -> MedianFold:
    return MedianFold(*parse_range(options), percentiles=tuple(sorted(set(options.get("percentiles", ())))))


class Percentile(BaseModel):
    """Number below which `percent` percent of the answers lie, null without numbers."""

    percent: int
    value: float | None


class MedianResult(OperationResult):
    """Five numbers that divide the answers into quarters; null without numbers."""

    op: Literal["median"]
    min: float | None
    lower_quartile: float | None = Field(description="A quarter of the answers lie below it.")
    median: float | None
    upper_quartile: float | None
    max: float | None
    percentiles: list[Percentile] = Field(description="The percentiles of the option of that name, in ascending order.")


OPERATION = Operation(
    lambda options, _: _build(options),
    MedianResult,
    {"percentiles": _check_percentiles} | RANGE_OPTIONS,
    check_together=check_range,
)
