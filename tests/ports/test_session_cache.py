"""The session cache beside other writing processes: at most 2 s late, and never wrong."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conflicto.activities.model import ResponsePolicy
from conflicto.platform.db.group import Committed
from conflicto.platform.event_bus import EventBus
from conflicto.platform.peers.commits import PeerCommit
from conflicto.platform.problems import NotFound, Unavailable
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state import session_cache as module
from conflicto.session_state.session_cache import SessionCache
from conflicto.session_state.state import StateParts
from conflicto.sessions.commands import delete_session, set_locked
from conflicto.sessions.events import SessionChanged
from conflicto.sessions.feed_gaps.store import SessionFeedStore
from conflicto.sessions.store import purge_session
from tests.support.kit import Kit, command, set_stage
from tests.support.patience import PATIENCE_S
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


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - many things may hold
            await asyncio.sleep(0.005)


async def test_own_commits_are_followed_without_a_read(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    before = await heads.get(stage.session_id)
    own = await asyncio.to_thread(committed_by, kit, stage.session_id, set_locked, stage.session_id, locked=True)

    heads.apply(own)
    with counted_statements(kit.db) as seen:
        head = await heads.get(stage.session_id)
    assert (head is before, head.session.locked, head.ts, head.control_ts) == (True, True, own.heads[stage.session_id].ts, head.ts)
    assert seen == []
    heads.apply(own)
    assert heads.cached(stage.session_id) is head


async def test_commit_with_a_gap_before_it_is_caught_up_with(kit: Kit, other: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    before = await heads.get(stage.session_id)
    await asyncio.to_thread(committed_by, other, stage.session_id, set_locked, stage.session_id, locked=True)
    await asyncio.to_thread(kit.run, stage.answer(0, "1"))

    later = await asyncio.to_thread(committed_by, kit, stage.session_id, set_locked, stage.session_id, locked=False)
    heads.apply(later)

    assert heads.cached(stage.session_id) is None
    assert not before.can_cache(before.position)
    head = await heads.get(stage.session_id)
    assert (head.session.locked, head.ts) == (False, later.heads[stage.session_id].ts)
    assert head.counts_of(next(iter(head.activities.values()))).live == 1
    assert head is before
    assert heads.cached(stage.session_id) is head
    assert head.can_cache(head.position)


async def test_own_commits_among_those_of_others_wait_for_one_read_each(kit: Kit, other: Kit) -> None:
    """An acknowledged writer waits only until the cache has its own commit."""
    stage, heads = set_stage(kit, people=8, policy=ResponsePolicy.MANY), SessionCache(kit.db, STATE_PARTS)
    await heads.get(stage.session_id)
    ends = asyncio.Event()

    async def writing() -> None:
        while not ends.is_set():
            await asyncio.to_thread(other.run, stage.answer(1, "2"))
            await asyncio.sleep(0.01)  # SQLite admits the other writer only while the lock is free

    busy = asyncio.create_task(writing())
    for number in range(1, 30):
        own = await asyncio.to_thread(committed_by, kit, stage.session_id, set_locked, stage.session_id, locked=number % 2 == 1)
        heads.apply(own)
        async with asyncio.timeout(PATIENCE_S):
            head = await heads.get(stage.session_id)
        assert (head.ts >= own.heads[stage.session_id].ts, head.session.locked) == (True, number % 2 == 1)
    ends.set()
    await busy


async def test_state_that_cannot_catch_up_is_loaded_again(kit: Kit, other: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    before = await heads.get(stage.session_id)
    await asyncio.to_thread(other.do, stage.session_id, set_locked, stage.session_id, locked=True)
    own = await asyncio.to_thread(committed_by, kit, stage.session_id, set_locked, stage.session_id, locked=False)

    def broken(tx: Any, session_id: int, after: int, parts: StateParts) -> Any:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_remote_changes", broken)
        heads.notify(stage.session_id, 2**62)
        await until(lambda: not heads._catch_ups)
        assert heads.cached(stage.session_id) is before
        heads.apply(own)
        head = await heads.get(stage.session_id)
    assert head is not before
    assert not before.is_current
    assert head.ts == own.heads[stage.session_id].ts


async def test_too_many_changes_cause_a_reload(kit: Kit, other: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.session_state.remote_changes.MAX_REMOTE_ROWS", 3)
    monkeypatch.setattr("conflicto.responses.recent_responses.MAX_REMOTE_ROWS", 3)
    stage, heads = set_stage(kit, people=5), SessionCache(kit.db, STATE_PARTS)
    before = await heads.get(stage.session_id)
    for who in range(5):
        await asyncio.to_thread(other.run, stage.answer(who, "1"))

    await heads.sweep()
    await until(lambda: not before.is_current)
    assert (await heads.get(stage.session_id)).counts_of(next(iter(before.activities.values()))).live == 5


@pytest.mark.catalogue("F-16")
async def test_wrong_hints_cost_a_read_and_change_nothing(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    head = await heads.get(stage.session_id)
    with counted_statements(kit.db) as seen:
        for ts in (0, head.ts, head.ts + 1, 2**62, 2**62):
            heads.notify(stage.session_id, ts)
            heads.notify(stage.session_id + 1, ts)
        await until(lambda: not heads._catch_ups)
    assert 0 < len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 8
    assert await heads.get(stage.session_id) is head
    assert head.is_current


async def test_memory_that_goes_while_it_catches_up_leaves_nobody_waiting(
    kit: Kit, other: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    before = await heads.get(stage.session_id)
    load, started, may_go_on = module.load_remote_changes, threading.Event(), threading.Event()

    def slow(tx: Any, session_id: int, after: int, parts: StateParts) -> Any:
        started.set()
        may_go_on.wait(PATIENCE_S)
        return load(tx, session_id, after, parts)

    monkeypatch.setattr(module, "load_remote_changes", slow)
    await asyncio.to_thread(other.do, stage.session_id, set_locked, stage.session_id, locked=True)
    heads.apply(await asyncio.to_thread(committed_by, kit, stage.session_id, set_locked, stage.session_id, locked=False))
    waiting = asyncio.create_task(heads.get(stage.session_id))
    await asyncio.to_thread(started.wait, PATIENCE_S)
    fresh = await heads.find(stage.session_id, fresh=True)
    heads.notify(stage.session_id, 2**62)
    may_go_on.set()

    assert fresh is not before
    assert await asyncio.wait_for(waiting, PATIENCE_S) is fresh
    await until(lambda: not heads._catch_ups)
    assert heads.cached(stage.session_id) is fresh


async def test_sweep_notices_others(kit: Kit, other: Kit) -> None:
    published: list[SessionChanged] = []
    bus = EventBus()
    bus.subscribe(SessionChanged, published.append)
    stages, heads = [set_stage(kit, people=1) for _ in range(3)], SessionCache(kit.db, STATE_PARTS, bus)
    await heads.sweep()
    for stage in stages:
        await heads.get(stage.session_id)
    changed, deleted, same = (stage.session_id for stage in stages)
    await asyncio.to_thread(other.do, changed, set_locked, changed, locked=True)
    await asyncio.to_thread(other.do, None, purge_session, deleted)

    with counted_statements(kit.db) as seen:
        await heads.sweep()
        assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1
    await until(lambda: not heads._catch_ups)
    assert [heads.cached(session_id) is None for session_id in (changed, deleted, same)] == [False, True, False]
    assert [event.session.id for event in published] == [changed]
    assert (await heads.get(changed)).session.locked
    with counted_statements(kit.db) as seen, pytest.raises(NotFound):
        await heads.get(deleted)
    assert seen == []


async def test_session_that_another_process_deletes_is_forgotten(kit: Kit, other: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    head = await heads.get(stage.session_id)
    await asyncio.to_thread(other.do, stage.session_id, delete_session, stage.session_id, actor="test")
    await heads.sweep()
    await until(lambda: not head.is_current)
    with pytest.raises(NotFound):
        await heads.get(stage.session_id)


@pytest.mark.catalogue("O-05")
async def test_many_callers_load_once(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)

    with counted_statements(kit.db) as seen:
        found = await asyncio.gather(*(heads.get(stage.session_id) for _ in range(50)))
    first = len(seen)
    with counted_statements(kit.db) as seen:
        await heads.find(stage.session_id, fresh=True)

    assert len({id(head) for head in found}) == 1
    assert first == len(seen)


async def test_commit_during_the_load_is_not_missed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    load, loop, loads = module.load_session_state, asyncio.get_running_loop(), []

    def slow_load(tx: Any, session_id: int, parts: StateParts) -> Any:
        loads.append(session_id)
        head = load(tx, session_id, parts)
        if len(loads) == 1:
            own = committed_by(kit, session_id, set_locked, session_id, locked=True)
            loop.call_soon_threadsafe(heads.apply, own)
        return head

    monkeypatch.setattr(module, "load_session_state", slow_load)
    head = await heads.get(stage.session_id)

    assert (head.session.locked, len(loads)) == (True, 2)


async def test_commit_of_a_peer_during_the_load_is_not_missed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    load, loop, loads = module.load_session_state, asyncio.get_running_loop(), []

    def slow_load(tx: Any, session_id: int, parts: StateParts) -> Any:
        loads.append(session_id)
        head = load(tx, session_id, parts)
        if len(loads) == 1:
            theirs = committed_by(kit, session_id, set_locked, session_id, locked=True)
            loop.call_soon_threadsafe(heads.apply_of_peer, PeerCommit(theirs.heads, theirs.events))
        return head

    monkeypatch.setattr(module, "load_session_state", slow_load)
    head = await heads.get(stage.session_id)

    assert (head.session.locked, len(loads)) == (True, 2)


async def test_failed_load_fails_its_callers_alone(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)

    def broken(tx: Any, session_id: int, parts: StateParts) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_session_state", broken)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await heads.get(stage.session_id)
    assert (await heads.get(stage.session_id)).session.id == stage.session_id


async def test_deleted_session_is_forgotten_at_once(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    await heads.get(stage.session_id)

    heads.apply(await asyncio.to_thread(committed_by, kit, stage.session_id, delete_session, stage.session_id, actor="test"))

    assert await heads.find(stage.session_id) is None
    with pytest.raises(NotFound):
        await heads.get(stage.session_id)


async def test_session_deleted_by_a_peer_is_forgotten_at_once(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    await heads.get(stage.session_id)

    theirs = await asyncio.to_thread(committed_by, kit, stage.session_id, delete_session, stage.session_id, actor="test")
    heads.apply_of_peer(PeerCommit(theirs.heads, theirs.events))

    assert list(heads._deleted_ids) == [stage.session_id]
    with pytest.raises(NotFound):
        await heads.get(stage.session_id)


async def test_memory_is_bounded(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 2)
    monkeypatch.setattr(module, "MAX_DELETED_IDS", 2)
    stages, heads = [set_stage(kit, people=0) for _ in range(3)], SessionCache(kit.db, STATE_PARTS)
    for stage in (stages[0], stages[1], stages[0], stages[2]):
        await heads.get(stage.session_id)
    for unknown in (101, 102, 103):
        assert await heads.find(unknown) is None

    assert [heads.cached(stage.session_id) is None for stage in stages] == [False, True, False]
    assert list(heads._deleted_ids) == [102, 103]


async def begin_epoch(kit: Kit) -> None:
    def begin() -> None:
        with kit.db.writer_connection() as connection, connection.begin():
            SessionFeedStore().begin_epoch(connection, 0)

    await asyncio.to_thread(begin)


async def test_what_is_of_another_life_is_not_mixed_with_this_one(kit: Kit) -> None:
    """A cache that learns of a new epoch discards its old state."""
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    before = await heads.get(stage.session_id)
    await begin_epoch(kit)

    heads.notify(stage.session_id, before.ts + 1)
    await until(lambda: not before.is_current)
    after = await heads.get(stage.session_id)
    assert (after.epoch != before.epoch, after.ts > before.ts, len(after.gaps)) == (True, True, 1)


async def test_a_sweep_finds_sessions_that_are_behind(kit: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    assert (heads.positions.newest_position(), heads.positions.position(stage.session_id)) == (0, 0)
    head = await heads.get(stage.session_id)
    assert await heads.sweep() == ()
    head.position += 1
    assert (heads.positions.newest_position(), heads.positions.position(stage.session_id)) == (head.position, head.position)
    assert await heads.sweep() == (stage.session_id,)


async def test_loading_goes_on_in_the_life_that_has_begun_meanwhile(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    load, loop, loads = module.load_session_state, asyncio.get_running_loop(), []

    def amid(tx: Any, session_id: int, parts: StateParts) -> Any:
        found = load(tx, session_id, parts)
        if not loads:
            asyncio.run_coroutine_threadsafe(begin_epoch(kit), loop).result()
            loop.call_soon_threadsafe(heads.reset)
        loads.append(found)
        return found

    monkeypatch.setattr(module, "load_session_state", amid)
    head = await heads.get(stage.session_id)
    assert loads == [loads[0], head]
    assert head.epoch != loads[0].epoch
