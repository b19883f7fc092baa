"""A tally loaded in chunks while responses change is exact, however late commits arrive."""

from random import Random
from sys import getsizeof
from typing import Any
from uuid import UUID

import pytest

from conflicto.activities.model import ModerationPolicy, ResponsePolicy
from conflicto.platform.problems import DomainError, NotFound
from conflicto.responses.commands.change import edit_response, moderate_response, remove_response
from conflicto.responses.events import ResponsesChanged
from conflicto.responses.model import NO_SLOT, LiveResponse, Moderation, ParticipantResponse, ResponseContent
from conflicto.responses.queries import live_responses
from conflicto.results.change_modes import Recorded
from conflicto.results.live_tally import LiveTally
from conflicto.results.loading_tally import LoadingTally
from conflicto.results.queries import Chunk, RoundKey, TallyLoader
from conflicto.results.segment_service import SegmentService
from conflicto.results.tally import RoundTally, TallyInputs, results_by_name
from conflicto.results.tally_cache import TallyCache
from tests.support.kit import Kit, Stage, command, set_stage

BASIS = TallyInputs('{"n":{"path":"","op":"number"},"c":{"path":"","op":"count"}}', None, None, None)


class Room:
    """Participants who change their answers; `news` are the commits not yet delivered."""

    def __init__(self, kit: Kit, stage: Stage, rng: Random) -> None:
        self.kit, self.stage, self.rng = kit, stage, rng
        self.answers: list[Any] = []
        self.news: list[Any] = []

    def step(self) -> None:
        who = self.rng.randrange(len(self.stage.people))
        item = self.stage.answer(who, str(self.rng.randrange(5)))
        if self.answers and self.rng.random() < 0.6:
            response, author = self.rng.choice(self.answers)
            text, moderation = str(self.rng.randrange(5)), self.rng.choice(list(Moderation))
            change = self.rng.choice([
                lambda tx: edit_response(tx, response, participant_id=author, content=ResponseContent(text), received_us=1),
                lambda tx: remove_response(tx, response, activity_id=self.stage.activity_id),
                lambda tx: moderate_response(tx, response, moderation, activity_id=self.stage.activity_id),
            ])  # fmt: skip
            item = command(self.stage.session_id, lambda tx, items: [tx.attempt(items[0])], change)
        for outcome, committed, _ in self.kit.runner.run([item]):
            self.answers += [(each.response.id, each.response.participant_id) for each in outcome if hasattr(each, "response")]
            assert not isinstance(outcome[0], Exception) or isinstance(outcome[0], DomainError)
            self.news += [each for event in committed.events if isinstance(event, ResponsesChanged) for each in event.changes]

    def notify(self, kept: LoadingTally | LiveTally, most: int) -> None:
        for before, after in self.news[:most]:
            kept.apply(before, after)
        del self.news[:most]


def segments_of(kit: Kit) -> SegmentService:
    return SegmentService(kit.db, kit.writer)


def results_of(tally: RoundTally) -> list[Any]:
    return [results_by_name(tally, is_host=host, is_scored=True, is_anonymous=False) for host in (True, False)]


