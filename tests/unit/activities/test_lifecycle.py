"""The lifecycle, exhaustively: every status × every step × every flag that matters."""

from itertools import product
from typing import Any

import pytest

from conflicto.activities.errors import AlreadyRevealed, MoveNotAllowed, NotTimed
from conflicto.activities.lifecycle import STEPS, advance, extended, is_due, is_open, next_round, revealed, timed
from conflicto.activities.model import Activity, ActivityStatus
from tests.support.samples import activity

DRAFT, PUBLISHED, ACTIVE, EXPIRED = ActivityStatus
ALLOWED = {(DRAFT, PUBLISHED), (DRAFT, ACTIVE), (PUBLISHED, DRAFT), (PUBLISHED, ACTIVE), (ACTIVE, EXPIRED), (EXPIRED, ACTIVE)}
NOW = 1_000_000_000


def every(*values: Any) -> list[tuple[Any, ...]]:
    return list(product(*values))


def test_table_is_the_contract() -> None:
    assert {(now, to) for now, steps in STEPS.items() for to in steps} == ALLOWED


@pytest.mark.parametrize(("now", "to", "was_revealed"), every(ActivityStatus, ActivityStatus, (False, True)))
def test_every_step_from_every_status(now: ActivityStatus, to: ActivityStatus, was_revealed: bool) -> None:
    before = activity(status=now, was_revealed=was_revealed, duration_seconds=30, ends_us=5 if now is ACTIVE else None)

    if (now, to) not in ALLOWED:
        with pytest.raises(MoveNotAllowed) as raised:
            advance(before, to, now_us=NOW)
        assert raised.value.extensions == {"from": now, "to": to, "allowed": sorted(STEPS[now])}
    elif (now, to, was_revealed) == (EXPIRED, ACTIVE, True):
        with pytest.raises(AlreadyRevealed):
            advance(before, to, now_us=NOW)
    else:
        after = advance(before, to, now_us=NOW)
        assert (after.status, after.round, after.was_revealed) == (to, before.round, was_revealed)
        assert after.ends_us == (NOW + 30_000_000 if to is ACTIVE else before.ends_us)
        assert after.started_ts == (NOW if to is ACTIVE else None)


@pytest.mark.parametrize(("own", "given", "seconds"), [(None, None, None), (30, None, 30), (30, 5, 5), (None, 5, 5)])
def test_end_comes_from_the_step_or_from_the_activity(own: int | None, given: int | None, seconds: int | None) -> None:
    for started in (
        advance(activity(duration_seconds=own), ACTIVE, now_us=NOW, duration_seconds=given),
        next_round(activity(status=EXPIRED, duration_seconds=own, ends_us=7), now_us=NOW, duration_seconds=given),
    ):
        assert started.duration_seconds == seconds
        assert started.ends_us == (None if seconds is None else NOW + seconds * 1_000_000)


@pytest.mark.parametrize("status", ActivityStatus)
def test_next_round_starts_with_nothing_shown(status: ActivityStatus) -> None:
    before = activity(status=status, round=3, results_revealed=True, secret_revealed=True, was_revealed=True)

    if status in {ACTIVE, EXPIRED}:
        again = next_round(before, now_us=NOW)
        assert (again.status, again.round, again.started_ts) == (ACTIVE, 4, NOW)
        assert (again.results_revealed, again.secret_revealed, again.was_revealed) == (False, False, False)
    else:
        with pytest.raises(MoveNotAllowed):
            next_round(before, now_us=NOW)


@pytest.mark.parametrize(("status", "ends_us"), every(ActivityStatus, (None, NOW - 1, NOW, NOW + 1)))
def test_time_can_be_given_only_while_it_runs(status: ActivityStatus, ends_us: int | None) -> None:
    before = activity(status=status, ends_us=ends_us)

    if status is ACTIVE and ends_us == NOW + 1:
        assert extended(before, 10, at_us=NOW).ends_us == NOW + 1 + 10_000_000
    else:
        with pytest.raises(NotTimed):
            extended(before, 10, at_us=NOW)


@pytest.mark.parametrize(("status", "ends_us"), every(ActivityStatus, (None, NOW - 1, NOW, NOW + 1)))
def test_an_end_can_be_set_from_now_while_it_runs(status: ActivityStatus, ends_us: int | None) -> None:
    before = activity(status=status, ends_us=ends_us)

    if status is ACTIVE and ends_us in {None, NOW + 1}:
        assert timed(before, 10, at_us=NOW).ends_us == NOW + 10_000_000
        assert timed(before, 10, at_us=NOW).duration_seconds == (before.duration_seconds or 10)
    else:
        with pytest.raises(NotTimed):
            timed(before, 10, at_us=NOW)


SHOWN = (None, False, True)


@pytest.mark.parametrize(("status", "results", "secret", "before"), every(ActivityStatus, SHOWN, SHOWN, (False, True)))
def test_revealing_every_way(status: ActivityStatus, results: bool | None, secret: bool | None, before: bool) -> None:
    was = before and status is EXPIRED
    shown = activity(status=status, results_revealed=was, secret_revealed=was, was_revealed=was)
    want_results = was if results is None else results
    want_secret = was if secret is None else secret

    if (want_results and status not in {ACTIVE, EXPIRED}) or (want_secret and status is not EXPIRED):
        with pytest.raises(MoveNotAllowed):
            revealed(shown, results=results, secret=secret)
    else:
        after = revealed(shown, results=results, secret=secret)
        assert (after.results_revealed, after.secret_revealed) == (want_results, want_secret)
        assert after.was_revealed == (was or want_results or want_secret)


@pytest.mark.parametrize(("status", "ends_us"), every(ActivityStatus, (None, NOW - 1, NOW, NOW + 1)))
def test_open_and_due_never_overlap(status: ActivityStatus, ends_us: int | None) -> None:
    timed: Activity = activity(status=status, ends_us=ends_us)

    assert is_open(timed, at_us=NOW) == (status is ACTIVE and (ends_us is None or ends_us > NOW))
    assert is_due(timed, at_us=NOW) == (status is ACTIVE and ends_us is not None and ends_us <= NOW)
    assert is_open(timed, at_us=NOW) + is_due(timed, at_us=NOW) == (status is ACTIVE)
