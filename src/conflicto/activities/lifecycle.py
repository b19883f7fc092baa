"""The lifecycle of an activity, as pure functions.

draft ⇄ published → active → expired draft → active                          expired → active
(reopens the round, unless it was revealed)
"""

from __future__ import annotations

from dataclasses import replace

from conflicto.activities.errors import AlreadyRevealed, MoveNotAllowed, NotTimed
from conflicto.activities.model import Activity, ActivityStatus
from conflicto.platform.instants import US_PER_S

STEPS: dict[ActivityStatus, frozenset[ActivityStatus]] = {
    ActivityStatus.DRAFT: frozenset({ActivityStatus.PUBLISHED, ActivityStatus.ACTIVE}),
    ActivityStatus.PUBLISHED: frozenset({ActivityStatus.DRAFT, ActivityStatus.ACTIVE}),
    ActivityStatus.ACTIVE: frozenset({ActivityStatus.EXPIRED}),
    ActivityStatus.EXPIRED: frozenset({ActivityStatus.ACTIVE}),
}


def advance(activity: Activity, to: ActivityStatus, *, now_us: int, duration_seconds: int | None = None) -> Activity:
    """Return the activity in its next status, with a new end if it becomes active.

    `duration_seconds` replaces the activity's own. The caller stamps and stores the result. The
    current status is not a valid target.

    Raises:
        MoveNotAllowed: there is no such transition; lists the possible ones.
        AlreadyRevealed: the round was revealed and cannot be reopened.
    """
    if to not in STEPS[activity.status]:
        raise MoveNotAllowed(extensions={"from": activity.status, "to": to, "allowed": sorted(STEPS[activity.status])})
    if to is not ActivityStatus.ACTIVE:
        return replace(activity, status=to)
    if activity.status is ActivityStatus.EXPIRED and activity.was_revealed:
        raise AlreadyRevealed
    return _started(activity, now_us=now_us, duration_seconds=duration_seconds)


def next_round(activity: Activity, *, now_us: int, duration_seconds: int | None = None) -> Activity:
    """Return the activity in its next round: active, nothing revealed.

    Raises:
        MoveNotAllowed: the activity was never active.
    """
    if activity.status not in {ActivityStatus.ACTIVE, ActivityStatus.EXPIRED}:
        raise MoveNotAllowed(extensions={"from": activity.status, "to": "next round", "allowed": sorted(STEPS[activity.status])})
    restarted = replace(
        activity,
        round=activity.round + 1,
        results_revealed=False,
        secret_revealed=False,
        was_revealed=False,
        focus_response_id=None,
    )
    return _started(restarted, now_us=now_us, duration_seconds=duration_seconds)


def extended(activity: Activity, seconds: int, *, at_us: int) -> Activity:
    """Return the activity with its end moved by `seconds`.

    Raises:
        NotTimed: the activity is not active, has no end, or its end has passed at `at_us`.
    """
    if activity.ends_us is None or not is_open(activity, at_us=at_us):
        raise NotTimed
    return replace(activity, ends_us=activity.ends_us + seconds * US_PER_S)


def timed(activity: Activity, seconds: int, *, at_us: int) -> Activity:
    """Return the activity with its end `seconds` after `at_us`, also if it had none.

    An activity without a duration gets this one.

    Raises:
        NotTimed: the activity is not active, or its end has passed at `at_us`.
    """
    if not is_open(activity, at_us=at_us):
        raise NotTimed
    return replace(activity, ends_us=at_us + seconds * US_PER_S, duration_seconds=activity.duration_seconds or seconds)


def revealed(activity: Activity, *, results: bool | None, secret: bool | None) -> Activity:
    """Return the activity with results or secret shown or hidden; None leaves one unchanged.

    Raises:
        MoveNotAllowed: results are shown from activation on, the secret only after the round has
            ended.
    """
    shown_results = activity.results_revealed if results is None else results
    shown_secret = activity.secret_revealed if secret is None else secret
    was_started = activity.status in {ActivityStatus.ACTIVE, ActivityStatus.EXPIRED}
    if (shown_results and not was_started) or (shown_secret and activity.status is not ActivityStatus.EXPIRED):
        raise MoveNotAllowed(extensions={"from": activity.status, "to": "revealed", "allowed": sorted(STEPS[activity.status])})
    was_revealed = activity.was_revealed or shown_results or shown_secret
    return replace(activity, results_revealed=shown_results, secret_revealed=shown_secret, was_revealed=was_revealed)


def is_open(activity: Activity, *, at_us: int) -> bool:
    """Return whether answers are accepted at `at_us`, the later of database clock and feed head."""
    return activity.status is ActivityStatus.ACTIVE and (activity.ends_us is None or at_us < activity.ends_us)


def is_due(activity: Activity, *, at_us: int) -> bool:
    """Return whether the activity is due to expire."""
    return activity.status is ActivityStatus.ACTIVE and activity.ends_us is not None and activity.ends_us <= at_us


def _started(activity: Activity, *, now_us: int, duration_seconds: int | None) -> Activity:
    seconds = activity.duration_seconds if duration_seconds is None else duration_seconds
    ends_us = None if seconds is None else now_us + seconds * US_PER_S
    return replace(activity, status=ActivityStatus.ACTIVE, duration_seconds=seconds, started_ts=now_us, ends_us=ends_us)
