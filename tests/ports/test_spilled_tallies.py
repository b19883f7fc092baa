"""Tallies with more distinct keys than fit in memory: exact, bounded, equal at every worker."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from conflicto.activities.model import ModerationPolicy
from conflicto.aggregation.operations.count import CountState
from conflicto.aggregation.operations.median import MedianState
from conflicto.aggregation.operations.number import NumberState
from conflicto.aggregation.operations.score import ScoreState
from conflicto.aggregation.operations.votes import VotesState
from conflicto.aggregation.operations.words import WordsState
from conflicto.aggregation.spill.database import SpillDatabase
from conflicto.aggregation.spill.store import KeySums, SpillStore
from conflicto.platform.problems import Unavailable
from conflicto.responses.commands.change import edit_response, moderate_response, remove_response
from conflicto.responses.events import ResponsesChanged
from conflicto.responses.model import Moderation, ResponseContent
from conflicto.results.live_tally import MAX_MEMORY_SHARE, LiveTally
from conflicto.results.queries import RoundKey
from conflicto.results.segment_service import SegmentService
from conflicto.results.tally import TallyInputs, filter_results, results_by_name
from conflicto.results.tally_cache import TallyCache
from tests.support.kit import Kit, Stage, command, set_stage

SPEC = {
    "count": {"path": "/w", "op": "count", "top": 3},
    "words": {"path": "/w", "op": "words", "top": 4},
    "number": {"path": "/n", "op": "number", "bins": 3},
    "median": {"path": "/n", "op": "median"},
    "votes": {"path": "/v", "op": "votes"},
    "score": {"path": "/n", "op": "score", "key": ""},
}
BASIS = TallyInputs(msgspec.json.encode(SPEC).decode(), "5", None, None)
MAX_ENTRIES = 8
STATES = (CountState, NumberState, MedianState, ScoreState, VotesState, WordsState)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for state in STATES:
        monkeypatch.setattr(state, "max_entries", MAX_ENTRIES * len(STATES))


@pytest.fixture
async def segments(kit: Kit, small: None) -> AsyncIterator[SegmentService]:
    segments = SegmentService(kit.db, kit.writer)
    yield segments
    await segments.close()


class Room:
    """Participants who change their answers and are moderated; tallies follow every commit."""

    def __init__(self, kit: Kit, seed: int) -> None:
        self.kit, self.rng = kit, Random(seed)
        self.stage: Stage = set_stage(kit, people=6, moderation=ModerationPolicy.AFTER)
        self.of = RoundKey(self.stage.session_id, self.stage.activity_id, 1)
        self.answers: list[Any] = []

    def text(self) -> str:
        words = " ".join(self.rng.choice(["Tea", "tea", f"w{self.rng.randrange(40)}"]) for _ in range(3))
        votes = [{"target": f"t{self.rng.randrange(9)}", "vote": self.rng.choice([1, -1, 0])}]
        return msgspec.json.encode({"w": words, "n": self.rng.choice([5, self.rng.randrange(99), 2.5]), "v": votes}).decode()

    def step(self, *tallies: TallyCache) -> None:
        item = self.stage.answer(self.rng.randrange(6), self.text())
        if self.answers and self.rng.random() < 0.5:
            response, author = self.rng.choice(self.answers)
            text, moderation = self.text(), self.rng.choice(list(Moderation))
            change = self.rng.choice([
                lambda tx: edit_response(tx, response, participant_id=author, content=ResponseContent(text), received_us=1),
                lambda tx: remove_response(tx, response, activity_id=self.stage.activity_id),
                lambda tx: moderate_response(tx, response, moderation, activity_id=self.stage.activity_id),
            ])  # fmt: skip
            item = command(self.stage.session_id, lambda tx, items: [tx.attempt(items[0])], change)
        for outcome, committed, _ in self.kit.runner.run([item]):
            self.answers += [(each.response.id, each.response.participant_id) for each in outcome if hasattr(each, "response")]
            for each in [event for event in committed.events if isinstance(event, ResponsesChanged)]:
                for following in tallies:
                    following.apply(each.changes)


def in_memory(kit: Kit, room: Room, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a recount with all keys in memory."""
    from conflicto.results.queries import TallyLoader

    with monkeypatch.context() as patch:
        for state in STATES:
            patch.setattr(state, "max_entries", 10**9)
        reading = TallyLoader(room.of, BASIS)
        while not reading.is_done:
            kit.db.query(reading.step)
        tally = reading.tally
    halves = [
        (tally.audience(is_host=host).count, results_by_name(tally, is_host=host, is_scored=True, is_anonymous=False))
        for host in (1, 0)
    ]
    return msgspec.json.decode(msgspec.json.encode([halves, sorted(tally.points_of_each(is_host=True)[0].items())]))  # type: ignore[no-any-return]


