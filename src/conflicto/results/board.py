"""The leaderboard: the points of everybody's scored answers, added up over a session's activities."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from conflicto.aggregation.spec import parse_spec

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from uuid import UUID

    from conflicto.activities.model import Activity, Content

SCORE = "score"

STANDING_BYTES = 300
"""Of one place on a board, with its part of what it was made from."""


class Standing(NamedTuple):
    """Where one participant stands; who has as many points has the same rank, and the next rank is left out."""

    participant_id: int
    points: int
    rank: int


class Board(NamedTuple):
    """Everybody's standing, best first, with the nicknames of the first ones; it is good while `of` is the same."""

    of: object
    standings: list[Standing]
    by_participant: Mapping[int, Standing]
    nicknames: Mapping[int, str]


@dataclass(slots=True)
class BoardMemory:
    """What is remembered of one session: which activities are scored, by revision, and the boards of hosts and of everybody else."""

    scored: dict[UUID, tuple[int, bool]] = field(default_factory=dict)
    boards: dict[bool, Board] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Return what it holds in memory, about."""
        return sum(len(board.standings) for board in self.boards.values()) * STANDING_BYTES

    def unknown(self, activities: Iterable[Activity]) -> list[UUID]:
        """Return of which activities nothing is known in their present revision."""
        return [each.id for each in activities if self.scored.get(each.id, (0, False))[0] != each.revision]

    def learn(self, read: Iterable[tuple[Activity, Content]]) -> None:
        """Remember which activities are scored."""
        for activity, content in read:
            is_scored = any(entry.op == SCORE for entry in parse_spec(content.aggregate).values())
            self.scored[activity.id] = activity.revision, is_scored

    def is_scored(self, activity: Activity) -> bool:
        """Whether an activity that is known gives points."""
        return self.scored[activity.id][1]


def standings(points: Iterable[Mapping[int, int]], departed: Container[int]) -> list[Standing]:
    """Return who has how many points in all, best first, without those who are gone.

    >>> [tuple(each) for each in standings([{1: 5, 2: 9}, {1: 4, 3: 0}, {4: 50}], {4})]
    [(1, 9, 1), (2, 9, 1), (3, 0, 3)]
    """
    total: Counter[int] = Counter()
    for part in points:
        total.update(part)
    found: list[Standing] = []
    for place, (who, earned) in enumerate(sorted((each for each in total.items() if each[0] not in departed), key=_best_first), 1):
        is_tie = bool(found) and found[-1].points == earned
        found.append(Standing(who, earned, found[-1].rank if is_tie else place))
    return found


def _best_first(each: tuple[int, int]) -> tuple[int, int]:
    return -each[1], each[0]
