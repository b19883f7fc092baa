"""`votes`: up and down for targets. What a participant said last of a target counts, so nobody lifts it twice and all can take it back.

With `among: "answers"` only targets count that are the id of another answer of the same round, one that is there and that the same
people see: a target that is hidden, gone or made up has no place in the result, and is back with all it had when it is shown again.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import BaseModel

from conflicto.aggregation.operation import MOST_LISTED, Operation, Result, first
from conflicto.aggregation.spill.store import Entry, Item
from conflicto.aggregation.values import elements, number_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.aggregation.operation import ResponseMetadata
    from conflicto.aggregation.spill.store import SpillStore

    Dumped = tuple[int, list[tuple[int, str, list[tuple[int, int, int]]]], list[str]]

LONGEST_TARGET = 200

AMONG_ANSWERS = "answers"

UP, DOWN, NEITHER = 1, -1, 0

TARGET_ENTRIES = 10

MAX_VOTE_ENTRIES = 50_000
"""Votes and targets of one tally in memory; targets have up to 200 characters, so these are 40 MiB at most."""


class Said(NamedTuple):
    """Who said what of which targets; `when` orders a participant's answers. `answer` is the answer's own id if it can be a target."""

    who: int
    when: tuple[int, int]
    votes: dict[str, int]
    answer: str | None


@dataclass(frozen=True, slots=True)
class Votes:
    """Reads one object or a list of them; `is_among_answers`: what is no vote is a target."""

    is_among_answers: bool = False

    def read(self, value: object, about: ResponseMetadata) -> Said | None:
        """Return what the answer says of each target."""
        votes: dict[str, int] = {}
        for each in elements(value) or ():
            if isinstance(each, dict):
                target, vote = each.get("target"), number_in(each.get("vote"))
                if isinstance(target, str) and len(target) <= LONGEST_TARGET and vote in {UP, DOWN, NEITHER}:
                    votes[target] = int(vote or 0)
        answer = about.response_id if self.is_among_answers and not votes else None
        return Said(about.participant_id, (about.received_us, about.created_ts), votes, answer) if votes or answer else None

    def empty(self) -> Targets:
        """Return the state of no answers."""
        return Targets(is_among=self.is_among_answers)


class Targets:
    """The votes of each participant for each target, and the sums of those that count.

    `_known` are the targets that there are, if that matters. `_votes` counts a vote by its time, so that taking one back which is stored
    on disk leaves -1; the sums follow at once while all is in memory, and when it is stored otherwise.
    """

    max_entries = MAX_VOTE_ENTRIES

    def __init__(self, *, is_among: bool) -> None:
        self.answers = 0
        self._is_among = is_among
        self._is_stored = False
        self._known: Counter[str] = Counter()
        self._votes: dict[tuple[int, str], dict[tuple[tuple[int, int], int], int]] = {}
        self._sums: dict[int, Counter[str]] = {UP: Counter(), DOWN: Counter()}

    def add(self, read: Said) -> None:
        """Take in an answer."""
        self._take_answer(read, 1)

    def remove(self, read: Said) -> None:
        """Take it back: what the participant said before counts again."""
        self._take_answer(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the targets, the one with the best balance first."""
        ups, downs = self._sums[UP], self._sums[DOWN]
        found = {target for target in {**ups, **downs} if not self._is_among or target in self._known}
        told = first(found, MOST_LISTED, lambda target: (downs[target] - ups[target], -ups[target], target))
        return self._told([(target, ups[target], downs[target]) for target in told], len(found))

    def dump(self) -> Dumped:
        """Return how many answers there are, what each participant said of each target when, and which targets there are."""
        said = [(*of, [(*when, vote) for when, vote in votes]) for of, votes in self._votes.items()]
        return self.answers, said, sorted(self._known)

    def take(self, dumped: Dumped) -> None:
        """Take in other answers."""
        answers, everything, known = dumped
        self.answers += answers
        if self._is_among:
            self._known.update(known)
        for who, target, votes in everything:
            for received_us, created_ts, vote in votes:
                self._vote((who, target), ((received_us, created_ts), vote), 1)

    @property
    def entries(self) -> int:
        """How many votes and targets memory holds; targets are sorted to be told, so each is worth ten."""
        return len(self._votes) + len(self._known) + TARGET_ENTRIES * sum(map(len, self._sums.values()))

    def detach(self) -> Self:
        """Return what memory holds, as a state of its own."""
        detached = copy(self)
        self._known, self._votes, self._sums, self._is_stored = Counter(), {}, {UP: Counter(), DOWN: Counter()}, True
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add what memory holds to what is stored."""
        spill.add_items(state, self._items(), self._weight)
        spill.add(state, (Entry(target, 0, 0, times) for target, times in self._known.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of what is stored."""
        found = spill.ranked(state, MOST_LISTED + 1)
        return self._told([(target, ups, ups - balance) for target, balance, ups in found[:MOST_LISTED]], len(found))

    def _told(self, told: list[tuple[str, int, int]], distinct: int) -> dict[str, Any]:
        targets = [{"target": target, "up": up, "down": down} for target, up, down in told]
        return {"op": "votes", "answers": self.answers, "targets": targets, "truncated": distinct > len(told)}

    def _items(self) -> Iterator[tuple[int, str, str, list[Item]]]:
        for (who, target), votes in self._votes.items():
            yield who, target, target, [Item(*when, vote, times) for (when, vote), times in votes.items()]

    def _weight(self, vote: int | None) -> tuple[int, int, int]:
        counts = vote in {UP, DOWN}
        return (vote or 0, int(vote == UP), int(counts and not self._is_among))

    def _take_answer(self, read: Said, times: int) -> None:
        self.answers += times * bool(read.votes)
        if self._is_among and read.answer is not None:
            self._known[read.answer] += times
            if not self._known[read.answer]:
                del self._known[read.answer]
        for target, vote in read.votes.items():
            self._vote((read.who, target), (read.when, vote), times)

    def _vote(self, of: tuple[int, str], said: tuple[tuple[int, int], int], times: int) -> None:
        votes = self._votes.setdefault(of, {})
        before = NEITHER if self._is_stored or not votes else max(votes)[1]
        count = votes.pop(said, 0) + times
        if count:
            votes[said] = count
        if not self._is_stored:
            self._move(of[1], before, max(votes)[1] if votes else NEITHER)
        if not votes:
            del self._votes[of]

    def _move(self, target: str, before: int, after: int) -> None:
        if before == after:
            return
        if before != NEITHER:
            sums = self._sums[before]
            sums[target] -= 1
            if not sums[target]:
                del sums[target]
        if after != NEITHER:
            self._sums[after][target] += 1


def _among(value: object) -> str | None:
    return None if value == AMONG_ANSWERS else f'must be "{AMONG_ANSWERS}"'


class VoteCount(BaseModel):
    """Votes for and against a target."""

    target: str
    up: int
    down: int


class VotesResult(Result):
    """Targets by votes, the best first."""

    op: Literal["votes"]
    targets: list[VoteCount]
    truncated: bool


OPERATION = Operation(lambda options, _: Votes(options.get("among") == AMONG_ANSWERS), VotesResult, {"among": _among})
