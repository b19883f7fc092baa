"""`rank`: Borda's count. Of k options that an answer ranks, the first gets k points and the last one; what it leaves out gets none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.results.folds.base import MOST_LISTED, Kind, first
from conflicto.results.values import elements, raw, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.results.folds.base import About

MOST_RANKED = 100
"""Options in one answer; one that ranks more would outweigh everybody else's, and is no answer."""


@dataclass(frozen=True, slots=True)
class Rank:
    """With `of`, other options are left out before points are given."""

    of: tuple[bytes, ...] | None = None

    def read(self, value: object, about: About) -> tuple[bytes, ...] | None:  # noqa: ARG002 - Fold's signature
        """Return the ranked options, each once, the first one first."""
        given = elements(value) if isinstance(value, list) else None
        texts = dict.fromkeys(text for text in map(text_of, given or ()) if text is not None)
        ranked = tuple(text for text in texts if self.of is None or text in self.of)
        return ranked if 0 < len(ranked) <= MOST_RANKED else None

    def empty(self) -> Ranked:
        """Return the state of no answers."""
        return Ranked(self.of or ())


class Ranked:
    """Points of each option, and how often it came first."""

    def __init__(self, of: tuple[bytes, ...]) -> None:
        self.answers = 0
        self._of = of
        self._points: Counter[bytes] = Counter()
        self._firsts: Counter[bytes] = Counter()

    def add(self, read: tuple[bytes, ...]) -> None:
        """Take in an answer."""
        self.answers += 1
        self._firsts[read[0]] += 1
        for place, option in enumerate(read):
            self._points[option] += len(read) - place

    def remove(self, read: tuple[bytes, ...]) -> None:
        """Take it back."""
        self.answers -= 1
        self._firsts[read[0]] -= 1
        for place, option in enumerate(read):
            self._points[option] -= len(read) - place
            if not self._points[option]:
                del self._points[option], self._firsts[option]

    def result(self) -> dict[str, Any]:
        """Return the options, the one with the most points first."""
        every = dict.fromkeys((*self._of, *self._points))
        told = first(every, MOST_LISTED, lambda text: (-self._points[text], -self._firsts[text], text))
        ranking = [{"value": raw(text), "points": self._points[text], "first": self._firsts[text]} for text in told]
        return {"op": "rank", "answers": self.answers, "ranking": ranking}

    def dump(self) -> tuple[int, dict[bytes, int], dict[bytes, int]]:
        """Return how many answers there are, the points of each option, and how often it came first."""
        return self.answers, dict(self._points), dict(self._firsts)

    def take(self, dumped: tuple[int, dict[bytes, int], dict[bytes, int]]) -> None:
        """Take in other answers."""
        answers, points, firsts = dumped
        self.answers += answers
        self._points.update(points)
        self._firsts.update(firsts)


def _options(value: object) -> str | None:
    fits = isinstance(value, list) and 0 < len(value) <= MOST_RANKED and all(text_of(each) is not None for each in value)
    return None if fits else f"must be a list of 1 to {MOST_RANKED} options"


def _made(options: Mapping[str, Any]) -> Rank:
    texts = [text_of(option) for option in options.get("of", ())]
    return Rank(tuple(text for text in texts if text is not None) or None)


KIND = Kind(lambda options, _: _made(options), {"of": _options})
