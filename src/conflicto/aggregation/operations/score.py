"""`score`: points for responses that equal a value in the activity's secret.

With `speed`, earlier responses earn more points.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import BaseModel

from conflicto.aggregation.operation import Operation, OperationResult, check_boolean, check_number, whole_number_check
from conflicto.aggregation.pointer import MISSING, find, parse
from conflicto.aggregation.spill.store import GroupItem
from conflicto.aggregation.values import MAX_ELEMENTS, as_number, canonical
from conflicto.platform.instants import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext
    from conflicto.aggregation.spill.store import SpillStore

MAX_BEST = 10
MAX_SCORE_ENTRIES = 200_000
"""Pairs of participant and points of one tally in memory, 60 MiB at most.

A session has up to 50,000 seats."""


class EarnedPoints(NamedTuple):
    """The points that a response earns its author."""

    participant_id: int
    is_correct: bool
    points: int


@dataclass(frozen=True, slots=True)
class ScoreFold:
    """Reads points: `correct_value`, unless `MISSING`, earns `points`.

    With a duration, points fall to half over the round.
    """

    correct_value: object
    points: int = 1000
    tolerance: int | float | None = None
    started_us: int | None = None
    duration_us: int | None = None

    def read(self, value: object, metadata: ResponseMetadata) -> EarnedPoints:
        """Return the points that a response earns."""
        is_right = self._is_correct(value)
        return EarnedPoints(metadata.participant_id, is_right, self._points_at(metadata.received_us) if is_right else 0)

    def empty(self) -> ScoreState:
        """Return an empty state."""
        return ScoreState()

    def _is_correct(self, value: object) -> bool:
        if self.correct_value is MISSING:
            return False
        if isinstance(value, list) and isinstance(self.correct_value, list):
            return len(value) <= MAX_ELEMENTS and set(map(canonical, value)) == set(map(canonical, self.correct_value))
        correct, given = as_number(self.correct_value), as_number(value)
        if self.tolerance is not None and correct is not None and given is not None:
            return abs(_decimal(given) - _decimal(correct)) <= _decimal(self.tolerance)
        return canonical(value) == canonical(self.correct_value)

    def _points_at(self, at_us: int) -> int:
        """Return the points of a correct response sent at `at_us`, µs since 1970 UTC.

        Moderation does not change that time.
        """
        if self.started_us is None or not self.duration_us:
            return self.points
        spent = min(max(0, at_us - self.started_us), self.duration_us)
        return self.points - self.points * spent // (2 * self.duration_us)


class ScoreState:
    """The points of each participant.

    Only the best response of a round counts, so repeated guesses earn nothing more.
    """

    max_entries = MAX_SCORE_ENTRIES

    def __init__(self) -> None:
        self.answers = 0
        self.entries = 0
        self._correct = 0
        self._is_stored = False
        self._counts: dict[int, dict[int, int]] = {}
        self._best: dict[int, int] = {}
        self._participants_by_points: dict[int, set[int]] = {}

    def add(self, read: EarnedPoints) -> None:
        """Count a response."""
        self.answers += 1
        self._correct += read.is_correct
        self._change_count(read.participant_id, read.points, 1)

    def remove(self, read: EarnedPoints) -> None:
        """Remove a counted response."""
        self.answers -= 1
        self._correct -= read.is_correct
        self._change_count(read.participant_id, read.points, -1)

    def points(self) -> Iterator[tuple[int, int]]:
        """Yield the participants in memory with their points."""
        return iter(self._best.items())

    def stored_points(self, spill: SpillStore, state: int) -> Iterator[tuple[int, int]]:
        """Yield the stored participants with their points."""
        return spill.all_entries(state)

    def result(self) -> dict[str, Any]:
        """Return the number of correct responses, and the best participants."""
        best: list[tuple[int, int]] = []
        for points in nlargest(MAX_BEST, self._participants_by_points):
            if points and len(best) < MAX_BEST:
                best += [
                    (participant_id, points)
                    for participant_id in nsmallest(MAX_BEST - len(best), self._participants_by_points[points])
                ]
        return self._to_result(best)

    def dump(self) -> tuple[int, int, dict[int, dict[int, int]]]:
        """Return the numbers of all and of correct responses, and counts by participant, points."""
        return self.answers, self._correct, self._counts

    def merge(self, dump: tuple[int, int, dict[int, dict[int, int]]]) -> None:
        """Add the responses of another state."""
        answers, correct, everything = dump
        self.answers += answers
        self._correct += correct
        for participant_id, earned in everything.items():
            for points, times in earned.items():
                self._change_count(participant_id, points, times)

    def detach(self) -> Self:
        """Return the memory part as a separate state, and start again empty."""
        detached = copy(self)
        self._counts, self._best, self._participants_by_points, self.entries, self._is_stored = {}, {}, {}, 0, True
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the memory part to the stored part."""
        groups = (
            (participant_id, "", participant_id, [GroupItem(points, 0, points, times) for points, times in given.items()])
            for participant_id, given in self._counts.items()
        )
        spill.add_items(state, groups, _sums_of)

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        return self._to_result([(participant_id, points) for participant_id, points, _ in spill.ranked(state, MAX_BEST)])

    def _to_result(self, best: Sequence[tuple[int, int]]) -> dict[str, Any]:
        listed = [{"participant_id": participant_id, "points": points} for participant_id, points in best]
        return {"op": "score", "answers": self.answers, "correct": self._correct, "best": listed}

    def _change_count(self, participant_id: int, points: int, times: int) -> None:
        """Count points of a participant. With a stored part, counts in memory may be negative."""
        given = self._counts.setdefault(participant_id, {})
        before = len(given)
        count = given.pop(points, 0) + times
        if count:
            given[points] = count
        self.entries += len(given) - before
        if not given:
            del self._counts[participant_id]
        if not self._is_stored:
            self._set_best(participant_id, max(given, default=None))

    def _set_best(self, participant_id: int, points: int | None) -> None:
        """Set the points of a participant's best response, None without one."""
        before = self._best.get(participant_id)
        if before == points:
            return
        if before is not None:
            self._participants_by_points[before].discard(participant_id)
            if not self._participants_by_points[before]:
                del self._participants_by_points[before]
            del self._best[participant_id]
        if points is not None:
            self._best[participant_id] = points
            self._participants_by_points.setdefault(points, set()).add(participant_id)


