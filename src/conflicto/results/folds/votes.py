"""`votes`: up and down for targets. What a participant said last of a target counts, so nobody lifts it twice and all can take it back.

With `among: "answers"` only targets count that are the id of another answer of the same round, one that is there and that the same
people see: a target that is hidden, gone or made up has no place in the result, and is back with all it had when it is shown again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.results.folds.base import MOST_LISTED, Kind, first
from conflicto.results.values import elements, number_in

if TYPE_CHECKING:
    from conflicto.results.folds.base import About

    Dumped = tuple[int, list[tuple[int, str, list[tuple[int, int, int]]]], list[str]]

LONGEST_TARGET = 200

AMONG_ANSWERS = "answers"

UP, DOWN, NEITHER = 1, -1, 0


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

    def read(self, value: object, about: About) -> Said | None:
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
        return Targets(set() if self.is_among_answers else None)


class Targets:
    """What each participant said of each target, and the sums of what counts; `known` are the targets that there are, if that matters."""

    def __init__(self, known: set[str] | None) -> None:
        self.answers = 0
        self._known = known
        self._said: dict[tuple[int, str], dict[tuple[int, int], int]] = {}
        self._sums: dict[int, Counter[str]] = {UP: Counter(), DOWN: Counter()}

    def add(self, read: Said) -> None:
        """Take in an answer."""
        self.answers += bool(read.votes)
        if self._known is not None and read.answer is not None:
            self._known.add(read.answer)
        for target, vote in read.votes.items():
            said = self._said.setdefault((read.who, target), {})
            before = said[max(said)] if said else NEITHER
            said[read.when] = vote
            self._move(target, before, said[max(said)])

    def remove(self, read: Said) -> None:
        """Take it back: what the participant said before counts again."""
        self.answers -= bool(read.votes)
        if self._known is not None and read.answer is not None:
            self._known.discard(read.answer)
        for target in read.votes:
            said = self._said[read.who, target]
            before = said[max(said)]
            del said[read.when]
            self._move(target, before, said[max(said)] if said else NEITHER)
            if not said:
                del self._said[read.who, target]

    def result(self) -> dict[str, Any]:
        """Return the targets, the one with the best balance first."""
        ups, downs = self._sums[UP], self._sums[DOWN]
        found = {target for target in {**ups, **downs} if self._known is None or target in self._known}
        told = first(found, MOST_LISTED, lambda target: (downs[target] - ups[target], -ups[target], target))
        targets = [{"target": target, "up": ups[target], "down": downs[target]} for target in told]
        return {"op": "votes", "answers": self.answers, "targets": targets}

    def dump(self) -> Dumped:
        """Return how many answers there are, what each participant said of each target when, and which targets there are."""
        said = [(*of, [(*when, vote) for when, vote in votes.items()]) for of, votes in self._said.items()]
        return self.answers, said, sorted(self._known or ())

    def take(self, dumped: Dumped) -> None:
        """Take in other answers."""
        answers, everything, known = dumped
        self.answers += answers
        if self._known is not None:
            self._known.update(known)
        for who, target, votes in everything:
            said = self._said.setdefault((who, target), {})
            before = said[max(said)] if said else NEITHER
            said.update({(received_us, created_ts): vote for received_us, created_ts, vote in votes})
            self._move(target, before, said[max(said)])

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


KIND = Kind(lambda options, _: Votes(options.get("among") == AMONG_ANSWERS), {"among": _among})
