"""Segments of large rounds: a load equals a recount after any change of responses."""

import asyncio
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from conflicto.activities.commands.run import start_round
from conflicto.activities.model import ModerationPolicy, ResponsePolicy
from conflicto.platform.problems import DomainError, Unavailable
from conflicto.responses.commands.change import edit_response, moderate_response, remove_response, reset_round
from conflicto.responses.events import ResponsesChanged
from conflicto.responses.model import Moderation, ResponseContent
from conflicto.responses.queries import live_responses
from conflicto.results import store
from conflicto.results.live_tally import LiveTally
from conflicto.results.loading_tally import LoadingTally
from conflicto.results.queries import RoundKey, TallyLoader
from conflicto.results.segment_service import SegmentService
from conflicto.results.tally import RoundTally, TallyInputs, results_by_name
from conflicto.results.tally_cache import TallyCache
from tests.support.checks import eventually
from tests.support.kit import Kit, Stage, command, set_stage

SPEC = {
    "whole": {"path": "", "op": "count"},
    "number": {"path": "/n", "op": "number"},
    "words": {"path": "/t", "op": "words"},
    "rank": {"path": "/r", "op": "rank"},
    "borda": {"path": "/r", "op": "rank", "rule": "borda", "of": [1, "x", True]},
    "votes": {"path": "/v", "op": "votes"},
    "score": {"path": "/n", "op": "score", "key": "/n"},
}
BASES = [
    TallyInputs(msgspec.json.encode(SPEC).decode(), '{"n":1}', None, None, counts_authors=True),
    TallyInputs(msgspec.json.encode(SPEC).decode(), '{"n":2}', None, None, counts_authors=True, is_moderated=True),
    TallyInputs('{"n":{"path":"/n","op":"count"}}', None, None, None),
]
COUNTED = "conflicto.results.queries.live_responses"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "queries.MAX_CHUNK_RESPONSES": 3,
        "queries.MAX_SEGMENT_RESPONSES": 7,
        "queries.MIN_SEGMENT_RESPONSES": 2,
        "segment_service.MARGIN_RESPONSES": 3,
    }.items():
        monkeypatch.setattr(f"conflicto.results.{name}", value)


def text(rng: Random) -> str:
    described = {
        "n": rng.choice([1, 2, 2.5, "x"]),
        "t": rng.choice(["a b", "A", "straße STRASSE"]),
        "r": rng.sample([1, "x", True], 2),
        "v": [{"target": rng.choice("pq"), "vote": rng.choice([1, -1, 0])}],
    }
    return msgspec.json.encode(described).decode()


class Room:
    """A session whose responses change: by participants, moderation, removal and reset."""

    def __init__(self, kit: Kit, stage: Stage, rng: Random) -> None:
        self.kit, self.stage, self.rng = kit, stage, rng
        self.answers: list[tuple[UUID, int]] = []
        self.news: list[Any] = []
        self.round_number = 1

    def answer(self) -> None:
        outcome = self.run(self.stage.answer(self.rng.randrange(len(self.stage.people)), text(self.rng)))
        if not isinstance(outcome, DomainError):
            self.answers.append((outcome.response.id, outcome.response.participant_id))

    def run(self, what: Any) -> Any:
        ((outcomes, committed, _),) = self.kit.runner.run([what])
        for event in committed.events if committed else ():
            self.news += event.changes if isinstance(event, ResponsesChanged) else ()
        return outcomes[0]

    def notify(self, kept: LoadingTally | LiveTally, most: int) -> None:
        for before, after in self.news[:most]:
            kept.apply(before, after)
        del self.news[:most]

    def change(self) -> None:
        response, author = self.rng.choice(self.answers)
        written = ResponseContent(text(self.rng), self.rng.choice([None, text(self.rng)]), is_held=self.rng.random() < 0.2)
        activity_id = self.stage.activity_id
        what = self.rng.choice([
            lambda tx: edit_response(tx, response, participant_id=author, content=written, received_us=self.rng.randrange(9)),
            lambda tx: remove_response(tx, response, activity_id=activity_id),
            lambda tx: moderate_response(tx, response, self.rng.choice(list(Moderation)), activity_id=activity_id),
        ])  # fmt: skip
        outcome = self.run(command(self.stage.session_id, lambda tx, items: [tx.attempt(items[0])], what))
        assert not isinstance(outcome, Exception) or isinstance(outcome, DomainError)

    def step(self) -> None:
        if self.rng.random() < 0.6 or not self.answers:
            self.answer()
        elif self.rng.random() < 0.96:
            self.change()
        else:
            of = {"session_id": self.stage.session_id}
            what = lambda tx: reset_round(tx, self.stage.activity_id, **of)  # noqa: E731 - one word for both
            self.run(command(self.stage.session_id, lambda tx, items: [tx.attempt(items[0])], what))

    @property
    def of(self) -> RoundKey:
        return RoundKey(self.stage.session_id, self.stage.activity_id, self.round_number)


