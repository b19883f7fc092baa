"""Privacy settings on which people rely when they answer: which changes weaken them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.model import ResponsesVisibility, ResultsVisibility

if TYPE_CHECKING:
    from conflicto.activities.model import Activity

_RESULTS_BY_PRIVACY = (
    ResultsVisibility.ALWAYS,
    ResultsVisibility.AFTER_ANSWER,
    ResultsVisibility.AFTER_REVEAL,
    ResultsVisibility.HOST,
)
_RESPONSES_BY_PRIVACY = (ResponsesVisibility.PARTICIPANTS, ResponsesVisibility.SCREEN, ResponsesVisibility.HOST)


def weakened_settings(before: Activity, after: Activity) -> set[str]:
    """Return the fields in which `after` protects respondents less than `before`."""
    ranks = {
        "anonymous": (before.anonymous, after.anonymous),
        "min_group": (before.min_group, after.min_group),
        "results_visibility": (
            _RESULTS_BY_PRIVACY.index(before.results_visibility),
            _RESULTS_BY_PRIVACY.index(after.results_visibility),
        ),
        "responses_visibility": (
            _RESPONSES_BY_PRIVACY.index(before.responses_visibility),
            _RESPONSES_BY_PRIVACY.index(after.responses_visibility),
        ),
    }
    return {name for name, (was, now) in ranks.items() if now < was}


def has_binding_settings(activity: Activity, response_count: int) -> bool:
    """Return whether people may have relied on the settings.

    An anonymous activity binds from its activation: a binding from the first answer would reveal
    it.
    """
    return activity.started_ts is not None if activity.anonymous else response_count > 0
