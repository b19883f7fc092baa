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

ROW_BYTES = 300
"""Of one place on a board, with its part of what it was made from."""


class LeaderboardRow(NamedTuple):
    """Where one participant stands; who has as many points has the same rank, and the next rank is left out."""

    participant_id: int
    points: int
    rank: int


class LeaderboardSnapshot(NamedTuple):
    """Everybody's standing, best first, with the nicknames of the first ones; it is good while `of` is the same."""

    version: object
    rows: list[LeaderboardRow]
    by_participant: Mapping[int, LeaderboardRow]
    nicknames: Mapping[int, str]


@dataclass(slots=True)
class LeaderboardCache:
    """What is remembered of one session: which activities are scored, by revision, and the boards of hosts and of everybody else."""

    _scored: dict[UUID, tuple[int, bool]] = field(default_factory=dict)
    snapshots: dict[bool, LeaderboardSnapshot] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Return what it holds in memory, about."""
        return sum(len(board.rows) for board in self.snapshots.values()) * ROW_BYTES

    def unread(self, activities: Iterable[Activity]) -> list[UUID]:
        """Return of which activities nothing is known in their present revision."""
        return [each.id for each in activities if self._scored.get(each.id, (0, False))[0] != each.revision]

    def add(self, read: Iterable[tuple[Activity, Content]]) -> None:
        """Remember which activities are scored."""
        for activity, content in read:
            is_scored = any(entry.op == SCORE for entry in parse_spec(content.aggregate).values())
            self._scored[activity.id] = activity.revision, is_scored

    def is_scored(self, activity: Activity) -> bool:
        """Whether an activity that is known gives points."""
        return self._scored[activity.id][1]


def rank_participants(parts: Iterable[Mapping[int, int]], excluded: Container[int]) -> list[LeaderboardRow]:
    """Return who has how many points in all, best first, without those who are gone.

    >>> [tuple(each) for each in standings([{1: 5, 2: 9}, {1: 4, 3: 0}, {4: 50}], {4})]
    [(1, 9, 1), (2, 9, 1), (3, 0, 3)]
    """
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    found: list[LeaderboardRow] = []
    for place, (who, earned) in enumerate(
        sorted((each for each in total.items() if each[0] not in excluded), key=_by_points_descending), 1
    ):
        is_tie = bool(found) and found[-1].points == earned
        found.append(LeaderboardRow(who, earned, found[-1].rank if is_tie else place))
    return found


def _by_points_descending(each: tuple[int, int]) -> tuple[int, int]:
    return -each[1], each[0]
