"""The writer: groups and acknowledgements. Database faults: test_writer_faults.py."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from conflicto.platform.db.group import Committed
from conflicto.platform.db.tables import counters
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.platform.db.writer import Writer
from conflicto.platform.problems import DomainError, InternalError, Kind, NotFound, Overloaded, Unavailable
from conflicto.sessions.commands import set_locked
from conflicto.sessions.events import SessionChanged
from conflicto.sessions.queries import session_by_id
from tests.support.clocks import HandClock
from tests.support.kit import Kit, set_stage
from tests.support.patience import PATIENCE_S


class Refused(DomainError):
    code, title, kind = "refused-by-the-test", "Refused", Kind.CONFLICT


class Gate:
    """A command that blocks the writer inside its transaction until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, tx: WriteTx) -> None:
        self.entered.set()
        assert self.opened.wait(PATIENCE_S)


@pytest.fixture
def committed() -> list[Committed]:
    return []


@pytest.fixture
async def writer(kit: Kit, clock: HandClock, committed: list[Committed]) -> AsyncIterator[Writer]:
    made = Writer(kit.runner, clock, caller_s=2.0, on_commit=committed.append)
    made.start()
    yield made
    await made.stop()


async def held(writer: Writer) -> tuple[Gate, asyncio.Task[None]]:
    """Return a gate that blocks the writer, so that the next commands form one group."""
    gate = Gate()
    task = asyncio.create_task(writer.run((), gate))
    await asyncio.to_thread(gate.entered.wait, PATIENCE_S)
    return gate, task


async def queued(writer: Writer, *commands: Callable[[WriteTx], Any]) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(writer.run((), each)) for each in commands]
    await asyncio.sleep(0)
    return tasks


def adding(name: str) -> Callable[[WriteTx], str]:
    def add(tx: WriteTx) -> str:
        tx.write(insert(counters), {"name": name, "value": 1})
        tx.emit(name)
        return name

    return add


def add_all(tx: WriteTx, given: list[str]) -> list[str]:
    return [adding(name)(tx) for name in given]


async def crowd(writer: Writer, topic: int, *sent: str) -> list[asyncio.Task[str]]:
    """Send the responses of many participants at once."""
    tasks = [asyncio.create_task(writer.submit(topic, add_all, name, ())) for name in sent]
    await asyncio.sleep(0)
    return tasks


def names(kit: Kit) -> set[str]:
    def query(tx: ReadTx) -> set[str]:
        return {row.name for row in tx.all(select(counters.c.name))} - {"sessions"}

    return kit.db.query(query)


async def outcomes_of(tasks: list[asyncio.Task[Any]]) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.catalogue("F-02")
async def test_nothing_is_acknowledged_before_its_commit(writer: Writer, kit: Kit, committed: list[Committed]) -> None:
    gate = Gate()

    def slow(tx: WriteTx) -> None:
        adding("a")(tx)
        gate(tx)

    task = asyncio.create_task(writer.run((), slow))
    await asyncio.to_thread(gate.entered.wait, PATIENCE_S)
    await asyncio.sleep(0.05)
    assert (task.done(), await asyncio.to_thread(names, kit), committed) == (False, set(), [])
    assert writer.queued == 1

    gate.opened.set()
    await task
    assert await asyncio.to_thread(names, kit) == {"a"}
    assert [list(each.events) for each in committed] == [["a"]]
    assert writer.queued == 0


async def test_commands_that_gather_are_committed_together(writer: Writer, kit: Kit, committed: list[Committed]) -> None:
    gate, first = await held(writer)
    tasks = await queued(writer, *(adding(str(number)) for number in range(50)))
    gate.opened.set()

    assert await outcomes_of([first, *tasks]) == [None, *(str(number) for number in range(50))]
    assert [list(each.events) for each in committed] == [[], [str(number) for number in range(50)]]


