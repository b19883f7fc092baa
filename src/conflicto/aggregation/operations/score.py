"""`score`: points for responses that match a value in the activity's secret, by a rule.

With `all`, several members must match. With `partial`, answers that are right in part earn a part
of the points. With `speed`, earlier responses earn more points.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import BaseModel

from conflicto.aggregation.correctness import DISTANCE, EQUAL, RULES, CorrectValue
from conflicto.aggregation.operation import (
    Operation,
    OperationResult,
    check_boolean,
    check_number,
    check_pointer,
    one_of_check,
    whole_number_check,
)
from conflicto.aggregation.partial_credit import CLOSENESS, MEMBERS, PARTIALS, partial_points
from conflicto.aggregation.pointer import MISSING, find, parse
from conflicto.aggregation.spill.store import GroupItem
from conflicto.aggregation.values import as_number
from conflicto.platform.instants import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conflicto.aggregation.operation import OptionCheck, ResponseMetadata, RoundContext
    from conflicto.aggregation.spill.store import SpillStore

MAX_BEST = 10
MAX_MEMBERS = 8
"""Members that one answer is compared in."""

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
    """Reads points: an answer that meets all targets earns `points`.

    With a duration, points fall to half over the round. With `partial`, an answer earns a part of
    the points of its moment.
    """

    targets: tuple[CorrectValue, ...]
    points: int = 1000
    started_us: int | None = None
    duration_us: int | None = None
    partial: str | None = None

    @property
    def correct_value(self) -> object:
        """The correct value, `MISSING` if there is none or several members are compared."""
        return self.targets[0].value if len(self.targets) == 1 else MISSING

    def read(self, value: object, metadata: ResponseMetadata) -> EarnedPoints:
        """Return the points that a response earns."""
        if self.partial is None:
            is_right = all(target.is_met(value) for target in self.targets)
            return EarnedPoints(metadata.participant_id, is_right, self._points_at(metadata.received_us) if is_right else 0)
        return self._read_in_part(self.partial, value, metadata)

    def empty(self) -> ScoreState:
        """Return an empty state."""
        return ScoreState()

    def _read_in_part(self, partial: str, value: object, metadata: ResponseMetadata) -> EarnedPoints:
        """Return the points of a response that may be right in part."""
        points, first = self._points_at(metadata.received_us), self.targets[0]
        if len(self.targets) > 1:
            met = sum(target.is_met(value) for target in self.targets)
            return EarnedPoints(metadata.participant_id, met == len(self.targets), points * met // len(self.targets))
        earned = partial_points(partial, first, value, points)
        is_right = first.is_met(value) if partial == CLOSENESS else earned == points
        return EarnedPoints(metadata.participant_id, is_right, earned)

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


def _check_tolerance(value: object) -> str | None:
    if isinstance(value, str):
        return None if parse(value) else "must be a JSON pointer into secret"
    fits = not check_number(value) and isinstance(value, (int, float)) and value >= 0
    return None if fits else "must be a number of 0 or more, or a JSON pointer into secret"


_TARGET_OPTIONS: dict[str, OptionCheck] = {"key": check_pointer, "rule": one_of_check(*RULES), "tolerance": _check_tolerance}


def _check_members(value: object) -> str | None:
    allowed = {"path": check_pointer} | _TARGET_OPTIONS
    is_list = isinstance(value, list) and 0 < len(value) <= MAX_MEMBERS and all(isinstance(each, dict) for each in value)
    if not isinstance(value, list) or not is_list:
        return f"must be a list of 1 to {MAX_MEMBERS} objects with `path`, `key` and optionally `rule` and `tolerance`"
    for place, each in enumerate(value):
        if not {"path", "key"} <= each.keys() <= allowed.keys():
            return f"at {place} must have `path` and `key`, and may have `rule` and `tolerance`"
        for name, check in allowed.items():
            if name in each and (message := check(each[name])):
                return f"at {place}/{name} {message}"
    return None


def _check_together(options: object) -> str | None:
    given: Mapping[str, Any] = options if isinstance(options, dict) else {}
    if ("key" in given) == ("all" in given):
        return "needs either `key`, or `all` with several members"
    if "key" not in given and {"rule", "tolerance"} & given.keys():
        return "takes `rule` and `tolerance` in `all`"
    return _partial_fault(given)


def _partial_fault(given: Mapping[str, Any]) -> str | None:
    """Return the fault of `partial` beside the other options."""
    partial, rule = given.get("partial"), given.get("rule", EQUAL)
    if "all" in given:
        return None if partial in {None, MEMBERS} else f'takes only `partial` "{MEMBERS}" with `all`'
    if partial == CLOSENESS and (rule != DISTANCE or "tolerance" not in given):
        return f'needs `rule` "{DISTANCE}" and a `tolerance` for `partial` "{CLOSENESS}"'
    return None if partial in {None, CLOSENESS} or rule == EQUAL else f'needs `rule` "{EQUAL}" for `partial` "{partial}"'


def _target(given: Mapping[str, Any], secret: object) -> CorrectValue:
    tolerance = given.get("tolerance")
    if isinstance(tolerance, str):
        tolerance = as_number(find(secret, parse(tolerance) or ()))
    value = find(secret, parse(given["key"]) or ())
    return CorrectValue(value, given.get("rule", EQUAL), tolerance, parse(given.get("path", "")) or ())


def _build(options: Mapping[str, Any], context: RoundContext) -> ScoreFold:
    timed = bool(options.get("speed")) and context.duration_seconds is not None
    targets = tuple(_target(each, context.secret) for each in options.get("all", [options]))
    return ScoreFold(
        targets=targets,
        points=options.get("points", 1000),
        started_us=context.started_us if timed else None,
        duration_us=(context.duration_seconds or 0) * US_PER_S if timed else None,
        partial=options.get("partial") if len(targets) > 1 or "key" in options else None,
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
    {"points": whole_number_check(1, 1_000_000), "speed": check_boolean, "all": _check_members, "partial": one_of_check(*PARTIALS)}
    | _TARGET_OPTIONS,
    check_together=_check_together,
)