def _sums_of(points: int | None) -> tuple[int, int, int]:
    return (0, 0, 0) if points is None else (points, 0, 1)


def _decimal(value: float) -> Fraction:
    """Return the decimal value of a number's text, so 1.1 is within 0.1 of 1."""
    return Fraction(repr(value))


def _check_pointer(value: object) -> str | None:
    return None if isinstance(value, str) and parse(value) is not None else "must be a JSON pointer"


def _check_not_negative(value: object) -> str | None:
    return check_number(value) or (None if isinstance(value, (int, float)) and value >= 0 else "must be 0 or more")


def _build(options: Mapping[str, Any], context: RoundContext) -> ScoreFold:
    timed = bool(options.get("speed")) and context.duration_seconds is not None
    return ScoreFold(
        correct_value=find(context.secret, parse(options["key"]) or ()),
        points=options.get("points", 1000),
        tolerance=options.get("tolerance"),
        started_us=context.started_us if timed else None,
        duration_us=(context.duration_seconds or 0) * US_PER_S if timed else None,
    )


class ScoredParticipant(BaseModel):
    """Points of a participant; `participant_id` is null in anonymous activities."""

    participant_id: int | None
    points: int


class ScoreResult(OperationResult):
    """Number of correct responses, null until it may be shown, and the best participants."""

    op: Literal["score"]
    correct: int | None
    best: list[ScoredParticipant]


OPERATION = Operation(
    _build,
    ScoreResult,
    {"key": _check_pointer, "points": whole_number_check(1, 1_000_000), "speed": check_boolean, "tolerance": _check_not_negative},
    required=frozenset({"key"}),
)
