"""`rank`: the modified Borda count. Of k options that an answer ranks, the first gets k points, the last one, and any other none."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from conflicto.results.folds.base import MAX_ENTRIES, MOST_LISTED, Kind, first
from conflicto.results.spill.store import Entry
from conflicto.results.values import elements, raw, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.results.folds.base import About
    from conflicto.results.spill.store import SpillStore

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

    max_entries = MAX_ENTRIES

    def __init__(self, of: tuple[bytes, ...]) -> None:
        self.answers = 0
        self._of = of
        self._points: Counter[bytes] = Counter()
        self._firsts: Counter[bytes] = Counter()

    def add(self, read: tuple[bytes, ...]) -> None:
        """Take in an answer."""
        self.answers += 1
        self._move(read, 1)

    def remove(self, read: tuple[bytes, ...]) -> None:
        """Take it back."""
        self.answers -= 1
        self._move(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the options, the one with the most points first."""
        return self._told(self._points, self._firsts)

    def dump(self) -> tuple[int, dict[bytes, int], dict[bytes, int]]:
        """Return how many answers there are, the points of each option, and how often it came first."""
        return self.answers, dict(self._points), dict(self._firsts)

    def take(self, dumped: tuple[int, dict[bytes, int], dict[bytes, int]]) -> None:
        """Take in other answers."""
        answers, points, firsts = dumped
        self.answers += answers
        self._points.update(points)
        self._firsts.update(firsts)

    @property
    def entries(self) -> int:
        """How many options memory holds."""
        return len(self._points)

    def detach(self) -> Self:
        """Return what memory holds, as a state of its own."""
        detached = copy(self)
        self._points, self._firsts = Counter(), Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add what memory holds to what is stored."""
        options = self._points.keys() | self._firsts.keys()
        points = self._points
        spill.add(state, (Entry(option, points[option], self._firsts[option], points[option]) for option in options))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of what is stored."""
        found = spill.ranked(state, MOST_LISTED + 1)
        return self._told(Counter({option: a for option, a, _ in found}), Counter({option: b for option, _, b in found}))

    def _told(self, points: Counter[bytes], firsts: Counter[bytes]) -> dict[str, Any]:
        every = dict.fromkeys((*self._of, *points))
        told = first(every, MOST_LISTED, lambda text: (-points[text], -firsts[text], text))
        ranking = [{"value": raw(text), "points": points[text], "first": firsts[text]} for text in told]
        return {"op": "rank", "answers": self.answers, "ranking": ranking, "truncated": len(every) > len(told)}

    def _move(self, read: tuple[bytes, ...], times: int) -> None:
        self._firsts[read[0]] += times
        for place, option in enumerate(read):
            self._points[option] += times * (len(read) - place)
            if not self._points[option] and not self._firsts[option]:
                del self._points[option], self._firsts[option]


def _options(value: object) -> str | None:
    fits = isinstance(value, list) and 0 < len(value) <= MOST_RANKED and all(text_of(each) is not None for each in value)
    return None if fits else f"must be a list of 1 to {MOST_RANKED} options"


def _made(options: Mapping[str, Any]) -> Rank:
    texts = [text_of(option) for option in options.get("of", ())]
    return Rank(tuple(text for text in texts if text is not None) or None)


KIND = Kind(lambda options, _: _made(options), {"of": _options})
