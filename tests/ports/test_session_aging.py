"""The session cache with time: sessions that nobody uses leave memory and come back."""

import asyncio

from conflicto.platform.cache_budget import CacheBudget
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state.idleness import MAX_IDLE_TICKS, MAX_IDLE_TICKS_COMPLETED
from conflicto.session_state.notifier import Subscriber
from conflicto.session_state.session_cache import SessionCache
from conflicto.session_state.views import View
from conflicto.sessions.commands import change_session, set_locked
from conflicto.sessions.model import SessionStatus
from tests.ports.test_session_cache import committed_by, other, until
from tests.support.kit import Kit, set_stage

__all__ = ["other"]


def age(budget: CacheBudget, ticks: int) -> None:
    for _ in range(ticks):
        for account in budget.accounts:
            account.age()


async def test_idle_sessions_leave_memory_and_come_back(kit: Kit) -> None:
    budget = CacheBudget()
    stages, heads = [set_stage(kit, people=1) for _ in range(4)], SessionCache(kit.db, STATE_PARTS, budget=budget)
    polled, followed, idle, changed = [await heads.get(stage.session_id) for stage in stages]
    with followed.notifiers[View.SCREEN].subscribed(Subscriber(None)):
        for locked in (True, False):
            polled.responses.views[View.PARTICIPANT].was_read = True
            own = await asyncio.to_thread(committed_by, kit, changed.session.id, set_locked, changed.session.id, locked=locked)
            heads.apply(own)
            age(budget, MAX_IDLE_TICKS)
        assert [state.is_current for state in (polled, followed, idle, changed)] == [True, True, False, True]
        assert await heads.get(idle.session.id) is not idle
    age(budget, MAX_IDLE_TICKS + 2)
    assert (len(heads), budget.used) == (0, 0)
    assert not (await heads.get(changed.session.id)).session.locked


async def test_completed_sessions_leave_memory_earlier(kit: Kit) -> None:
    budget = CacheBudget()
    stages, heads = [set_stage(kit, people=1) for _ in range(2)], SessionCache(kit.db, STATE_PARTS, budget=budget)
    completed, live = [await heads.get(stage.session_id) for stage in stages]
    fields = {"status": SessionStatus.COMPLETED}
    own = await asyncio.to_thread(
        committed_by, kit, completed.session.id, change_session, completed.session.id, fields, actor="test"
    )
    heads.apply(own)
    age(budget, MAX_IDLE_TICKS_COMPLETED)
    await heads.get(completed.session.id)
    age(budget, MAX_IDLE_TICKS_COMPLETED)
    assert [completed.is_current, live.is_current] == [True, True]
    age(budget, 1)
    assert [completed.is_current, live.is_current] == [False, True]


async def test_a_session_that_catches_up_stays(kit: Kit, other: Kit) -> None:
    budget = CacheBudget()
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS, budget=budget)
    state = await heads.get(stage.session_id)
    await asyncio.to_thread(committed_by, other, stage.session_id, set_locked, stage.session_id, locked=True)
    heads.notify(stage.session_id, state.position + 1)
    age(budget, MAX_IDLE_TICKS + 1)
    await until(lambda: not heads._catch_ups)
    assert heads.cached(stage.session_id) is state
    assert state.session.locked
