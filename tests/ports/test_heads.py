"""The memory of the feed beside other processes that write: late at most, never wrong, never for ever."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from conflicto.feed import heads as module
from conflicto.feed.heads import Heads
from conflicto.platform.db.group import Committed
from conflicto.platform.problems import NotFound
from conflicto.sessions.commands import delete_session, lock
from conflicto.sessions.store import purge_session
from tests.support.kit import Kit, command, set_stage
from tests.support.queries import counted_statements


@pytest.fixture
def other(database_url: str) -> Iterator[Kit]:
    made = Kit(database_url)
    yield made
    made.close()


def committed_by(kit: Kit, session_id: int, what: Any, *args: Any, **kwargs: Any) -> Committed:
    one = command(session_id, lambda tx, items: [tx.attempt(items[0])], lambda tx: what(tx, *args, **kwargs))
    ((_, committed, _),) = kit.runner.run([one])
    assert committed is not None
    return committed


async def test_own_commits_are_followed_without_a_look_at_the_database(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), Heads(kit.db)
    before = await heads.get(stage.session_id)
    own = await asyncio.to_thread(committed_by, kit, stage.session_id, lock, stage.session_id, locked=True)

    heads.apply(own)
    with counted_statements(kit.db) as seen:
        head = await heads.get(stage.session_id)
    assert (head is before, head.session.locked, head.ts, head.ctl) == (True, True, own.heads[stage.session_id].ts, head.ts)
    assert seen == []
    heads.apply(own)
    assert heads.known(stage.session_id) is head


async def test_commit_with_a_gap_before_it_drops_the_memory(kit: Kit, other: Kit) -> None:
    stage, heads = set_stage(kit, people=1), Heads(kit.db)
    await heads.get(stage.session_id)
    await asyncio.to_thread(committed_by, other, stage.session_id, lock, stage.session_id, locked=True)
    own = await asyncio.to_thread(kit.run, stage.answer(0, "1"))
    assert own

    later = await asyncio.to_thread(committed_by, kit, stage.session_id, lock, stage.session_id, locked=False)
    heads.apply(later)

    assert heads.known(stage.session_id) is None
    head = await heads.get(stage.session_id)
    assert (head.session.locked, head.ts) == (False, later.heads[stage.session_id].ts)
    assert head.counts_of(next(iter(head.activities.values()))).live == 1


async def test_sweep_notices_others(kit: Kit, other: Kit) -> None:
    stages, heads = [set_stage(kit, people=1) for _ in range(3)], Heads(kit.db)
    await heads.sweep()
    for stage in stages:
        await heads.get(stage.session_id)
    changed, deleted, same = (stage.session_id for stage in stages)
    await asyncio.to_thread(other.do, changed, lock, changed, locked=True)
    await asyncio.to_thread(other.do, None, purge_session, deleted)

    with counted_statements(kit.db) as seen:
        await heads.sweep()
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1
    assert [heads.known(session_id) is None for session_id in (changed, deleted, same)] == [True, True, False]
    assert (await heads.get(changed)).session.locked
    with counted_statements(kit.db) as seen, pytest.raises(NotFound):
        await heads.get(deleted)
    assert seen == []


async def test_many_callers_load_once(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), Heads(kit.db)

    with counted_statements(kit.db) as seen:
        found = await asyncio.gather(*(heads.get(stage.session_id) for _ in range(50)))
    first = len(seen)
    with counted_statements(kit.db) as seen:
        await heads.standing(stage.session_id, fresh=True)

    assert len({id(head) for head in found}) == 1
    assert first == len(seen)


async def test_commit_during_the_load_is_not_missed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), Heads(kit.db)
    load, loop, loads = module.load_head, asyncio.get_running_loop(), []

    def slow_load(tx: Any, session_id: int) -> Any:
        loads.append(session_id)
        head = load(tx, session_id)
        if len(loads) == 1:
            own = committed_by(kit, session_id, lock, session_id, locked=True)
            loop.call_soon_threadsafe(heads.apply, own)
        return head

    monkeypatch.setattr(module, "load_head", slow_load)
    head = await heads.get(stage.session_id)

    assert (head.session.locked, len(loads)) == (True, 2)


async def test_failed_load_fails_its_callers_alone(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), Heads(kit.db)

    def broken(tx: Any, session_id: int) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_head", broken)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await heads.get(stage.session_id)
    assert (await heads.get(stage.session_id)).session.id == stage.session_id


async def test_deleted_session_is_forgotten_at_once(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), Heads(kit.db)
    await heads.get(stage.session_id)

    heads.apply(await asyncio.to_thread(committed_by, kit, stage.session_id, delete_session, stage.session_id, actor="test"))

    assert await heads.standing(stage.session_id) is None
    with pytest.raises(NotFound):
        await heads.get(stage.session_id)


async def test_memory_is_bounded(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HEADS", 2)
    monkeypatch.setattr(module, "MOST_GONE", 2)
    stages, heads = [set_stage(kit, people=0) for _ in range(3)], Heads(kit.db)
    for stage in (stages[0], stages[1], stages[0], stages[2]):
        await heads.get(stage.session_id)
    for unknown in (101, 102, 103):
        assert await heads.standing(unknown) is None

    assert [heads.known(stage.session_id) is None for stage in stages] == [False, True, False]
    assert list(heads._gone) == [102, 103]
