"""Ticks of a pool: each batch holds a group of people, and a group stays behind."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from conflicto.activities.model import Activity
from conflicto.responses.model import NO_SLOT, Moderation
from conflicto.responses.pool.model import TICK_PERIOD_US, PooledResponse, latest_tick, next_release_time, rows_due_at_tick

ROW = PooledResponse(
    id=NO_SLOT, session_id=1, activity_id=NO_SLOT, participant_id=1, round=1, slot=NO_SLOT, ts=1, created_ts=1, received_us=1,
    revision=1, deleted=False, is_spent=False, moderation=Moderation.VISIBLE, due_us=None, text="1",
)  # fmt: skip


def rows_of(authors: Sequence[int]) -> list[PooledResponse]:
    return [replace(ROW, id=UUID(int=number), participant_id=author) for number, author in enumerate(authors)]


@given(st.lists(st.integers(1, 60), max_size=150), st.integers(1, 20), st.sets(st.integers(1, 60)))
def test_a_batch_holds_a_group_and_leaves_one(authors: list[int], group: int, scripted: set[int]) -> None:
    rows = rows_of(authors)
    people = set(authors) - scripted
    released = rows_due_at_tick(rows, people, group)
    if len(people) < 2 * group:
        assert not released
        return
    out = {row.participant_id for row in released}
    inside = {row.participant_id for row in rows} - out
    assert len(out & people) >= group
    assert len(inside) == group
    assert inside <= people
    assert len(released) == sum(author in out for author in authors), "all rows of a person are released together"


def test_nobody_matches_and_everybody_stays() -> None:
    rows = rows_of(range(1, 7))
    stayed = {row.participant_id for _ in range(300) for row in set(rows) - set(rows_due_at_tick(rows, set(range(1, 7)), 3))}
    assert stayed == set(range(1, 7))


@given(st.integers(10**15, 2 * 10**15), st.integers(0, 10**10))
def test_ticks_are_multiples_from_the_start_of_the_round(started: int, passed: int) -> None:
    activity = cast("Activity", cast("Any", SimpleNamespace(started_ts=started, min_group=3)))
    tick = latest_tick(activity, started + passed)
    assert (tick - started) % TICK_PERIOD_US == 0
    assert tick <= started + passed < tick + TICK_PERIOD_US
    assert next_release_time(activity, [ROW], started + passed) == tick + TICK_PERIOD_US
    assert next_release_time(activity, [], started + passed) is None
