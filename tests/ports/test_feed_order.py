"""The interleaving test: several writers with delays between lock and commit, several readers.

The negative control draws a timestamp before the lock, as most systems do. The checker must find
the rows that it loses.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, select

from conflicto.access.link_keys import LinkKeys
from conflicto.access.roles import Caller, Role
from conflicto.activities.model import ResponsePolicy
from conflicto.feed.changes import read_changes
from conflicto.feed.pages import read_responses
from conflicto.feed.timestamps import Since
from conflicto.platform.db.group import GroupRunner
from conflicto.platform.db.sequence import FeedHead
from conflicto.platform.db.transaction import WriteTx
from conflicto.platform.instants import position
from conflicto.session_state.views import View
from conflicto.sessions.feed_heads.store import COUNTS, FeedHeads
from conflicto.sessions.tables import feed_heads
from tests.support.feed_check import Page, Write, check
from tests.support.kit import Kit, Stage, set_stage

WRITERS = 5
LIMITS = (1, 4, 25, 50)
"""Page sizes. A reader with a small page lags behind; only one that caught up can lose a row."""
GROUPS = 24
PAUSE_S = 0.004
HASTE = 0.3
"""Share of the control's transactions with a delay between clock and lock."""


assert hasattr(GroupRunner, "_read_clock"), "the controls would silently lose the fault that they replace it with"


class Dawdling(GroupRunner):
    """A group runner that waits after its clock reading."""

    rng = Random(7)

    def _read_clock(self, connection: Connection, heads: Mapping[int, FeedHead]) -> int:
        now = super()._read_clock(connection, heads)
        time.sleep(self.rng.uniform(0, PAUSE_S))
        return now


class DawdlingHeads(FeedHeads):
    """Heads that wait before the commit."""

    def save(self, tx: WriteTx, heads: Any) -> None:
        super().save(tx, heads)
        time.sleep(Dawdling.rng.uniform(0, PAUSE_S))


class ClockFirst(Dawdling):
    """The first error of the control: it reads the clock before it locks anything."""

    def _attempt(self, group: Any) -> Any:
        self.early = self._clock.wall_us()
        if self.rng.random() < HASTE:
            time.sleep(self.rng.uniform(3, 10) * PAUSE_S)
        return super()._attempt(group)

    def _read_clock(self, connection: Connection, heads: Mapping[int, FeedHead]) -> int:
        return self.early


class Unlocked(DawdlingHeads):
    """The second error of the control: it neither locks nor reads the head row."""

    def lock(self, connection: Connection, topics: Iterable[int]) -> dict[int, FeedHead]:
        rows = connection.execute(select(feed_heads).where(feed_heads.c.session_id.in_(list(topics))))
        return {row.session_id: FeedHead(row.session_id, 0, row.ctl, {name: row._mapping[name] for name in COUNTS}) for row in rows}


@contextmanager
def kits(url: str, amount: int, **kwargs: Any) -> Iterator[list[Kit]]:
    made = [Kit(url, **kwargs) for _ in range(amount)]
    try:
        yield made
    finally:
        for kit in made:
            kit.close()


def write(kit: Kit, stage: Stage, seed: int) -> list[Write]:
    """Send groups of one to four answers, each person at most once in a group."""
    rng, done = Random(seed), []
    for number in range(GROUPS):
        who = rng.sample(range(len(stage.people)), rng.randint(1, 4))
        began = time.monotonic()
        outcomes = kit.run(*(stage.answer(person, f'"{seed}.{number}"') for person in who))
        acked = time.monotonic()
        receipts = [each.response for each in outcomes if not isinstance(each, Exception)]
        done += [Write(str(each.id), each.revision, each.ts, began, acked) for each in receipts]
    return done


def follow(kit: Kit, stage: Stage, limit: int, writing: threading.Event) -> list[Page]:
    """Page until the end after the last write.

    Even limits read the activity, odd ones the session.
    """
    pages: list[Page] = []
    since = Since(0, "beginning")
    host = Caller(Role.HOST, "host", stage.session_id)
    while True:
        last_round = not writing.is_set()
        if limit % 2:
            page, _ = kit.db.query(
                read_changes, stage.session_id, host, since, LinkKeys(b"k" * 32), limit=limit, now_us=kit.clock.wall_us()
            )
            rows = [item for item in map(msgspec.json.decode, page.items) if item["entity"] == "response"]
        else:
            page = kit.db.query(read_responses, stage.activity_id, View.HOST, since, limit=limit, now_us=kit.clock.wall_us())
            rows = [msgspec.json.decode(item) for item in page.items]
        versions = [(str(row["id"]), row["revision"], _us(row["updated_at"])) for row in rows]
        pages.append(Page(page.since, versions, page.cursor))
        since = Since(page.cursor, "position")
        if last_round and not page.has_more:
            return pages


def _us(instant: str) -> int:
    from conflicto.feed.timestamps import parse

    return parse(instant).us


def history(url: str, policy: ResponsePolicy, **kwargs: Any) -> tuple[list[Write], dict[str, list[Page]], list[str]]:
    """Run writers and readers on one session; return the history and the checker's findings."""
    with (
        kits(url, WRITERS, **kwargs) as writers,
        kits(url, len(LIMITS)) as readers,
        ThreadPoolExecutor(WRITERS + len(LIMITS)) as pool,
    ):
        stage = set_stage(readers[0], people=8, policy=policy)
        writing = threading.Event()
        writing.set()
        following = [pool.submit(follow, kit, stage, limit, writing) for limit, kit in zip(LIMITS, readers, strict=True)]
        sending = [pool.submit(write, kit, stage, seed) for seed, kit in enumerate(writers)]
        try:
            writes = [each for done in sending for each in done.result(60)]
        finally:
            writing.clear()
        pages = {f"reader {number}": each.result(60) for number, each in enumerate(following)}
    return writes, pages, check(writes, pages)


@pytest.mark.catalogue("D-01")
@pytest.mark.parametrize("policy", [ResponsePolicy.MANY, ResponsePolicy.ONE])
def test_no_reader_misses_or_repeats_anything(database_url: str, policy: ResponsePolicy, record_property: Any) -> None:
    writes, pages, violations = history(database_url, policy, runner=Dawdling, heads=DawdlingHeads())

    assert violations == []
    assert len(writes) > WRITERS * GROUPS
    assert all(len(each) > 3 for each in pages.values())
    record_property("rows", len(writes))
    assert all(position(page.cursor) for each in pages.values() for page in each)


@pytest.mark.catalogue("D-02")
def test_timestamps_from_a_clock_before_the_lock_lose_rows(database_url: str, record_property: Any) -> None:
    writes, _, violations = history(database_url, ResponsePolicy.MANY, runner=ClockFirst, heads=Unlocked())

    lost = [each for each in violations if ": lost " in each]
    assert lost, f"the control wrote {len(writes)} rows and lost none: the test cannot see the fault"
    record_property("lost", len(lost))
