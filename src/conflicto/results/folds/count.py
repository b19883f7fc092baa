"""`count`: how often each distinct value was given. An array counts each of its elements once for each answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.results.folds.base import MOST_LISTED, Kind, first, whole
from conflicto.results.values import elements, raw, text_of

if TYPE_CHECKING:
    from conflicto.results.folds.base import About


@dataclass(frozen=True, slots=True)
class Count:
    """Tells the `top` values."""

    top: int = MOST_LISTED

    def read(self, value: object, about: About) -> tuple[bytes, ...] | None:  # noqa: ARG002 - Fold's signature
        """Return the distinct values as JSON texts; an empty array is no answer."""
        texts = dict.fromkeys(text for text in map(text_of, elements(value) or ()) if text is not None)
        return tuple(texts) or None

    def empty(self) -> Counted:
        """Return the state of no answers."""
        return Counted(self.top)


class Counted:
    """How many answers gave each value."""

    def __init__(self, top: int) -> None:
        self.answers = 0
        self._top = top
        self._counts: Counter[bytes] = Counter()

    def add(self, read: tuple[bytes, ...]) -> None:
        """Take in an answer."""
        self.answers += 1
        counts = self._counts
        for text in read:
            counts[text] += 1

    def remove(self, read: tuple[bytes, ...]) -> None:
        """Take it back."""
        self.answers -= 1
        counts = self._counts
        for text in read:
            counts[text] -= 1
            if not counts[text]:
                del counts[text]

    def result(self) -> dict[str, Any]:
        """Return the values, the most frequent first."""
        told = first(self._counts.items(), self._top, lambda item: (-item[1], item[0]))
        values = [{"value": raw(text), "count": count} for text, count in told]
        others = self._counts.total() - sum(count for _, count in told)
        return {"op": "count", "answers": self.answers, "values": values, "others": others}

    def dump(self) -> tuple[int, dict[bytes, int]]:
        """Return how many answers there are, and how many gave each value."""
        return self.answers, dict(self._counts)

    def take(self, dumped: tuple[int, dict[bytes, int]]) -> None:
        """Take in other answers."""
        answers, counts = dumped
        self.answers += answers
        self._counts.update(counts)


KIND = Kind(lambda options, _: Count(**options), {"top": whole(1, MOST_LISTED)})