async def on_disk(kept: LiveTally, now_s: float) -> list[Any]:
    await asyncio.sleep(0)  # keys that overflowed begin to move
    assert kept.tally.is_stored
    found = (await kept.stored_results(now_s)).results
    halves = [
        (count, filter_results(list(SPEC), each, is_scored=True, is_anonymous=False)) for count, each in (found.live, found.visible)
    ]
    points = sorted((await kept.points(is_host=True))[0].items())
    return msgspec.json.decode(msgspec.json.encode([halves, points]))  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(4))
async def test_it_equals_a_recount_while_followed_and_at_another_worker(
    kit: Kit, segments: SegmentService, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, followed, now_s = Room(kit, seed), TallyCache(), 0.0
    for _ in range(20):
        room.step()
    kept = await followed.get(segments, room.of, BASIS)
    for _ in range(4):
        for _ in range(15):
            room.step(followed)
            if kept.is_invalid:
                kept = await followed.get(segments, room.of, BASIS)
        now_s += 5
        expected = in_memory(kit, room, monkeypatch)
        assert await on_disk(kept, now_s) == expected
        other = await TallyCache().get(segments, room.of, BASIS)
        assert await on_disk(other, 0) == expected, "a fresh load gives the same results"


async def test_memory_holds_no_more_than_its_share_and_one_answer(kit: Kit, segments: SegmentService) -> None:
    room, followed = Room(kit, 1), TallyCache()
    for _ in range(150):
        room.step()
    kept = await followed.get(segments, room.of, BASIS)
    assert kept.tally.is_stored
    for _ in range(100):
        room.step(followed)
        assert kept.is_invalid or kept.tally.memory_share <= MAX_MEMORY_SHARE + 2
        await kept.points(is_host=True)
        assert kept.is_invalid or kept.tally.memory_share == 0


async def test_who_writes_faster_than_the_disk_is_counted_again(
    kit: Kit, segments: SegmentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, followed = Room(kit, 2), TallyCache()
    room.step()
    kept = await followed.get(segments, room.of, BASIS)
    for _ in range(150):
        room.step(followed)  # nothing moves to the disk meanwhile
    assert kept.is_invalid
    assert kept.tally.memory_share == 0
    with pytest.raises(Unavailable):
        await kept.stored_results(0)

    again = await followed.get(segments, room.of, BASIS)
    assert again is not kept
    assert await on_disk(again, 0) == in_memory(kit, room, monkeypatch)


async def test_results_are_a_snapshot_of_five_seconds(kit: Kit, segments: SegmentService) -> None:
    room, followed = Room(kit, 3), TallyCache()
    for _ in range(40):
        room.step()
    kept = await followed.get(segments, room.of, BASIS)
    first = await kept.stored_results(10)
    room.step(followed)
    assert await kept.stored_results(14.9) is first
    assert (await kept.stored_results(15)).change_count == kept.change_count > first.change_count
    assert (await kept.stored_results(99)).taken_s == 15, "nothing has moved since"


async def test_a_full_disk_is_reported_and_forgotten(kit: Kit, small: None) -> None:
    room, segments, followed = Room(kit, 4), SegmentService(kit.db, kit.writer), TallyCache()
    segments.spill = SpillDatabase(max_bytes=20 * 4096)
    for number in range(6):
        words = " ".join(f"{number}x{each}" for each in range(500))
        kit.run(room.stage.answer(number, f'{{"w":"{words}"}}'))
    with pytest.raises(Unavailable):
        await followed.get(segments, room.of, BASIS)
    segments.spill = SpillDatabase()
    assert (await followed.get(segments, room.of, BASIS)).tally.is_stored
    await segments.close()


async def test_what_was_stored_is_lost_with_its_database(kit: Kit, segments: SegmentService) -> None:
    room, followed = Room(kit, 5), TallyCache()
    for _ in range(40):
        room.step()
    kept = await followed.get(segments, room.of, BASIS)
    await kept.stored_results(0)
    segments.spill._store = None
    room.step(followed)
    with pytest.raises(Unavailable):
        await kept.stored_results(5)
    assert kept.is_invalid


async def test_the_disk_is_freed_when_a_tally_goes(kit: Kit, segments: SegmentService) -> None:
    room, followed = Room(kit, 6), TallyCache()
    for _ in range(40):
        room.step()
    await (await followed.get(segments, room.of, BASIS)).stored_results(0)
    followed = TallyCache()
    gc.collect()
    left = await segments.spill.run(lambda spill: spill._connection.execute("SELECT count(*) FROM entries").fetchone())
    assert left == (0,)


async def test_the_file_has_no_name_and_memory_does_not_grow_with_it(kit: Kit, segments: SegmentService) -> None:
    def file_bytes(spill: SpillStore) -> int:
        state = spill.add_state()
        for part in range(40):
            spill.add(state, (KeySums(f"{part}-{each:050d}", 1, 0, 1) for each in range(1_000)))
        links = [(each, os.path.realpath(each)) for each in Path("/proc/self/fd").iterdir()]
        opened = [(each, link) for each, link in links if "conflicto-spill-" in link]
        assert all(link.endswith("(deleted)") for _, link in opened)
        return max(each.stat().st_size for each, _ in opened)

    assert await segments.spill.run(file_bytes) > 4_000_000
