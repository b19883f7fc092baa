"""`votes`: up and down for targets. What a participant said last of a target counts, so nobody lifts it twice and all can take it back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.results.folds.base import MOST_LISTED, Kind, first
from conflicto.results.values import elements, number_in

if TYPE_CHECKING:
    from conflicto.results.folds.base import About

LONGEST_TARGET = 200

UP, DOWN, NEITHER = 1, -1, 0


class Said(NamedTuple):
    """Who said what of which targets; `when` orders a participant's answers."""

    who: int
    when: tuple[int, int]
    votes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Votes:
    """Reads one object or a list of them."""

    def read(self, value: object, about: About) -> Said | None:
        """Return what the answer says of each target."""
        votes: dict[str, int] = {}
        for each in elements(value) or ():
            if isinstance(each, dict):
                target, vote = each.get("target"), number_in(each.get("vote"))
                if isinstance(target, str) and len(target) <= LONGEST_TARGET and vote in {UP, DOWN, NEITHER}:
                    votes[target] = int(vote or 0)
        return Said(about.participant_id, (about.received_us, about.created_ts), votes) if votes else None

    def empty(self) -> Targets:
        """Return the state of no answers."""
        return Targets()


class Targets:
    """What each participant said of each target, and the sums of what counts."""

    def __init__(self) -> None:
        self.answers = 0
        self._said: dict[tuple[int, str], dict[tuple[int, int], int]] = {}
        self._sums: dict[int, Counter[str]] = {UP: Counter(), DOWN: Counter()}

    def add(self, read: Said) -> None:
        """Take in an answer."""
        self.answers += 1
        for target, vote in read.votes.items():
            said = self._said.setdefault((read.who, target), {})
            before = said[max(said)] if said else NEITHER
            said[read.when] = vote
            self._move(target, before, said[max(said)])

    def remove(self, read: Said) -> None:
        """Take it back: what the participant said before counts again."""
        self.answers -= 1
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
        told = first({**ups, **downs}, MOST_LISTED, lambda target: (downs[target] - ups[target], -ups[target], target))
        targets = [{"target": target, "up": ups[target], "down": downs[target]} for target in told]
        return {"op": "votes", "answers": self.answers, "targets": targets}

    def dump(self) -> tuple[int, list[tuple[int, str, list[tuple[int, int, int]]]]]:
        """Return how many answers there are, and what each participant said of each target when."""
        said = [(*of, [(*when, vote) for when, vote in votes.items()]) for of, votes in self._said.items()]
        return self.answers, said

    def take(self, dumped: tuple[int, list[tuple[int, str, list[tuple[int, int, int]]]]]) -> None:
        """Take in other answers."""
        answers, everything = dumped
        self.answers += answers
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


KIND = Kind(lambda *_: Votes())
