"""The leaderboard: points of participants, added up over the scored activities of a session."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from conflicto.aggregation.spec import parse_spec
from conflicto.session_state.parts import StatePart

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from uuid import UUID

    from conflicto.activities.model import Activity, Content

SCORE = "score"

ROW_BYTES = 300
"""Memory of one row of a leaderboard in bytes, including the points it is summed from."""


class LeaderboardRow(NamedTuple):
    """Points and rank of one participant.

    Equal points share a rank, and the next rank is skipped.
    """

    participant_id: int
    points: int
    rank: int


class LeaderboardSnapshot(NamedTuple):
    """All rows, best first, and the nicknames of the first ones; valid while `version` is equal."""

    version: object
    rows: list[LeaderboardRow]
    by_participant: Mapping[int, LeaderboardRow]
    nicknames: Mapping[int, str]


@dataclass(slots=True)
class LeaderboardCache(StatePart):
    """Leaderboards of one session, for hosts and for others.

    It also caches which activities are scored, by revision.
    """

    _scored: dict[UUID, tuple[int, bool]] = field(default_factory=dict)
    snapshots: dict[bool, LeaderboardSnapshot] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The approximate memory in bytes."""
        return sum(len(board.rows) for board in self.snapshots.values()) * ROW_BYTES

    def missing(self, activities: Iterable[Activity]) -> list[UUID]:
        """Return the ids of activities whose current revision is not cached."""
        return [each.id for each in activities if self._scored.get(each.id, (0, False))[0] != each.revision]

    def add(self, read: Iterable[tuple[Activity, Content]]) -> None:
        """Cache whether activities are scored."""
        for activity, content in read:
            is_scored = any(entry.op == SCORE for entry in parse_spec(content.aggregate).values())
            self._scored[activity.id] = activity.revision, is_scored

    def is_scored(self, activity: Activity) -> bool:
        """Return whether a cached activity gives points."""
        return self._scored[activity.id][1]


def rank_participants(parts: Iterable[Mapping[int, int]], excluded: Container[int]) -> list[LeaderboardRow]:
    """Return the rows of a leaderboard, best first, without the excluded participants.

    >>> [tuple(each) for each in rank_participants([{1: 5, 2: 9}, {1: 4, 3: 0}, {4: 50}], {4})]
    [(1, 9, 1), (2, 9, 1), (3, 0, 3)]
    """
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    rows: list[LeaderboardRow] = []
    for place, (participant_id, points) in enumerate(
        sorted((each for each in total.items() if each[0] not in excluded), key=_by_points_descending), 1
    ):
        is_tie = bool(rows) and rows[-1].points == points
        rows.append(LeaderboardRow(participant_id, points, rows[-1].rank if is_tie else place))
    return rows


def _by_points_descending(each: tuple[int, int]) -> tuple[int, int]:
    return -each[1], each[0]