async def test_group_has_a_largest_size(writer: Writer, committed: list[Committed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_GROUP_COMMANDS", 3)
    gate, first = await held(writer)
    tasks = await queued(writer, *(adding(str(number)) for number in range(7)))
    gate.opened.set()
    await outcomes_of([first, *tasks])

    assert [len(each.events) for each in committed] == [0, 3, 3, 1]


async def test_refusal_before_the_first_write_leaves_the_group_whole(writer: Writer, committed: list[Committed]) -> None:
    def refuse(tx: WriteTx) -> None:
        tx.emit("never told")
        raise Refused

    gate, first = await held(writer)
    tasks = await queued(writer, adding("a"), refuse, adding("b"))
    gate.opened.set()
    outcomes = await outcomes_of([first, *tasks])

    assert (outcomes[1], outcomes[3], type(outcomes[2])) == ("a", "b", Refused)
    assert [list(each.events) for each in committed] == [[], ["a", "b"]]


async def test_refusal_after_a_write_undoes_that_command_alone(writer: Writer, kit: Kit, committed: list[Committed]) -> None:
    def half(tx: WriteTx) -> None:
        adding("half")(tx)
        raise Refused

    gate, first = await held(writer)
    tasks = await queued(writer, adding("a"), half, adding("b"))
    gate.opened.set()
    outcomes = await outcomes_of([first, *tasks])

    assert (outcomes[1], outcomes[3], type(outcomes[2])) == ("a", "b", Refused)
    assert await asyncio.to_thread(names, kit) == {"a", "b"}
    assert [list(each.events) for each in committed] == [[], ["a"], ["b"]]
    assert isinstance((await outcomes_of(await queued(writer, half)))[0], Refused)


@pytest.mark.parametrize("fault", ["bad row", "bug"])
async def test_one_bad_command_does_not_fail_its_neighbours(writer: Writer, kit: Kit, fault: str) -> None:
    await writer.run((), adding("taken"))

    def buggy(tx: WriteTx) -> None:
        adding("lost")(tx)
        raise RuntimeError(fault)

    gate, first = await held(writer)
    tasks = await queued(writer, adding("a"), adding("taken") if fault == "bad row" else buggy, adding("b"))
    with capture_logs() as logs:
        gate.opened.set()
        outcomes = await outcomes_of([first, *tasks])
    assert [(line["event"], type(line["exc_info"])) for line in logs] == [
        ("command-failed", IntegrityError if fault == "bad row" else RuntimeError)
    ]

    assert (outcomes[1], outcomes[3], type(outcomes[2])) == ("a", "b", InternalError)
    assert await asyncio.to_thread(names, kit) == {"taken", "a", "b"}
    assert await writer.run((), adding("c")) == "c"


async def test_same_key_is_never_twice_in_a_group_and_keeps_its_order(writer: Writer) -> None:
    groups: list[list[str]] = []

    def batch(tx: WriteTx, items: list[str]) -> list[str]:
        groups.append(items)
        return items

    gate, first = await held(writer)
    sent = [("a1", ("a",)), ("a2", ("a",)), ("b1", ("b",)), ("ab", ("a", "b")), ("c", ()), ("b2", ("b",)), ("a3", ("a", "x"))]
    tasks = [asyncio.ensure_future(writer._enqueue((), batch, item, keys)) for item, keys in sent]
    gate.opened.set()

    assert await outcomes_of([first, *tasks]) == [None, *(item for item, _ in sent)]
    assert groups == [["a1", "b1", "c"], ["a2"], ["ab"], ["b2", "a3"]]


async def test_neighbours_of_one_batch_run_together_in_their_order(writer: Writer) -> None:
    seen: list[Any] = []

    def batch(tx: WriteTx, items: list[int]) -> list[int]:
        seen.append(list(items))
        return [item * 2 for item in items]

    gate, first = await held(writer)
    tasks = [asyncio.ensure_future(writer._enqueue((), batch, number, ())) for number in (1, 2)]
    tasks += await queued(writer, lambda tx: seen.append("alone"))
    tasks += [asyncio.ensure_future(writer._enqueue((), batch, 3, ()))]
    gate.opened.set()

    assert await outcomes_of([first, *tasks]) == [None, 2, 4, None, 6]
    assert seen == [[1, 2], "alone", [3]]


async def test_session_rows_are_locked_changed_and_published(writer: Writer, kit: Kit, committed: list[Committed]) -> None:
    stage = set_stage(kit, people=1)
    session = await writer.run(stage.session_id, set_locked, stage.session_id, locked=True)

    head = committed[-1].heads[stage.session_id]
    assert head.ts == head.control_ts == session.updated_ts > head.locked_ts > 0
    assert [event.session for event in committed[-1].events if isinstance(event, SessionChanged)] == [session]
    assert await kit.db.read(session_by_id, stage.session_id) == session
    assert await writer.run(stage.session_id, set_locked, stage.session_id, locked=True) == session
    assert committed[-1].heads == {}
    with pytest.raises(NotFound):
        await writer.run(123, lambda tx: tx.next_ts(123))


async def test_full_queue_refuses_at_once(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_QUEUED_COMMANDS", 3)
    gate, first = await held(writer)
    tasks = await queued(writer, adding("a"), adding("b"))

    with pytest.raises(Overloaded) as refused:
        await writer.run((), adding("c"))
    assert refused.value.retry_after_s
    gate.opened.set()
    assert await outcomes_of([first, *tasks]) == [None, "a", "b"]
    assert await writer.run((), adding("c")) == "c"


async def test_crowd_is_refused_when_the_writer_is_behind_but_hosts_are_not(
    writer: Writer, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MAX_GROUP_COMMANDS", 3), ("MAX_WAIT_S", 1.5)):
        monkeypatch.setattr(f"conflicto.platform.db.writer.{name}", value)
    gate, first = await held(writer)
    tasks = await crowd(writer, 0, "a", "b")
    clock.advance(1.6)
    tasks += await crowd(writer, 0, "one commit takes them all")
    with pytest.raises(Overloaded) as refused:
        await writer.submit(0, add_all, "too many", ())
    assert refused.value.retry_after_s
    tasks += await queued(writer, adding("host"))
    gate.opened.set()

    assert await outcomes_of([first, *tasks]) == [None, "a", "b", "one commit takes them all", "host"]
    assert await writer.submit(0, add_all, "calm again", ()) == "calm again"


async def test_young_queue_takes_more_than_one_group(writer: Writer, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MAX_GROUP_COMMANDS", 3), ("MAX_WAIT_S", 60)):
        monkeypatch.setattr(f"conflicto.platform.db.writer.{name}", value)
    gate, first = await held(writer)
    clock.advance(40)
    tasks = await crowd(writer, 0, *map(str, range(20)))
    gate.opened.set()
    assert await outcomes_of([first, *tasks]) == [None, *map(str, range(20))]


async def test_crowd_is_refused_before_it_waits_when_groups_were_slow(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_GROUP_COMMANDS", 3)
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_WAIT_S", 0.1)
    await writer.run((), lambda tx: time.sleep(0.2))
    gate, first = await held(writer)
    tasks = await crowd(writer, 0, *map(str, range(20)))
    gate.opened.set()
    outcomes = await outcomes_of([first, *tasks])

    taken = [each for each in outcomes if not isinstance(each, Overloaded)]
    assert 1 < len(taken) < len(outcomes)
    assert taken[1:] == [str(number) for number in range(len(taken) - 1)]


async def test_sessions_take_turns(writer: Writer, committed: list[Committed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_GROUP_COMMANDS", 6)
    gate, first = await held(writer)
    sent = [(1, list("abcdefghi")), (2, ["quiet"]), (3, ["calm"]), (2, ["again"])]
    tasks = [task for topic, names in sent for task in await crowd(writer, topic, *names)]
    gate.opened.set()

    assert await outcomes_of([first, *tasks]) == [None, *"abcdefghi", "quiet", "calm", "again"]
    assert [list(each.events) for each in committed[1:]] == [["a", "b", "quiet", "again", "calm", "c"], list("defghi")]


async def test_a_crowd_is_refused_for_itself_alone(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_GROUP_COMMANDS", 3)
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_WAIT_S", 0.1)
    await writer.run((), lambda tx: time.sleep(0.2))
    gate, first = await held(writer)
    tasks = [*await crowd(writer, 1, *map(str, range(20))), *await crowd(writer, 2, "quiet")]
    gate.opened.set()
    outcomes = await outcomes_of([first, *tasks])

    assert Overloaded in {type(each) for each in outcomes[1:-1]}
    assert outcomes[-1] == "quiet"


async def test_one_crowd_fills_no_more_than_its_share_of_the_queue(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_GROUP_COMMANDS", 2)
    monkeypatch.setattr("conflicto.platform.db.writer.MAX_QUEUED_COMMANDS", 20)
    gate, first = await held(writer)
    tasks = [*await crowd(writer, 1, *map(str, range(12))), *await crowd(writer, 2, "quiet", "too")]
    gate.opened.set()
    outcomes = await outcomes_of([first, *tasks])

    assert ({type(each) for each in outcomes[11:13]}, outcomes[13:]) == ({Overloaded}, ["quiet", "too"])


async def test_late_commands_are_dropped_unbegun(writer: Writer, kit: Kit, clock: HandClock) -> None:
    gate, first = await held(writer)
    tasks = await queued(writer, adding("late"))
    clock.advance(2.1)
    tasks += await queued(writer, adding("in time"))
    gate.opened.set()
    outcomes = await outcomes_of(tasks)

    assert outcomes[0].kind is Kind.UNAVAILABLE
    assert outcomes[1] == "in time"
    assert await asyncio.to_thread(names, kit) == {"in time"}
    await outcomes_of([first])


async def test_callers_are_freed_while_the_writer_hangs(writer: Writer, clock: HandClock) -> None:
    gate, first = await held(writer)
    tasks = await queued(writer, adding("a"))
    clock.advance(2.1)

    outcomes = await asyncio.wait_for(outcomes_of([first, *tasks]), PATIENCE_S)

    assert [type(each) for each in outcomes] == [Unavailable, Unavailable]
    gate.opened.set()
    assert await writer.run((), adding("b")) == "b"


@pytest.mark.catalogue("C-09")
async def test_caller_that_goes_away_changes_nothing(writer: Writer, kit: Kit) -> None:
    gate, first = await held(writer)
    tasks = await queued(writer, adding("gone"), adding("stays"))
    tasks[0].cancel()
    gate.opened.set()
    outcomes = await outcomes_of([first, *tasks])

    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert outcomes[2] == "stays"
    assert await asyncio.to_thread(names, kit) == {"gone", "stays"}
    assert writer.queued == 0


async def test_stop_commits_the_queue_and_takes_no_more(kit: Kit, clock: HandClock) -> None:
    writer = Writer(kit.runner, clock, caller_s=2.0, on_commit=lambda committed: None)
    with pytest.raises(Overloaded):
        await writer.run((), adding("too early"))
    writer.start()
    gate, first = await held(writer)
    tasks = await queued(writer, *(adding(str(number)) for number in range(600)))
    stopping = asyncio.create_task(writer.stop())
    await asyncio.sleep(0.05)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(writer.run((), adding("too late")), PATIENCE_S)
    gate.opened.set()
    await stopping

    assert await outcomes_of([first, *tasks]) == [None, *(str(number) for number in range(600))]
    assert len(await asyncio.to_thread(names, kit)) == 600
    with pytest.raises(Overloaded):
        await asyncio.wait_for(writer.run((), adding("too late")), PATIENCE_S)


async def test_follower_that_fails_takes_no_answer_away(kit: Kit, clock: HandClock) -> None:
    def broken(committed: Committed) -> None:
        raise RuntimeError("a bug in memory")

    writer = Writer(kit.runner, clock, caller_s=2.0, on_commit=broken)
    writer.start()
    with capture_logs() as logs:
        assert await asyncio.wait_for(writer.run((), adding("a")), PATIENCE_S) == "a"
    await writer.stop()

    assert [line["event"] for line in logs] == ["follower-failed"]
