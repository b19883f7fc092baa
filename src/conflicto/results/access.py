"""Access to the results of a round: pure decisions."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from conflicto.activities.model import ActivityStatus, ResultsVisibility

if TYPE_CHECKING:
    from conflicto.activities.model import Activity, Counts


class ResultsAccess(Enum):
    """The audience that may read the results of a round, beside hosts."""

    OPEN = auto()
    AUTHORS = auto()
    """Participants with a live response in this round."""
    CLOSED = auto()


def results_access(activity: Activity, round_number: int, counts: Counts) -> ResultsAccess:
    """Return the audience, beside hosts, that may read the results of a round.

    For the current round the activity says whether they are revealed, for a past round `counts`.
    """
    visibility = activity.results_visibility
    if visibility is ResultsVisibility.HOST:
        return ResultsAccess.CLOSED
    revealed = activity.results_revealed if round_number == activity.round else counts.was_revealed
    if visibility is ResultsVisibility.ALWAYS or revealed:
        return ResultsAccess.OPEN
    return ResultsAccess.AUTHORS if visibility is ResultsVisibility.AFTER_ANSWER else ResultsAccess.CLOSED


def are_scores_visible(activity: Activity, round_number: int) -> bool:
    """Return whether screen and participants may see correct answers.

    They may once the results are revealed and the round is closed. Past rounds never show them,
    because a later round may ask the same.
    """
    return activity.results_revealed and round_number == activity.round and activity.status is ActivityStatus.EXPIRED
