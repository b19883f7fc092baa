"""`amounts`: sum, mean and share of the numbers that responses give to each option.

Sums are exact in decimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from pydantic import BaseModel, Field

from conflicto.aggregation.bounded_state import BoundedState
from conflicto.aggregation.decimals import UNITS, rounded_quotient
from conflicto.aggregation.operation import Operation, OperationResult, one_of_check
from conflicto.aggregation.option_numbers import ANSWER_OPTIONS, OPTION_CHECKS, OptionNumbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext

ENTRIES_PER_OPTION = 10
"""Entries that one option counts as: its sum has up to 700 digits."""

IGNORE, ZERO = "ignore", "zero"

ReadAmounts = tuple[tuple[int, int], ...]
"""Place of an option and the amount given to it, in units of `decimals.UNITS`."""


@dataclass(frozen=True, slots=True)
class AmountsFold:
    """Reads the amounts of options."""

    numbers: OptionNumbers
    is_missing_zero: bool

    def read(self, value: object, metadata: ResponseMetadata) -> ReadAmounts | None:  # noqa: ARG002 - Fold's signature
        """Return the amount of each option, None for an answer without any."""
        return tuple(self.numbers.read(value).items()) or None

    def empty(self) -> AmountsState:
        """Return an empty state."""
        return AmountsState(self.numbers.options, is_missing_zero=self.is_missing_zero)


class AmountsState(BoundedState):
    """The number of responses that gave an amount to each option, and the sum of the amounts."""

    def __init__(self, options: tuple[bytes, ...], *, is_missing_zero: bool) -> None:
        self.answers = 0
        self._options = options
        self._is_missing_zero = is_missing_zero
        self._counts = [0] * len(options)
        self._sums = [0] * len(options)

    def add(self, read: ReadAmounts) -> None:
        """Count a response."""
        self._change(read, 1)

    def remove(self, read: ReadAmounts) -> None:
        """Remove a counted response."""
        self._change(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the options in their order."""
        return {"op": "amounts", "answers": self.answers, "options": [self._option(place) for place in range(len(self._options))]}

    def dump(self) -> tuple[int, list[int], list[str]]:
        """Return the number of responses, and the counts and sums, in hexadecimal, by option."""
        return self.answers, self._counts, [f"{each:x}" for each in self._sums]

    def merge(self, dump: tuple[int, list[int], list[str]]) -> None:
        """Add the responses of another state."""
        answers, counts, sums = dump
        self.answers += answers
        self._counts = [mine + more for mine, more in zip(self._counts, counts, strict=True)]
        self._sums = [mine + int(more, 16) for mine, more in zip(self._sums, sums, strict=True)]

    @property
    def entries(self) -> int:
        """The number of entries that the options count as."""
        return len(self._options) * ENTRIES_PER_OPTION

    def _option(self, place: int) -> dict[str, Any]:
        count, units = self._counts[place], self._sums[place]
        denominator = self.answers if self._is_missing_zero else count
        has_shares = min(self._sums) >= 0
        return {
            "value": msgspec.Raw(self._options[place]),
            "answers": count,
            "sum": rounded_quotient(units, UNITS),
            "mean": rounded_quotient(units, UNITS * denominator),
            "share": rounded_quotient(units, sum(self._sums)) if has_shares else None,
        }

    def _change(self, read: ReadAmounts, times: int) -> None:
        self.answers += times
        for place, units in read:
            self._counts[place] += times
            self._sums[place] += times * units


def _build(options: Mapping[str, Any], context: RoundContext) -> AmountsFold:
    return AmountsFold(OptionNumbers.parse(options, context.config), options.get("missing") == ZERO)


class OptionAmount(BaseModel):
    """Sum, mean and share of the numbers given to an option; null where there are none."""

    value: Any
    answers: int = Field(description="Number of answers that give a number to this option.")
    sum: float | None
    mean: float | None
    share: float | None = Field(description="Part of the sum of all options, from 0 to 1; null if a sum is negative.")


class AmountsResult(OperationResult):
    """Numbers given to each option, in the order of the options."""

    op: Literal["amounts"]
    options: list[OptionAmount]


OPERATION = Operation(
    _build,
    AmountsResult,
    OPTION_CHECKS | {"missing": one_of_check(IGNORE, ZERO)},
    required=frozenset({"of"}),
    config_options=frozenset({"of"}),
    answer_options=ANSWER_OPTIONS,
)
