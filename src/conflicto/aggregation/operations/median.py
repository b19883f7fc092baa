"""`median`: the median of the given numbers, their quartiles and extremes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from conflicto.aggregation.number_counts import (
    RANGE_OPTIONS,
    NumberCounts,
    NumberRange,
    Real,
    check_range,
    parse_range,
)
from conflicto.aggregation.operation import Operation, OperationResult
from conflicto.aggregation.quantiles import QuantilesModel, check_percentiles, parse_percentiles, quantiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conflicto.aggregation.spill.store import SpillStore


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
        return {"op": "median", "answers": self.answers} | quantiles(counts, self.answers, self._percentiles)


def _build(options: Mapping[str, Any]) -> MedianFold:
    return MedianFold(*parse_range(options), percentiles=parse_percentiles(options))


class MedianResult(OperationResult, QuantilesModel):
    """Five numbers that divide the answers into quarters; null without numbers."""

    op: Literal["median"]


OPERATION = Operation(
    lambda options, _: _build(options),
    MedianResult,
    {"percentiles": check_percentiles} | RANGE_OPTIONS,
    check_together=check_range,
)