def results_of(tally: RoundTally) -> Any:
    halves = []
    for host in (True, False):
        results = results_by_name(tally, is_host=host, is_scored=True, is_anonymous=False)
        halves.append((tally.audience(is_host=host).count, results, sorted(tally.points(is_host=host))))
    return msgspec.json.decode(msgspec.json.encode(halves)), dict(tally.authors)


def recounted(kit: Kit, of: RoundKey, basis: TallyInputs) -> Any:
    fresh = RoundTally(basis)
    for answer in kit.db.query(live_responses, of.activity_id, of.round_number, after=0, through=2**62, limit=10_000):
        fresh.add(answer)
    return results_of(fresh)


async def idle(kept: LiveTally) -> None:
    async def is_idle() -> bool:
        return kept.segments.task is None

    await eventually(is_idle)


def segments_of(kit: Kit) -> SegmentService:
    return SegmentService(kit.db, kit.writer)


@pytest.mark.parametrize("seed", range(10))
async def test_a_load_by_segments_equals_a_recount_whatever_happened(kit: Kit, seed: int) -> None:
    rng = Random(seed)
    policy = rng.choice([ResponsePolicy.ONE, ResponsePolicy.MANY])
    room = Room(kit, set_stage(kit, people=25, policy=policy, moderation=ModerationPolicy.AFTER), rng)
    taken_over = 0
    for _ in range(7):
        for _ in range(rng.randrange(5, 25)):
            room.step()
        basis = rng.choice(BASES) if rng.random() < 0.3 else BASES[0]
        room.news.clear()
        loading = LoadingTally(basis)
        reading = TallyLoader(room.of, basis, observer=loading)
        while not reading.is_done:
            kit.db.query(reading.step)
            if rng.random() < 0.3:
                room.step()
                room.notify(loading, rng.randrange(3))
        kept = loading.finish(reading)
        room.notify(kept, len(room.news))
        assert results_of(kept.tally) == recounted(kit, room.of, basis)
        await segments_of(kit).store(room.of, basis, reading.new_segments)

        again = await segments_of(kit).read(room.of, basis)

        assert results_of(again.tally) == recounted(kit, room.of, basis)
        taken_over += again.segmented_count - sum(each.segment.answers for each in again.new_segments)
    assert taken_over > 0


