"""`amounts`: sum, mean and share of the numbers that responses give to each option.

An answer is an object with a number for each option, or a list of objects that name an option and
a number. Sums are exact in decimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from pydantic import BaseModel, Field

from conflicto.aggregation.bounded_state import BoundedState
from conflicto.aggregation.choices import choices_check, places_by_name, read_choices
from conflicto.aggregation.decimals import UNITS, decimal_units, rounded_quotient
from conflicto.aggregation.operation import Operation, OperationResult, check_pointer, one_of_check
from conflicto.aggregation.pointer import MISSING, find, parse
from conflicto.aggregation.values import MAX_ELEMENTS, as_number, listable_text, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext

MAX_OPTIONS = 100
ENTRIES_PER_OPTION = 10
"""Entries that one option counts as: its sum has up to 700 digits."""

IGNORE, ZERO = "ignore", "zero"

ReadAmounts = tuple[tuple[int, int], ...]
"""Place of an option and the amount given to it, in units of `decimals.UNITS`."""


@dataclass(frozen=True, slots=True)
class AmountsFold:
    """Reads the amounts of `options`.

    `option` leads from an element of a list to its option, `amount` from an element or a value to
    its number.
    """

    options: tuple[bytes, ...]
    option: tuple[str, ...]
    amount: tuple[str, ...]
    is_missing_zero: bool
    places: Mapping[object, int]
    """Places of the options by their canonical JSON text, and by the name of a member."""

    def read(self, value: object, metadata: ResponseMetadata) -> ReadAmounts | None:  # noqa: ARG002 - Fold's signature
        """Return the amount of each option, None for an answer without any."""
        amounts: dict[int, int] = {}
        for key, element in self._members(value):
            place, number = self.places.get(key), as_number(find(element, self.amount))
            if place is not None and number is not None:
                amounts[place] = amounts.get(place, 0) + decimal_units(number)
        return tuple(amounts.items()) or None

    def empty(self) -> AmountsState:
        """Return an empty state."""
        return AmountsState(self.options, is_missing_zero=self.is_missing_zero)

    def _members(self, value: object) -> Iterator[tuple[object, object]]:
        """Yield each option of an answer, as a key of `places`, with its element."""
        if not isinstance(value, dict | list) or len(value) > MAX_ELEMENTS:
            return
        if isinstance(value, dict):
            yield from ((normalize(name), below) for name, below in value.items())
            return
        for each in value:
            found = find(each, self.option)
            text = None if found is MISSING else listable_text(found)
            if text is not None:
                yield text, each


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
    texts = read_choices(options["of"], context.config, MAX_OPTIONS)
    enumerated: list[tuple[object, int]] = [(text, place) for place, text in enumerate(texts)]
    return AmountsFold(
        options=texts,
        option=parse(options.get("option", "")) or (),
        amount=parse(options.get("amount", "")) or (),
        is_missing_zero=options.get("missing") == ZERO,
        places=dict([*enumerated, *places_by_name(texts).items()]),
    )


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
    {"of": choices_check(MAX_OPTIONS), "option": check_pointer, "amount": check_pointer, "missing": one_of_check(IGNORE, ZERO)},
    required=frozenset({"of"}),
    config_options=frozenset({"of"}),
    answer_options={"option": "/*", "amount": "/*"},
)
