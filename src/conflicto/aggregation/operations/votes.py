"""`votes`: up and down votes for targets. A participant's last vote for a target counts.

With `among: "answers"`, a target is the id of a response in the same round that the same audience
sees. Hidden, deleted or unknown targets are not in the result. When a target is shown again, all
its votes count again.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import BaseModel

from conflicto.aggregation.operation import MAX_LISTED, Operation, OperationResult
from conflicto.aggregation.spill.store import GroupItem, KeySums
from conflicto.aggregation.values import as_number, elements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.aggregation.operation import ResponseMetadata
    from conflicto.aggregation.spill.store import SpillStore

    VotesDump = tuple[int, list[tuple[int, str, list[tuple[int, int, int]]]], list[str]]

MAX_TARGET_CHARS = 200

AMONG_RESPONSES = "answers"

UP, DOWN, NEITHER = 1, -1, 0

ENTRIES_PER_TARGET = 10

MAX_VOTE_ENTRIES = 50_000
"""Votes and targets of one tally in memory, 40 MiB at most. Targets have up to 200 characters."""


class CastVotes(NamedTuple):
    """A participant's votes by target.

    `sent_at` orders the participant's responses: µs since 1970 UTC, then feed timestamp. `own_id`
    is the id of the response if it can be a target.
    """

    participant_id: int
    sent_at: tuple[int, int]
    votes: dict[str, int]
    own_id: str | None


@dataclass(frozen=True, slots=True)
class VotesFold:
    """Reads one vote or a list. With `is_among_responses`, a response without votes is a target."""

    is_among_responses: bool = False

    def read(self, value: object, metadata: ResponseMetadata) -> CastVotes | None:
        """Return the votes of a response."""
        votes: dict[str, int] = {}
        for each in elements(value) or ():
            if isinstance(each, dict):
                target, vote = each.get("target"), as_number(each.get("vote"))
                if isinstance(target, str) and len(target) <= MAX_TARGET_CHARS and vote in {UP, DOWN, NEITHER}:
                    votes[target] = int(vote or 0)
        answer = metadata.response_id if self.is_among_responses and not votes else None
        return (
            CastVotes(metadata.participant_id, (metadata.received_us, metadata.created_ts), votes, answer)
            if votes or answer
            else None
        )

    def empty(self) -> VotesState:
        """Return an empty state."""
        return VotesState(is_among=self.is_among_responses)


class VotesState:
    """The votes of each participant for each target, and the sums of the votes that count.

    `_known` holds the existing targets, with `is_among`. `_votes` counts each vote by its time, so
    the removal of a stored vote leaves -1. The sums change at once while all votes are in memory,
    else when they are stored.
    """

    max_entries = MAX_VOTE_ENTRIES

    def __init__(self, *, is_among: bool) -> None:
        self.answers = 0
        self._is_among = is_among
        self._is_stored = False
        self._known: Counter[str] = Counter()
        self._votes: dict[tuple[int, str], dict[tuple[tuple[int, int], int], int]] = {}
        self._sums: dict[int, Counter[str]] = {UP: Counter(), DOWN: Counter()}

    def add(self, read: CastVotes) -> None:
        """Count a response."""
        self._change_response(read, 1)

    def remove(self, read: CastVotes) -> None:
        """Remove a counted response; the participant's earlier vote counts again."""
        self._change_response(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the targets, best balance first."""
        ups, downs = self._sums[UP], self._sums[DOWN]
        found = {target for target in {**ups, **downs} if not self._is_among or target in self._known}
        listed = nsmallest(MAX_LISTED, found, lambda target: (downs[target] - ups[target], -ups[target], target))
        return self._to_result([(target, ups[target], downs[target]) for target in listed], len(found))

    def dump(self) -> VotesDump:
        """Return the number of responses, the votes and the known targets.

        Votes have the shape (participant, target, [(received µs, created timestamp, vote), …]).
        """
        listed = [(*key, [(*when, vote) for when, vote in votes]) for key, votes in self._votes.items()]
        return self.answers, listed, sorted(self._known)

    def merge(self, dump: VotesDump) -> None:
        """Add the responses of another state."""
        answers, everything, known = dump
        self.answers += answers
        if self._is_among:
            self._known.update(known)
        for participant_id, target, votes in everything:
            for received_us, created_ts, vote in votes:
                self._change_vote((participant_id, target), ((received_us, created_ts), vote), 1)

    @property
    def entries(self) -> int:
        """The number of votes and targets in memory.

        A target with votes counts as ten entries, because results sort the targets.
        """
        return len(self._votes) + len(self._known) + ENTRIES_PER_TARGET * sum(map(len, self._sums.values()))

    def detach(self) -> Self:
        """Return the memory part as a separate state, and start again empty."""
        detached = copy(self)
        self._known, self._votes, self._sums, self._is_stored = Counter(), {}, {UP: Counter(), DOWN: Counter()}, True
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the memory part to the stored part."""
        spill.add_items(state, self._items(), self._sums_of)
        spill.add(state, (KeySums(target, 0, 0, times) for target, times in self._known.items()))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        found = spill.ranked(state, MAX_LISTED + 1)
        return self._to_result([(target, ups, ups - balance) for target, balance, ups in found[:MAX_LISTED]], len(found))

    def _to_result(self, listed: list[tuple[str, int, int]], distinct: int) -> dict[str, Any]:
        targets = [{"target": target, "up": up, "down": down} for target, up, down in listed]
        return {"op": "votes", "answers": self.answers, "targets": targets, "truncated": distinct > len(listed)}

    def _items(self) -> Iterator[tuple[int, str, str, list[GroupItem]]]:
        for (participant_id, target), votes in self._votes.items():
            yield participant_id, target, target, [GroupItem(*when, vote, times) for (when, vote), times in votes.items()]

    def _sums_of(self, vote: int | None) -> tuple[int, int, int]:
        counts = vote in {UP, DOWN}
        return (vote or 0, int(vote == UP), int(counts and not self._is_among))

    def _change_response(self, read: CastVotes, times: int) -> None:
        self.answers += times * bool(read.votes)
        if self._is_among and read.own_id is not None:
            self._known[read.own_id] += times
            if not self._known[read.own_id]:
                del self._known[read.own_id]
        for target, vote in read.votes.items():
            self._change_vote((read.participant_id, target), (read.sent_at, vote), times)

    def _change_vote(self, key: tuple[int, str], timed_vote: tuple[tuple[int, int], int], times: int) -> None:
        votes = self._votes.setdefault(key, {})
        before = NEITHER if self._is_stored or not votes else max(votes)[1]
        count = votes.pop(timed_vote, 0) + times
        if count:
            votes[timed_vote] = count
        if not self._is_stored:
            self._change_sums(key[1], before, max(votes)[1] if votes else NEITHER)
        if not votes:
            del self._votes[key]

    def _change_sums(self, target: str, before: int, after: int) -> None:
        if before == after:
            return
        if before != NEITHER:
            sums = self._sums[before]
            sums[target] -= 1
            if not sums[target]:
                del sums[target]
        if after != NEITHER:
            self._sums[after][target] += 1


def _check_among(value: object) -> str | None:
    return None if value == AMONG_RESPONSES else f'must be "{AMONG_RESPONSES}"'


class VoteCount(BaseModel):
    """Votes for and against a target."""

    target: str
    up: int
    down: int


class VotesResult(OperationResult):
    """Targets by votes, the best first."""

    op: Literal["votes"]
    targets: list[VoteCount]
    truncated: bool


OPERATION = Operation(lambda options, _: VotesFold(options.get("among") == AMONG_RESPONSES), VotesResult, {"among": _check_among})