async def test_what_is_in_segments_is_not_read_again_and_a_change_costs_its_segment_alone(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(kit, set_stage(kit, people=5, moderation=ModerationPolicy.AFTER), Random(1))
    for _ in range(31):
        room.answer()
    segments = segments_of(kit)
    first = await segments.read(room.of, BASES[0])
    await segments.store(room.of, BASES[0], first.new_segments)
    read: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        found = live_responses(*args, **kwargs)
        read.append(len(found))
        return found

    monkeypatch.setattr(COUNTED, counted)

    async def load() -> tuple[int, TallyLoader]:
        read.clear()
        reading = await segments.read(room.of, BASES[0])
        await segments.store(room.of, BASES[0], reading.new_segments)
        assert results_of(reading.tally) == recounted(kit, room.of, BASES[0])
        return sum(read), reading

    assert [each.segment.answers for each in first.new_segments] == [9, 9, 9]
    assert (await load())[0] == 4
    response, author = room.answers[12]
    kit.do(room.stage.session_id, edit_response, response, participant_id=author, content=ResponseContent("1"), received_us=1)
    amount, mended = await load()
    assert (amount, [each.segment.answers for each in mended.new_segments]) == (8 + 5, [8])
    assert (await load())[0] == 5
    read.clear()
    await segments.read(room.of, BASES[2])
    assert sum(read) == 31, "another basis is counted again"


async def test_a_round_that_grows_while_people_look_gets_its_segments(kit: Kit) -> None:
    room = Room(kit, set_stage(kit, people=5, moderation=ModerationPolicy.AFTER), Random(2))
    segments, tallies = segments_of(kit), TallyCache()
    kept = await tallies.get(segments, room.of, BASES[0])
    assert (kept.segments.task, kept.segments.through_ts) == (None, 0)
    for _ in range(12):
        room.answer()
    reading = await segments.read(room.of, BASES[0])
    kept = tallies._tallies[room.of.activity_id, 1] = LoadingTally(BASES[0]).finish(reading)
    kept.segments.through_ts = kept.segments.response_count = 0

    assert await tallies.get(segments, room.of, BASES[0]) is kept
    assert kept.segments.task is not None
    await kept.segments.task

    (segment,) = kit.db.query(store.stored_segments, room.of, BASES[0].digest)
    assert (kept.segments.task, kept.segments.through_ts, kept.segments.response_count) == (None, segment.through, segment.answers)
    assert segment.answers == 9
    await tallies.get(segments, room.of, BASES[0])
    assert kept.segments.task is None, "the newest ones remain"


async def test_where_no_segment_can_be_made_nobody_tries_again_at_once(kit: Kit) -> None:
    room = Room(kit, set_stage(kit, people=5, moderation=ModerationPolicy.AFTER), Random(3))
    for _ in range(11):
        room.answer()
    segments, tallies = segments_of(kit), TallyCache()
    kept = await tallies.get(segments, room.of, BASES[0])
    await idle(kept)
    kept.segments.response_count = -5
    await tallies.get(segments, room.of, BASES[0])
    assert kept.segments.task is not None
    await kept.segments.task

    await tallies.get(segments, room.of, BASES[0])
    assert kept.segments.task is None


async def test_segments_that_cannot_be_stored_are_counted_again(kit: Kit) -> None:
    room = Room(kit, set_stage(kit, people=5, moderation=ModerationPolicy.AFTER), Random(4))
    for _ in range(20):
        room.answer()

    class Failing:
        async def run(self, *_: Any) -> None:
            raise Unavailable(retry_after_s=1)

    broken, tallies = SegmentService(kit.db, Failing()), TallyCache()
    kept = await tallies.get(broken, room.of, BASES[0])
    await idle(kept)

    assert results_of(kept.tally) == recounted(kit, room.of, BASES[0])
    assert kit.db.query(store.stored_segments, room.of, BASES[0].digest) == []


async def test_rounds_have_their_own_segments_and_deleted_sessions_have_none(kit: Kit) -> None:
    room = Room(kit, set_stage(kit, people=5, moderation=ModerationPolicy.AFTER), Random(5))
    segments = segments_of(kit)
    for round_number in (1, 2):
        room.round_number = round_number
        for _ in range(10 + round_number):
            room.answer()
        reading = await segments.read(room.of, BASES[0])
        await segments.store(room.of, BASES[0], reading.new_segments)
        assert results_of((await segments.read(room.of, BASES[0])).tally) == recounted(kit, room.of, BASES[0])
        if round_number == 1:
            kit.do(room.stage.session_id, start_round, room.stage.activity_id, actor="test")

    assert [
        len(kit.db.query(store.stored_segments, room.of._replace(round_number=round_number), BASES[0].digest))
        for round_number in (1, 2)
    ] == [1, 1]
    assert kit.do(None, store.purge, room.stage.session_id, 500) == 2
    assert kit.do(None, store.purge, room.stage.session_id, 500) == 0


async def test_a_reader_of_a_cold_round_is_sent_away_and_then_finds_it_ready(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(1)
    room = Room(kit, set_stage(kit, people=25), rng)
    for _ in range(40):
        room.answer()
    go_on, begun = asyncio.Event(), 0
    read = kit.db.loads.read

    async def held(query: Any) -> Any:
        nonlocal begun
        begun += query.__self__.chunks == []
        await go_on.wait()
        return await read(query)

    monkeypatch.setattr(kit.db.loads, "read", held)
    monkeypatch.setattr("conflicto.results.loading_tally.MAX_WAIT_S", 0.01)
    tallies, segments = TallyCache(), segments_of(kit)

    for _ in range(3):
        with pytest.raises(Unavailable, match="being counted") as raised:
            await tallies.get(segments, room.of, BASES[0])
        assert raised.value.retry_after_s == 1
    (kept,) = tallies._tallies.values()
    assert (kept.load.task.done(), kept.load.waiters, begun) == (False, 0, 1)

    go_on.set()
    loaded = await kept.load.task
    assert await tallies.get(segments, room.of, BASES[0]) is loaded
    assert begun == 1


async def test_a_load_without_further_requests_ends(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(kit, set_stage(kit, people=25), Random(1))

    async def held(query: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(kit.db.loads, "read", held)
    monkeypatch.setattr("conflicto.results.loading_tally.MAX_WAIT_S", 0.01)
    monkeypatch.setattr("conflicto.results.loading_tally.MAX_UNAWAITED_LOAD_S", 0.01)
    tallies = TallyCache()
    with pytest.raises(Unavailable):
        await tallies.get(segments_of(kit), room.of, BASES[0])
    (kept,) = tallies._tallies.values()

    await asyncio.gather(kept.load.task, return_exceptions=True)
    assert kept.load.task.cancelled()
    assert not tallies._tallies


async def test_a_load_goes_on_for_the_last_who_waits_and_ends_without_them(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request continues from the counted segments."""
    rng = Random(1)
    room = Room(kit, set_stage(kit, people=25), rng)
    for _ in range(40):
        room.answer()
    steps, held = asyncio.Semaphore(0), asyncio.Semaphore(9)
    read = kit.db.loads.read

    async def watched(query: Any) -> Any:
        await held.acquire()
        found = await read(query)
        steps.release()
        return found

    monkeypatch.setattr(kit.db.loads, "read", watched)
    tallies, segments = TallyCache(), segments_of(kit)
    waiting = [asyncio.create_task(tallies.get(segments, room.of, BASES[0])) for _ in range(2)]
    for _ in range(9):
        await steps.acquire()
    (kept,) = tallies._tallies.values()

    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    assert not kept.load.task.done()

    waiting[1].cancel()
    await asyncio.gather(waiting[1], kept.load.task, return_exceptions=True)
    assert kept.load.task.cancelled()
    assert not tallies._tallies
    await eventually(lambda: asyncio.sleep(0, not segments._storing))

    for _ in range(100):
        held.release()
    stored = kit.db.query(store.stored_segments, room.of, BASES[0].digest)
    again = await tallies.get(segments, room.of, BASES[0])
    assert len(stored) >= 2
    assert again.segments.response_count >= sum(each.answers for each in stored)
    assert results_of(again.tally) == recounted(kit, room.of, BASES[0])
    await idle(again)
