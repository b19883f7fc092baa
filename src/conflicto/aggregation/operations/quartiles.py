"""`quartiles`: median, quartiles and extremes of the numbers that responses give to each option."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from itertools import groupby
from struct import Struct
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
from pydantic import Field

from conflicto.aggregation.decimals import MAX_FLOAT, UNITS
from conflicto.aggregation.number_counts import RANGE_OPTIONS, NumberRange, Real, check_range, parse_range
from conflicto.aggregation.operation import MAX_ENTRIES, Operation, OperationResult
from conflicto.aggregation.option_numbers import ANSWER_OPTIONS, OPTION_CHECKS, OptionNumbers
from conflicto.aggregation.quantiles import QuantilesModel, check_percentiles, parse_percentiles, quantiles
from conflicto.aggregation.spill.store import KeySums
from conflicto.aggregation.values import as_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext
    from conflicto.aggregation.spill.store import SpillStore

OptionNumber = tuple[int, Real]
"""Place of an option, and the number given to it."""

_KEY, _BITS, _DOUBLE = Struct(">BQ"), Struct(">Q"), Struct(">d")
_SIGN = 1 << 63


@dataclass(frozen=True, slots=True)
class QuartilesFold:
    """Reads the numbers of options within a range."""

    numbers: OptionNumbers
    range: NumberRange
    percentiles: tuple[int, ...] = ()

    def read(self, value: object, metadata: ResponseMetadata) -> tuple[OptionNumber, ...] | None:
        """Return the number of each option, None for an answer without any."""
        found = {place: _nearest_number(units) for place, units in self.numbers.read(value).items()}
        kept = ((place, self.range.read(number, metadata)) for place, number in found.items())
        return tuple((place, number) for place, number in kept if number is not None) or None

    def empty(self) -> QuartilesState:
        """Return an empty state."""
        return QuartilesState(self.numbers.options, self.percentiles)


class QuartilesState:
    """The number of responses that gave each number to each option."""

    max_entries = MAX_ENTRIES

    def __init__(self, options: tuple[bytes, ...], percentiles: tuple[int, ...]) -> None:
        self.answers = 0
        self._options = options
        self._percentiles = percentiles
        self._option_answers: Counter[int] = Counter()
        self._counts: Counter[OptionNumber] = Counter()

    def add(self, read: tuple[OptionNumber, ...]) -> None:
        """Count a response."""
        self._change(read, 1)

    def remove(self, read: tuple[OptionNumber, ...]) -> None:
        """Remove a counted response."""
        self._change(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the options in their order."""
        return self._to_result(sorted(self._counts.items()))

    def dump(self) -> tuple[int, list[tuple[int, Real, int]]]:
        """Return the number of responses, and each option's place and number with its count."""
        return self.answers, [(*key, count) for key, count in self._counts.items()]

    def merge(self, dump: tuple[int, list[tuple[int, Real, int]]]) -> None:
        """Add the responses of another state."""
        answers, counts = dump
        self.answers += answers
        for place, number, count in counts:
            self._count((place, number), count)

    @property
    def entries(self) -> int:
        """The number of pairs of option and number in memory."""
        return len(self._counts)

    def detach(self) -> Self:
        """Return the counts in memory as a separate state, and start again at 0."""
        detached = copy(self)
        detached._option_answers = self._option_answers.copy()  # noqa: SLF001 - the same class
        self._counts = Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the counts in memory to the stored ones."""
        spill.add(state, (KeySums(_sortable_key(*key), count, 0, 0) for key, count in self._counts.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        return self._to_result((_read_key(key), count) for key, count in spill.all_entries(state))

    def _to_result(self, counts: Iterable[tuple[OptionNumber, int]]) -> dict[str, Any]:
        """Describe the options from counts in ascending order of option and number."""
        found = {place: self._option(place, _numbers(each)) for place, each in groupby(counts, lambda entry: entry[0][0])}
        options = [found.get(place) or self._option(place, ()) for place in range(len(self._options))]
        return {"op": "quartiles", "answers": self.answers, "options": options}

    def _option(self, place: int, counts: Iterable[tuple[Real, int]]) -> dict[str, Any]:
        n = self._option_answers[place]
        return {"value": msgspec.Raw(self._options[place]), "answers": n} | quantiles(counts, n, self._percentiles)

    def _change(self, read: tuple[OptionNumber, ...], times: int) -> None:
        self.answers += times
        for key in read:
            self._count(key, times)

    def _count(self, key: OptionNumber, times: int) -> None:
        self._option_answers[key[0]] += times
        self._counts[key] += times
        if not self._counts[key]:
            del self._counts[key]


def _numbers(entries: Iterable[tuple[OptionNumber, int]]) -> Iterator[tuple[Real, int]]:
    return ((number, count) for (_, number), count in entries)


def _nearest_number(units: int) -> Real | None:
    """Return the double that is nearest to a number in units; None if no double is near."""
    return None if abs(units) > MAX_FLOAT * UNITS else as_number(units / UNITS)


def _sortable_key(place: int, number: Real) -> bytes:
    """Return bytes that sort by option, then by number."""
    (bits,) = _BITS.unpack(_DOUBLE.pack(number or 0.0))
    return _KEY.pack(place, bits ^ (_SIGN * 2 - 1) if bits & _SIGN else bits | _SIGN)


def _read_key(key: bytes) -> OptionNumber:
    """Return option and number of `_sortable_key`.

    >>> [_read_key(_sortable_key(1, number)) for number in (-2, -0.5, 0, 3)]
    [(1, -2), (1, -0.5), (1, 0), (1, 3)]
    """
    place, sortable = _KEY.unpack(key)
    bits = sortable ^ _SIGN if sortable & _SIGN else sortable ^ (_SIGN * 2 - 1)
    number = as_number(_DOUBLE.unpack(_BITS.pack(bits))[0])
    return place, number or 0


def _build(options: Mapping[str, Any], context: RoundContext) -> QuartilesFold:
    numbers = OptionNumbers.parse(options, context.config)
    return QuartilesFold(numbers, NumberRange(*parse_range(options)), parse_percentiles(options))


class OptionQuartiles(QuantilesModel):
    """Quartiles and percentiles of the numbers given to an option; null without numbers."""

    value: Any
    answers: int = Field(description="Number of answers that give a number to this option.")


class QuartilesResult(OperationResult):
    """Quartiles of the numbers given to each option, in the order of the options."""

    op: Literal["quartiles"]
    options: list[OptionQuartiles]


OPERATION = Operation(
    _build,
    QuartilesResult,
    OPTION_CHECKS | {"percentiles": check_percentiles} | RANGE_OPTIONS,
    required=frozenset({"of"}),
    check_together=check_range,
    config_options=frozenset({"of"}),
    answer_options=ANSWER_OPTIONS,
)
