"""Catch-up after remote commits: memory equals a fresh read of the database."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from conflicto.access.links import Scope
from conflicto.access.roles import Caller, Role
from conflicto.activities.commands.edit import NewActivity, create_activity
from conflicto.activities.commands.run import start_round
from conflicto.activities.model import ActivityStatus, Content, Counts, ModerationPolicy, ResponsePolicy
from conflicto.feed.row_sources import DatabaseRows, MemoryRows, RowSource, Window
from conflicto.joining.commands import JoinRequest, join_many
from conflicto.participants.commands.seats import remove, rename
from conflicto.participants.nickname import clean_nickname
from conflicto.platform.db.group import Committed
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.platform.db.writer import Command
from conflicto.platform.problems import DomainError
from conflicto.responses.commands.change import edit_response, moderate_response, remove_response
from conflicto.responses.model import Moderation, ResponseContent
from conflicto.responses.queries import live_responses
from conflicto.results.queries import RoundKey, TallyLoader
from conflicto.results.segment_service import SegmentService
from conflicto.results.state_parts import STATE_PARTS
from conflicto.results.tally import RoundTally, TallyInputs, results_by_name
from conflicto.results.tally_cache import TallyCache
from conflicto.session_state.notifier import Subscriber
from conflicto.session_state.remote_changes import load_remote_changes
from conflicto.session_state.session_cache import SessionCache
from conflicto.session_state.state import SessionState, load_session_state
from conflicto.session_state.views import View
from conflicto.sessions.commands import set_locked
from conflicto.sessions.feed_heads.store import read_positions
from conflicto.sessions.links import NewLink, add_link, replace_links, revoke_link
from conflicto.sessions.queries import session_links
from tests.support.kit import Kit, command, set_stage
from tests.support.patience import PATIENCE_S

BASIS = TallyInputs('{"n":{"path":"","op":"number"},"c":{"path":"","op":"count"}}', None, None, None)
STEPS = 50

OPERATOR = Caller(Role.ADMIN, "admin")
COHOST = Caller(Role.HOST, "host-x", scope=Scope.HOST)


@pytest.fixture
def kit(database_url: str) -> Iterator[Kit]:
    """A kit with a server's own timeouts: a short one would pass on a busy machine."""
    made = Kit(database_url)
    yield made
    made.close()


@pytest.fixture
def other(database_url: str) -> Iterator[Kit]:
    made = Kit(database_url)
    yield made
    made.close()


class Hall:
    """A session that this process and another one change at random."""

    def __init__(self, kit: Kit, rng: Random) -> None:
        policy = rng.choice([ResponsePolicy.ONE, ResponsePolicy.MANY])
        self.rng = rng
        self.stage = set_stage(kit, people=12, policy=policy, moderation=ModerationPolicy.AFTER)
        self.answers: list[tuple[UUID, int]] = []
        self.names = 0
        self.turn = threading.Lock()

    def one(self, what: Callable[..., Any]) -> Command:
        return command(self.stage.session_id, lambda tx, items: [tx.attempt(items[0])], what)

    def step(self, kit: Kit, follow: Callable[[Committed], None] | None = None) -> None:
        """Act as one of the processes; `follow` gets the commits in order."""
        with self.turn:
            ((outcome, committed, _),) = kit.runner.run([self.something()])
            self.answers += [(each.response.id, each.response.participant_id) for each in outcome if hasattr(each, "response")]
            assert not isinstance(outcome[0], Exception) or isinstance(outcome[0], DomainError)
            if follow is not None and committed is not None:
                follow(committed)

    def something(self) -> Command:
        if self.rng.random() < 0.5 or not self.answers:
            return self.stage.answer(self.rng.randrange(12), str(self.rng.randrange(5)))
        return self.change() if self.rng.random() < 0.6 else self.control()

    def change(self) -> Command:
        response, author = self.rng.choice(self.answers)
        text, moderation = str(self.rng.randrange(5)), self.rng.choice(list(Moderation))
        return self.one(self.rng.choice([
            lambda tx: edit_response(tx, response, participant_id=author, content=ResponseContent(text), received_us=1),
            lambda tx: remove_response(tx, response, activity_id=self.stage.activity_id),
            lambda tx: moderate_response(tx, response, moderation, activity_id=self.stage.activity_id),
        ]))  # fmt: skip

    def control(self) -> Command:
        session_id, seat, locked = self.stage.session_id, self.rng.choice(self.stage.people), self.rng.random() < 0.5
        self.names += 1
        name = clean_nickname(f"Name {self.names}")
        new = NewActivity(type="lunch", content=Content(config="{}", secret=None, aggregate=None))
        return self.one(self.rng.choice([
            lambda tx: rename(tx, seat, name),
            lambda tx: remove(tx, seat, erase_responses=False, forget=False),
            lambda tx: set_locked(tx, session_id, locked=locked),
            lambda tx: replace_links(tx, session_id, self.rng.choice([OPERATOR, COHOST]), lifetime_s=60),
            lambda tx: add_link(tx, session_id, NewLink(self.rng.choice(list(Scope))), OPERATOR),
            lambda tx: revoke_any(tx, session_id, self.rng),
            lambda tx: start_round(tx, self.stage.activity_id, actor="test"),
            lambda tx: create_activity(tx, session_id, new, status=ActivityStatus.PUBLISHED, actor="test"),
        ]))  # fmt: skip


