"""`pairs`: number of responses that hold two options together.

In a list, each two of its options are a pair. In an object, each name and its value are one, as in
an answer that matches things.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import nsmallest
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from pydantic import BaseModel

from conflicto.aggregation.bounded_state import BoundedState
from conflicto.aggregation.choices import choices_check, distinct_texts, places_by_name, read_choices
from conflicto.aggregation.operation import MAX_LISTED, Operation, OperationResult, whole_number_check
from conflicto.aggregation.values import MAX_ELEMENTS, elements, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext

MAX_OPTIONS = 50
"""Options on each side, so that there are at most 2,500 pairs."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PairsFold:
    """Reads pairs: two of `firsts` in a list, a name of `firsts` and a value of `seconds` else."""

    firsts: tuple[bytes, ...]
    seconds: tuple[bytes, ...]
    top: int

    def read(self, value: object, metadata: ResponseMetadata) -> tuple[Pair, ...] | None:  # noqa: ARG002 - Fold's signature
        """Return the distinct pairs, None for a value that can hold none."""
        if not isinstance(value, dict | list) or not 0 < len(value) <= MAX_ELEMENTS:
            return None
        if isinstance(value, dict):
            return tuple(dict.fromkeys(self._matches(value)))
        places = sorted(self.firsts.index(text) for text in distinct_texts(value) if text in self.firsts)
        return tuple(combinations(places, 2))

    def empty(self) -> PairsState:
        """Return an empty state."""
        return PairsState(self)

    def _matches(self, value: dict[str, object]) -> Iterator[Pair]:
        places = places_by_name(self.firsts)
        for name, below in value.items():
            first = places.get(str(normalize(name)))
            for text in distinct_texts(elements(below) or ()) if first is not None else ():
                if first is not None and text in self.seconds:
                    yield first, self.seconds.index(text)


class PairsState(BoundedState):
    """The number of responses that hold each pair."""

    def __init__(self, fold: PairsFold) -> None:
        self.answers = 0
        self._fold = fold
        self._counts: Counter[Pair] = Counter()

    def add(self, read: tuple[Pair, ...]) -> None:
        """Count a response."""
        self._change(read, 1)

    def remove(self, read: tuple[Pair, ...]) -> None:
        """Remove a counted response."""
        self._change(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the pairs, the most frequent first."""
        listed = nsmallest(self._fold.top, self._counts.items(), lambda item: (-item[1], item[0]))
        pairs = [{"first": self._value(pair, 0), "second": self._value(pair, 1), "count": count} for pair, count in listed]
        return {"op": "pairs", "answers": self.answers, "pairs": pairs, "truncated": len(self._counts) > len(listed)}

    def dump(self) -> tuple[int, list[tuple[int, int, int]]]:
        """Return the number of responses, and each pair with its count."""
        return self.answers, [(*pair, count) for pair, count in self._counts.items()]

    def merge(self, dump: tuple[int, list[tuple[int, int, int]]]) -> None:
        """Add the responses of another state."""
        answers, counts = dump
        self.answers += answers
        for first, second, count in counts:
            self._counts[first, second] += count

    @property
    def entries(self) -> int:
        """The number of pairs."""
        return len(self._counts)

    def _value(self, pair: Pair, side: int) -> Any:  # noqa: ANN401 - JSON
        return msgspec.Raw((self._fold.firsts, self._fold.seconds)[side][pair[side]])

    def _change(self, read: tuple[Pair, ...], times: int) -> None:
        self.answers += times
        for pair in read:
            self._counts[pair] += times
            if not self._counts[pair]:
                del self._counts[pair]


def _build(options: Mapping[str, Any], context: RoundContext) -> PairsFold:
    firsts = read_choices(options["of"], context.config, MAX_OPTIONS)
    seconds = read_choices(options["with"], context.config, MAX_OPTIONS) if "with" in options else firsts
    return PairsFold(firsts, seconds, options.get("top", MAX_LISTED))


class PairCount(BaseModel):
    """Number of responses that hold two options together."""

    first: Any
    second: Any
    count: int


class PairsResult(OperationResult):
    """Pairs by frequency, the most frequent first."""

    op: Literal["pairs"]
    pairs: list[PairCount]
    truncated: bool


OPERATION = Operation(
    _build,
    PairsResult,
    {"of": choices_check(MAX_OPTIONS), "with": choices_check(MAX_OPTIONS), "top": whole_number_check(1, MAX_LISTED)},
    required=frozenset({"of"}),
    config_options=frozenset({"of", "with"}),
)
