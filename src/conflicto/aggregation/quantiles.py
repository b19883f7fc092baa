"""Quartiles and percentiles of counted numbers.

They are interpolated as in `QUARTILE.INC` of spreadsheets and by default in NumPy (Hyndman and Fan,
type 7).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from conflicto.aggregation.number_counts import json_number
from conflicto.aggregation.operation import whole_number_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conflicto.aggregation.number_counts import Real

MAX_PERCENTILES = 20

QUARTERS = {"min": 0, "lower_quartile": 1, "median": 2, "upper_quartile": 3, "max": 4}
"""Names of the five numbers in a result, and the quarters of responses below each."""


def quantiles(counts: Iterable[tuple[Real, int]], n: int, percentiles: Sequence[int]) -> dict[str, Any]:
    """Return the quarters and percentiles of `n` numbers, which `counts` has in ascending order."""
    hundredths = [*(25 * quarters for quarters in QUARTERS.values()), *percentiles]
    places = [divmod((n - 1) * each, 100) for each in hundredths] if n else []
    ranks = sorted({place + beyond for place, part in places for beyond in (0, bool(part))})
    numbers = dict(zip(ranks, _numbers_at(counts, ranks), strict=True))
    listed = [_interpolate(numbers[place], numbers[place + bool(part)], part) for place, part in places]
    listed = listed or [None] * len(hundredths)
    beside = [{"percent": each, "value": value} for each, value in zip(percentiles, listed[len(QUARTERS) :], strict=True)]
    return dict(zip(QUARTERS, listed, strict=False)) | {"percentiles": beside}


def _numbers_at(counts: Iterable[tuple[Real, int]], ranks: Sequence[int]) -> list[Real]:
    """Return the numbers at the ascending `ranks`, counted from 0."""
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


def check_percentiles(value: object) -> str | None:
    """Check the option `percentiles`."""
    check = whole_number_check(1, 99)
    fits = isinstance(value, list) and len(value) <= MAX_PERCENTILES and not any(map(check, value))
    return None if fits else f"must be a list of up to {MAX_PERCENTILES} whole numbers from 1 to 99"


def parse_percentiles(options: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the distinct percentiles of valid options in ascending order."""
    return tuple(sorted(set(options.get("percentiles", ()))))


class Percentile(BaseModel):
    """Number below which `percent` percent of the answers lie, null without numbers."""

    percent: int
    value: float | None


class QuantilesModel(BaseModel):
    """Five numbers that divide numbers into quarters; null without numbers."""

    min: float | None
    lower_quartile: float | None = Field(description="A quarter of the answers lie below it.")
    median: float | None
    upper_quartile: float | None
    max: float | None
    percentiles: list[Percentile] = Field(description="The percentiles of the option of that name, in ascending order.")
