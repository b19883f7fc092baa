"""`rank`: points for ranked options, by one of two rules.

Modified Borda count, the default: of the k options in a response, the first gets k points and the
last gets 1. Unranked options get 0.
Borda count: of n options, the first gets n - 1 points. Unranked options share the last place.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import msgspec
from pydantic import BaseModel

from conflicto.aggregation.choices import choices_check, distinct_texts, read_choices
from conflicto.aggregation.operation import MAX_ENTRIES, MAX_LISTED, Operation, OperationResult, one_of_check
from conflicto.aggregation.spill.store import KeySums
from conflicto.aggregation.values import elements, listable_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext
    from conflicto.aggregation.spill.store import SpillStore

MAX_RANKED = 100
"""Options in one response. A response with more is left out, because it would outweigh others."""

MODIFIED, BORDA = "modified", "borda"
AVERAGE, ZERO = "average", "zero"

HALF_POINTS = 2
"""Units of a point in the Borda count, because the mean of two places may be a half point."""


class RankedPoints(NamedTuple):
    """Points that a response gives, and the options that it ranks first."""

    points: tuple[tuple[bytes, int], ...]
    firsts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ModifiedBordaFold:
    """The modified Borda count. With `options`, other options are removed first."""

    options: tuple[bytes, ...] | None = None

    def read(self, value: object, metadata: ResponseMetadata) -> RankedPoints | None:  # noqa: ARG002 - Fold's signature
        """Return the points of the ranked options."""
        known = None if self.options is None else frozenset(self.options)
        given = elements(value) if isinstance(value, list) else None
        ranked = [text for text in distinct_texts(given or ()) if known is None or text in known]
        if not 0 < len(ranked) <= MAX_RANKED:
            return None
        return RankedPoints(tuple((text, len(ranked) - place) for place, text in enumerate(ranked)), (ranked[0],))

    def empty(self) -> RankState:
        """Return an empty state."""
        return RankState(self.options or ())


@dataclass(frozen=True, slots=True)
class BordaFold:
    """The Borda count over `options`. Options that share a place get the mean of its points.

    With `is_zero`, unranked options get 0 points.
    """

    options: tuple[bytes, ...]
    is_zero: bool = False

    def read(self, value: object, metadata: ResponseMetadata) -> RankedPoints | None:  # noqa: ARG002 - Fold's signature
        """Return the half points of all options. A nested array is a shared place."""
        places = list(self._places(value)) if isinstance(value, list) else []
        if not places:
            return None
        ranked = {text for place in places for text in place}
        points: list[tuple[bytes, int]] = []
        below = len(self.options)
        for place in places:
            below -= len(place)
            points += [(text, HALF_POINTS * below + len(place) - 1) for text in place]
        if not self.is_zero:
            points += [(text, below - 1) for text in self.options if text not in ranked]
        return RankedPoints(tuple(points), tuple(places[0]))

    def empty(self) -> RankState:
        """Return an empty state."""
        return RankState(self.options, HALF_POINTS)

    def _places(self, value: list[object]) -> Iterable[list[bytes]]:
        """Yield the options at each place in order, each option once."""
        left = set(self.options)
        for each in elements(value) or ():
            text = listable_text(each)
            given = distinct_texts(elements(each) or ()) if isinstance(each, list) and text not in left else [text]
            place = [option for option in given if option is not None and option in left]
            left.difference_update(place)
            if place:
                yield place


class RankState:
    """Points of each option, and the number of its first places. A point is `scale` units."""

    max_entries = MAX_ENTRIES

    def __init__(self, options: tuple[bytes, ...], scale: int = 1) -> None:
        self.answers = 0
        self._options = options
        self._scale = scale
        self._points: Counter[bytes] = Counter()
        self._firsts: Counter[bytes] = Counter()

    def add(self, read: RankedPoints) -> None:
        """Count a response."""
        self.answers += 1
        self._change_points(read, 1)

    def remove(self, read: RankedPoints) -> None:
        """Remove a counted response."""
        self.answers -= 1
        self._change_points(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the options, most points first."""
        return self._to_result(self._points, self._firsts)

    def dump(self) -> tuple[int, dict[bytes, int], dict[bytes, int]]:
        """Return the number of responses, each option's units and its number of first places."""
        return self.answers, dict(self._points), dict(self._firsts)

    def merge(self, dump: tuple[int, dict[bytes, int], dict[bytes, int]]) -> None:
        """Add the responses of another state."""
        answers, points, firsts = dump
        self.answers += answers
        self._points.update(points)
        self._firsts.update(firsts)

    @property
    def entries(self) -> int:
        """The number of options in memory."""
        return len(self._points)

    def detach(self) -> Self:
        """Return the memory part as a separate state, and start again empty."""
        detached = copy(self)
        self._points, self._firsts = Counter(), Counter()
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the memory part to the stored part."""
        options = self._points.keys() | self._firsts.keys()
        points = self._points
        spill.add(state, (KeySums(option, points[option], self._firsts[option], points[option]) for option in options))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        found = spill.ranked(state, MAX_LISTED + 1)
        return self._to_result(Counter({option: a for option, a, _ in found}), Counter({option: b for option, _, b in found}))

    def _to_result(self, points: Counter[bytes], firsts: Counter[bytes]) -> dict[str, Any]:
        every = dict.fromkeys((*self._options, *points))
        listed = nsmallest(MAX_LISTED, every, lambda text: (-points[text], -firsts[text], text))
        ranking = [{"value": msgspec.Raw(text), "points": self._to_points(points[text]), "first": firsts[text]} for text in listed]
        return {"op": "rank", "answers": self.answers, "ranking": ranking, "truncated": len(every) > len(listed)}

    def _to_points(self, units: int) -> int | float:
        return units / self._scale if units % self._scale else units // self._scale

    def _change_points(self, read: RankedPoints, times: int) -> None:
        for option in read.firsts:
            self._firsts[option] += times
        for option, units in read.points:
            self._points[option] += times * units
            if not self._points[option] and not self._firsts[option]:
                del self._points[option], self._firsts[option]


def _check_together(options: object) -> str | None:
    given: Mapping[str, Any] = options if isinstance(options, dict) else {}
    if given.get("rule") == BORDA:
        return None if "of" in given else f'needs "of" with the rule "{BORDA}", to find unranked options'
    return f'allows "unranked" only with the rule "{BORDA}"' if "unranked" in given else None


def _build(options: Mapping[str, Any], context: RoundContext) -> ModifiedBordaFold | BordaFold:
    known = read_choices(options["of"], context.config, MAX_RANKED) if "of" in options else None
    if options.get("rule") == BORDA:
        return BordaFold(known or (), is_zero=options.get("unranked") == ZERO)
    return ModifiedBordaFold(known)


class RankedValue(BaseModel):
    """Points of a ranked option, and the number of its first places."""

    value: Any
    points: float
    first: int


class RankResult(OperationResult):
    """Options by points, the best first."""

    op: Literal["rank"]
    ranking: list[RankedValue]
    truncated: bool


OPERATION = Operation(
    _build,
    RankResult,
    {"of": choices_check(MAX_RANKED), "rule": one_of_check(MODIFIED, BORDA), "unranked": one_of_check(AVERAGE, ZERO)},
    check_together=_check_together,
    config_options=frozenset({"of"}),
)
