"""`count`: number of responses that gave each distinct value.

An array counts each of its elements once.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from heapq import nsmallest
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
from pydantic import BaseModel, Field

from conflicto.aggregation.config_options import ConfigOption
from conflicto.aggregation.operation import MAX_ENTRIES, MAX_LISTED, Operation, OperationResult, whole_number_check
from conflicto.aggregation.spill.store import KeySums
from conflicto.aggregation.values import elements, listable_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.aggregation.operation import ResponseMetadata
    from conflicto.aggregation.spill.store import SpillStore


@dataclass(frozen=True, slots=True)
class CountFold:
    """Reads values; results list the `top` ones."""

    top: int = MAX_LISTED

    def read(self, value: object, metadata: ResponseMetadata) -> tuple[bytes, ...] | None:  # noqa: ARG002 - Fold's signature
        """Return the distinct values as JSON texts, None for an empty array."""
        texts = dict.fromkeys(text for text in map(listable_text, elements(value) or ()) if text is not None)
        return tuple(texts) or None

    def empty(self) -> CountState:
        """Return an empty state."""
        return CountState(self.top)


class CountState:
    """The number of responses that gave each value."""

    max_entries = MAX_ENTRIES

    def __init__(self, top: int) -> None:
        self.answers = 0
        self._top = top
        self._total = 0
        self._counts: Counter[bytes] = Counter()

    def add(self, read: tuple[bytes, ...]) -> None:
        """Count a response."""
        self.answers += 1
        self._total += len(read)
        counts = self._counts
        for text in read:
            counts[text] += 1
            if not counts[text]:
                del counts[text]

    def remove(self, read: tuple[bytes, ...]) -> None:
        """Remove a counted response."""
        self.answers -= 1
        self._total -= len(read)
        counts = self._counts
        for text in read:
            counts[text] -= 1
            if not counts[text]:
                del counts[text]

    def result(self) -> dict[str, Any]:
        """Return the values, most frequent first."""
        return self._to_result(nsmallest(self._top, self._counts.items(), lambda item: (-item[1], item[0])), len(self._counts))

    def dump(self) -> tuple[int, dict[bytes, int]]:
        """Return the number of responses, and the number that gave each value."""
        return self.answers, dict(self._counts)

    def merge(self, dump: tuple[int, dict[bytes, int]]) -> None:
        """Add the responses of another state."""
        answers, counts = dump
        self.answers += answers
        self._total += sum(counts.values())
        self._counts.update(counts)

    @property
    def entries(self) -> int:
        """The number of values in memory."""
        return len(self._counts)

    def detach(self) -> Self:
        """Return the memory part as a separate state, and start again empty."""
        detached = copy(self)
        self._counts = Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the memory part to the stored part."""
        spill.add(state, (KeySums(text, count, 0, count) for text, count in self._counts.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        found = spill.ranked(state, self._top + 1)
        return self._to_result([(text, count) for text, count, _ in found[: self._top]], len(found))

    def _to_result(self, listed: Sequence[tuple[bytes, int]], distinct: int) -> dict[str, Any]:
        values = [{"value": msgspec.Raw(text), "count": count} for text, count in listed]
        others = self._total - sum(map(itemgetter(1), listed))
        return {"op": "count", "answers": self.answers, "values": values, "others": others, "truncated": distinct > len(listed)}


class ValueCount(BaseModel):
    """Number of times that a value was given."""

    value: Any
    count: int


class CountResult(OperationResult):
    """Values by frequency, the most frequent first."""

    op: Literal["count"]
    values: list[ValueCount]
    others: int = Field(description="Sum of the counts of values that are not listed.")
    truncated: bool


OPERATION = Operation(
    lambda options, _: CountFold(**options), CountResult, {"top": ConfigOption(whole_number_check(1, MAX_LISTED))}
)
