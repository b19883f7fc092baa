"""Tallies of an anonymous round follow authors who leave, here or at another worker."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from conflicto.activities import subscriptions as activity_subscriptions
from conflicto.activities.commands.run import move_activity
from conflicto.activities.model import ActivityStatus, ModerationPolicy
from conflicto.participants.commands.seats import remove
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.event_bus import EventBus
from conflicto.responses import subscriptions as response_subscriptions
from conflicto.responses.commands.change import moderate_response, remove_response
from conflicto.responses.model import Moderation
from conflicto.responses.queries import live_responses
from conflicto.results.queries import RoundKey
from conflicto.results.segment_service import SegmentService
from conflicto.results.state_parts import STATE_PARTS
from conflicto.results.tally import RoundTally, TallyInputs, results_by_name
from conflicto.results.tally_cache import TallyCache
from conflicto.session_state.session_cache import SessionCache
from tests.support.kit import Kit, Stage, command, set_stage
from tests.support.patience import PATIENCE_S

SPEC = '{"s":{"path":"","op":"score","key":""},"n":{"path":"","op":"number"}}'
INPUTS = TallyInputs(SPEC, "1", None, None, counts_authors=True, is_moderated=True)


def _with_subscribers(database_url: str) -> Iterator[Kit]:
    bus = EventBus()
    activity_subscriptions.subscribe(bus)
    response_subscriptions.subscribe(bus)
    made = Kit(database_url, subscribers=bus.in_transaction)
    yield made
    made.close()


@pytest.fixture
def kit(database_url: str) -> Iterator[Kit]:
    yield from _with_subscribers(database_url)


@pytest.fixture
def other(database_url: str) -> Iterator[Kit]:
    yield from _with_subscribers(database_url)


def _released_stage(kit: Kit) -> Stage:
    """An anonymous round that is over: three people answered 1, and all responses are released."""
    stage = set_stage(kit, people=3, anonymous=True, min_group=0, moderation=ModerationPolicy.AFTER)
    kit.run(*(stage.answer(who, "1") for who in range(3)))
    kit.do(stage.session_id, move_activity, stage.activity_id, ActivityStatus.EXPIRED, actor="test")
    return stage


def _recounted(tx: ReadTx, stage: Stage) -> RoundTally:
    fresh = RoundTally(INPUTS)
    for response in live_responses(tx, stage.activity_id, 1, after=0, through=2**62, limit=100):
        fresh.add(response)
    return fresh


def _contents(tally: RoundTally) -> Any:
    results = [results_by_name(tally, is_host=host, is_scored=True, is_anonymous=False) for host in (True, False)]
    points = [sorted(each.items()) for host in (True, False) for each in tally.points_of_each(is_host=host)]
    return tally.authors, results, points


class Worker:
    """A process with a session in memory, which commits itself or follows another one."""

    def __init__(self, kit: Kit, other: Kit | None) -> None:
        self.kit, self.other = kit, other
        self.sessions = SessionCache(kit.db, STATE_PARTS)

    def commit(self, session_id: int, what: Any, *args: Any, **kwargs: Any) -> None:
        """Run a command in this process, or in the other one."""
        wanted = command(session_id, lambda tx, items: [tx.attempt(items[0])], lambda tx: what(tx, *args, **kwargs))
        for outcomes, committed, _ in (self.other or self.kit).runner.run([wanted]):
            assert not isinstance(outcomes[0], Exception), outcomes
            if committed is not None and self.other is None:
                self.sessions.apply(committed)

    async def follow(self) -> None:
        """Read the commits of the other process."""
        await self.sessions.sweep()
        async with asyncio.timeout(PATIENCE_S):
            while self.sessions._catch_ups:  # noqa: ASYNC110 - however many reads that takes
                await asyncio.sleep(0.002)


@pytest.mark.parametrize("place", ["here", "elsewhere", "elsewhere in one batch"])
@pytest.mark.parametrize("step", ["hide", "delete"])
@pytest.mark.parametrize("max_recorded", [0, 50_000])
async def test_a_tally_equals_a_recount_after_its_authors_left(
    kit: Kit, other: Kit, place: str, step: str, max_recorded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.results.change_modes.MAX_RECORDED_RESPONSES", max_recorded)
    stage = _released_stage(kit)
    worker, segments = Worker(kit, None if place == "here" else other), SegmentService(kit.db, kit.writer)
    state, key = await worker.sessions.get(stage.session_id), RoundKey(stage.session_id, stage.activity_id, 1)
    live = await state.parts[TallyCache].get(segments, key, INPUTS)
    assert _contents(live.tally) == _contents(kit.db.query(_recounted, stage))

    leaver = stage.people[0]
    response = next(
        each.id for each in kit.db.query(lambda tx: live_responses(tx, stage.activity_id, 1, after=0, through=2**62, limit=9))
        if each.participant_id == leaver
    )  # fmt: skip
    await asyncio.to_thread(worker.commit, stage.session_id, remove, leaver, erase_responses=False, forget=True)
    if place == "elsewhere":
        await worker.follow()
    change = (moderate_response, response, Moderation.HIDDEN) if step == "hide" else (remove_response, response)
    await asyncio.to_thread(worker.commit, stage.session_id, *change, activity_id=stage.activity_id)
    await worker.follow()

    assert await worker.sessions.get(stage.session_id) is state
    live = await state.parts[TallyCache].get(segments, key, INPUTS)
    assert _contents(live.tally) == _contents(kit.db.query(_recounted, stage))
