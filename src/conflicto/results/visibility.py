"""Who sees the results of a round, as pure decisions."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from conflicto.activities.model import ActivityStatus, ResultsVisibility

if TYPE_CHECKING:
    from conflicto.activities.model import Activity, Counts


class Door(Enum):
    """How far the results of a round are open."""

    OPEN = auto()
    AUTHORS = auto()
    """To participants who have a live answer in this round."""
    CLOSED = auto()


def door_of(activity: Activity, nth: int, over: Counts) -> Door:
    """Return how far the results of a round are open to screen and participants; `over` says of one that is over if it was revealed."""
    visibility = activity.results_visibility
    if visibility is ResultsVisibility.HOST:
        return Door.CLOSED
    revealed = activity.results_revealed if nth == activity.round else over.was_revealed
    if visibility is ResultsVisibility.ALWAYS or revealed:
        return Door.OPEN
    return Door.AUTHORS if visibility is ResultsVisibility.AFTER_ANSWER else Door.CLOSED


def tells_scores(activity: Activity, nth: int) -> bool:
    """Whether screen and participants may hear who is right: once the results are revealed and nobody can answer any more.

    Of an earlier round never: it may have asked the same.
    """
    return activity.results_revealed and nth == activity.round and activity.status is ActivityStatus.EXPIRED