@pytest.mark.parametrize("seed", range(12))
def test_a_load_among_changes_is_exact(kit: Kit, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.results.queries.MAX_CHUNK_RESPONSES", 3)
    rng = Random(seed)
    stage = set_stage(
        kit, people=20, policy=rng.choice([ResponsePolicy.ONE, ResponsePolicy.MANY]), moderation=ModerationPolicy.AFTER
    )
    room = Room(kit, stage, rng)
    for _ in range(45):
        room.step()
    room.news = room.news[rng.randrange(4) :] if rng.random() < 0.5 else []

    of, loading = RoundKey(stage.session_id, stage.activity_id, 1), LoadingTally(BASIS)
    reading = TallyLoader(of, BASIS)
    while not reading.is_done:
        for _ in range(rng.randrange(5)):
            room.step()
        kit.db.query(reading.step)
        room.notify(loading, rng.randrange(4))
    kept = loading.finish(reading)
    for _ in range(8):
        room.step()
        room.notify(kept, rng.randrange(3))
    room.notify(kept, len(room.news))

    fresh = RoundTally(BASIS)
    for answer in kit.db.query(live_responses, of.activity_id, 1, after=0, through=2**62, limit=1_000):
        fresh.add(answer)
    assert len(reading.chunks) > 1
    assert results_of(kept.tally) == results_of(fresh)
    assert fresh.audience(is_host=True).count > 3


async def test_a_load_that_fails_is_forgotten(kit: Kit) -> None:
    stage, tallies, segments = set_stage(kit, people=1), TallyCache(), segments_of(kit)
    kit.run(stage.answer(0, "1"))
    for _ in range(2):
        with pytest.raises(NotFound):
            await tallies.get(segments, RoundKey(1, stage.activity_id, 1), BASIS)
    kept = await tallies.get(segments, RoundKey(stage.session_id, stage.activity_id, 1), BASIS)
    assert kept.tally.audience(is_host=True).count == 1
    assert await tallies.get(segments, RoundKey(stage.session_id, stage.activity_id, 1), BASIS) is kept


async def test_the_oldest_tallies_make_room(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.results.tally_cache.MAX_TALLIES", 2)
    stage, tallies, segments = set_stage(kit, people=1), TallyCache(), segments_of(kit)
    first, second, third = [
        await tallies.get(segments, RoundKey(stage.session_id, stage.activity_id, round_number), BASIS)
        for round_number in (1, 2, 3)
    ]
    assert await tallies.get(segments, RoundKey(stage.session_id, stage.activity_id, 3), BASIS) is third
    assert await tallies.get(segments, RoundKey(stage.session_id, stage.activity_id, 2), BASIS) is second
    assert await tallies.get(segments, RoundKey(stage.session_id, stage.activity_id, 1), BASIS) is not first


def revision(text: str, ts: int, *, created_ts: int = 5, deleted: bool = False) -> ParticipantResponse:
    return ParticipantResponse(
        id=UUID(int=1), session_id=1, activity_id=UUID(int=2), participant_id=3, round=1, slot=NO_SLOT, ts=ts, created_ts=created_ts,
        received_us=ts, revision=1, deleted=deleted, moderation=Moderation.VISIBLE, was_visible=True, text=None if deleted else text,
    )  # fmt: skip


def loaded(*answers: ParticipantResponse, seen_ts: int, is_shared: bool) -> LiveTally:
    loading = LoadingTally(BASIS, is_shared=is_shared)
    reading = TallyLoader(RoundKey(1, UUID(int=2), 1), BASIS)
    for each in answers:
        live = LiveResponse(each.id, each.ts, each.created_ts, each.received_us, 3, each.moderation, each.text or "", None)
        reading.tally.add(live)
        loading.record(live)
    reading.chunks.append(Chunk(seen_ts, seen_ts, seen_ts))
    return loading.finish(reading)


def numbers(kept: LiveTally) -> tuple[int, float | None]:
    result = results_of(kept.tally)[0]["n"]
    return result["answers"], result["sum"]


def test_answer_that_moved_on_unseen_spoils_a_tally_that_does_not_remember_it() -> None:
    """The load read 15, and the memory holds 10.

    It has not seen the change, so its 5 was not counted.
    """
    kept = loaded(revision("7", 15), seen_ts=25, is_shared=False)
    kept.apply(revision("1", 5), revision("2", 30), 10)
    assert kept.is_invalid


def test_what_others_did_before_the_load_was_counted_by_it() -> None:
    kept = loaded(revision("7", 15), seen_ts=25, is_shared=False)
    kept.apply(None, revision("7", 15), 10)
    assert (kept.is_invalid, numbers(kept)) == (False, (1, 7))


def test_answer_that_is_known_as_it_was_counted_is_taken_back() -> None:
    kept = loaded(revision("7", 15), seen_ts=25, is_shared=False)
    kept.apply(revision("7", 15), revision("2", 30), 25)
    assert (kept.is_invalid, numbers(kept)) == (False, (1, 2))


def test_answer_of_which_nothing_is_known_spoils_the_tally() -> None:
    kept = loaded(revision("7", 15), seen_ts=25, is_shared=False)
    kept.apply(None, revision("2", 30), 25)
    assert kept.is_invalid


def test_tally_that_remembers_takes_each_answer_once_and_in_its_newest_revision() -> None:
    kept = loaded(revision("7", 30), seen_ts=30, is_shared=True)
    for late in (revision("1", 20), revision("7", 30), revision("1", 20, deleted=True)):
        kept.apply(None, late, 10)
    assert (numbers(kept), kept.change_count) == ((1, 7), 0)
    kept.apply(None, revision("2", 40), 30)
    assert (numbers(kept), kept.change_count) == ((1, 2), 1)
    kept.apply(None, revision("", 50, deleted=True), 40)
    assert numbers(kept) == (0, 0)


def test_tally_remembers_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.results.change_modes.MAX_RECORDED_BYTES", getsizeof("88") + 1)
    kept = loaded(revision("77", 15), seen_ts=25, is_shared=True)
    assert isinstance(kept._mode, Recorded)
    for ts in (30, 40, 50):
        kept.apply(None, revision("88", ts), ts - 1)
    assert isinstance(kept._mode, Recorded)
    kept.apply(None, revision("8888", 60), 59)
    assert not isinstance(kept._mode, Recorded)