def revoke_any(tx: WriteTx, session_id: int, rng: Random) -> None:
    links = session_links(tx, session_id)
    if links:
        revoke_link(tx, session_id, rng.choice(links).id, OPERATOR)


def state(head: SessionState) -> dict[str, Any]:
    names = ("session", "ts", "control_ts", "participants", "participants_ts", "activities", "seat_versions", "departed", "links")
    counts = {key: counts for key, counts in head.counts.items() if counts != Counts()}
    return {name: getattr(head, name) for name in names} | {"counts": counts}


def rows(source: RowSource, window: Window, activity_id: UUID) -> list[Any]:
    return [
        list(source.participants(window)),
        list(source.responses(window, closed=(), visible_only=False)),
        list(source.responses(window, closed=(), visible_only=True)),
        list(source.activity_responses(activity_id, window, live_only=False, visible_only=False)),
        list(source.changed_activities(window)),
    ]


def compared(tx: ReadTx, head: SessionState, activity_id: UUID) -> None:
    """Compare the memory with the database in one snapshot."""
    fresh = load_session_state(tx, head.session.id, STATE_PARTS)
    assert state(head) == state(fresh)
    for after in range(MemoryRows.floor(head), head.ts + 1, max(1, (head.ts - MemoryRows.floor(head)) // 7)):
        window = Window(after, head.ts, 10_000)
        assert rows(MemoryRows(head), window, activity_id) == rows(DatabaseRows(tx, head.session.id), window, activity_id)
    newest = {seat: ts for seat, ts in head.own_timestamps.items() if ts > head.loaded_ts}
    assert newest == {seat: ts for seat, ts in _own(tx, head).items() if ts > head.loaded_ts}


def _own(tx: ReadTx, head: SessionState) -> dict[int, int]:
    source, window, found = DatabaseRows(tx, head.session.id), Window(1, head.ts, 10_000), dict[int, int]()
    for seat in source.participants(window):
        found[seat.id] = seat.updated_ts
    for answer in source.responses(window, closed=(), visible_only=False):
        found[answer.participant_id] = max(answer.ts, found.get(answer.participant_id, 0))
    return found


def recounted(tx: ReadTx, of: RoundKey) -> RoundTally:
    fresh = RoundTally(BASIS)
    for answer in live_responses(tx, of.activity_id, of.round_number, after=0, through=2**62, limit=10_000):
        fresh.add(answer)
    return fresh


def results_of(tally: RoundTally) -> list[Any]:
    return [results_by_name(tally, is_host=host, is_scored=True, is_anonymous=False) for host in (True, False)]


async def caught_up(kit: Kit, heads: SessionCache, session_id: int) -> None:
    """Sweep until the memory has reached the database and all catch-ups have ended."""
    async with asyncio.timeout(PATIENCE_S):
        while (await kit.db.read(read_positions, [session_id]))[session_id] != (await heads.get(session_id)).ts or heads._catch_ups:
            await heads.sweep()
            await asyncio.sleep(0.002)


async def swept(heads: SessionCache) -> None:
    await heads.sweep()
    async with asyncio.timeout(PATIENCE_S):
        while heads._catch_ups:  # noqa: ASYNC110 - however many reads that takes
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most_counted", [0, 20, 50_000])
async def test_memory_equals_a_fresh_read(
    kit: Kit, other: Kit, seed: int, most_counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.results.change_modes.MAX_RECORDED_RESPONSES", most_counted)
    monkeypatch.setattr("conflicto.results.queries.MAX_CHUNK_RESPONSES", 3)
    rng = Random(seed)
    hall, heads, loop = Hall(kit, rng), SessionCache(kit.db, STATE_PARTS), asyncio.get_running_loop()

    def own(committed: Committed) -> None:
        loop.call_soon_threadsafe(heads.apply, committed)

    def amid(read: Callable[..., Any]) -> Callable[..., Any]:
        """Let both processes write during a read, after its snapshot was taken."""

        def reading(*args: Any) -> Any:
            found = read(*args)
            for _ in range(rng.choice((0, 0, 1, 2))):
                hall.step(*rng.choice([(kit, own), (other, None)]))
            return found

        return reading

    monkeypatch.setattr("conflicto.session_state.session_cache.load_remote_changes", amid(load_remote_changes))
    monkeypatch.setattr(TallyLoader, "step", amid(TallyLoader.step))
    segments = SegmentService(kit.db, kit.writer)
    of = RoundKey(hall.stage.session_id, hall.stage.activity_id, 1)
    head = await heads.get(of.session_id)
    counting = asyncio.create_task(head.parts[TallyCache].get(segments, of, BASIS))
    for number in range(STEPS):
        await asyncio.to_thread(hall.step, *rng.choice([(kit, own), (other, None)]))
        if rng.random() < 0.3 or number == STEPS - 1:
            kept = await counting
            await caught_up(kit, heads, of.session_id)
            while kept.is_invalid:
                kept = await head.parts[TallyCache].get(segments, of, BASIS)
                await caught_up(kit, heads, of.session_id)
            assert await heads.get(of.session_id) is head
            kit.db.query(compared, head, of.activity_id)
            assert results_of(kept.tally) == results_of(kit.db.query(recounted, of))
            counting = asyncio.create_task(head.parts[TallyCache].get(segments, of, BASIS))
    await counting


async def test_waiting_readers_receive_changes_of_others(kit: Kit, other: Kit) -> None:
    stage, heads = set_stage(kit, people=2), SessionCache(kit.db, STATE_PARTS)
    head = await heads.get(stage.session_id)
    host, seat = Subscriber(None), Subscriber(stage.people[0])
    with head.notifiers[View.HOST].subscribed(host), head.notifiers[View.PARTICIPANT].subscribed(seat):
        await asyncio.to_thread(other.run, stage.answer(1, "1"))
        await heads.sweep()
        await asyncio.wait_for(host.wait(), PATIENCE_S)
        assert not seat._is_woken
        await asyncio.to_thread(other.do, stage.session_id, set_locked, stage.session_id, locked=True)
        await heads.sweep()
        await asyncio.wait_for(seat.wait(), PATIENCE_S)


async def test_tokens_that_another_process_ended_open_nothing_here(kit: Kit, other: Kit) -> None:
    stage, heads = set_stage(kit, people=2), SessionCache(kit.db, STATE_PARTS)
    head = await heads.get(stage.session_id)
    assert (head.token_version(), head.seat_version(stage.people[0])) == (1, 1)
    await asyncio.to_thread(other.do, stage.session_id, replace_links, stage.session_id, OPERATOR, lifetime_s=60)
    await asyncio.to_thread(other.do, stage.session_id, remove, stage.people[0], erase_responses=False, forget=False)
    await swept(heads)
    assert await heads.get(stage.session_id) is head
    assert (head.token_version(), head.seat_version(stage.people[0])) == (2, 2)
    link = next(link for link in head.links.values() if link.scope is Scope.SCREEN)
    await asyncio.to_thread(other.do, stage.session_id, revoke_link, stage.session_id, link.id, COHOST)
    await swept(heads)
    assert await heads.get(stage.session_id) is head
    assert head.links[link.id].revoked_us is not None


async def test_people_who_came_in_elsewhere_are_counted(kit: Kit, other: Kit) -> None:
    stage, heads = set_stage(kit, people=1), SessionCache(kit.db, STATE_PARTS)
    head = await heads.get(stage.session_id)
    code = head.session.join_code
    for number in range(5):
        item = JoinRequest(stage.session_id, code, clean_nickname(f"Late {number}"))
        await asyncio.to_thread(other.run, command(stage.session_id, join_many, item))
    await swept(heads)
    assert (await heads.get(stage.session_id)) is head
    assert (head.participants, len(head.recent_seats.after(MemoryRows.floor(head)))) == (6, 6)
