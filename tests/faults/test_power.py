"""Power failures under load: the disk holds a prefix of the feed with all acknowledgements."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import UUID

import pysqlite3.dbapi2 as driver
import pytest

from conflicto.access.identity import KEY_FILE
from tests.support.crowd import Crowd, gather
from tests.support.power import Disk
from tests.support.processes import Served, environment, run, served

CUTS_FOR_EACH_KILL = 10
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
PATIENT_REFUSALS = 40
BETWEEN = 7
"""Acknowledged responses before the next cut."""

CARELESS = """
from conflicto.platform.db.dialects import sqlite_connections

careful = sqlite_connections._setup

def careless(deadlines, *, query_only):
    def on_connect(connection, record):
        careful(deadlines, query_only=query_only)(connection, record)
        connection.execute("PRAGMA synchronous=NORMAL").close()
    return on_connect

sqlite_connections._setup = careless

from conflicto.cli import main

main()
"""
"""The program with a database that rarely syncs its log."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    return Disk.below(tmp_path)


def answers(folder: Path) -> list[str]:
    """Open the files after a cut as the next start would, and return the responses in order."""
    connection = driver.connect(folder / "conflicto.sqlite3")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT * FROM sqlite_master WHERE name = 'responses'").fetchall():
            return []  # the server never came so far
        return [str(UUID(bytes=row)) for (row,) in connection.execute("SELECT id FROM responses ORDER BY ts")]
    finally:
        connection.close()


@dataclass(frozen=True)
class Left:
    """The files after one cut, and the responses acknowledged before it."""

    acknowledged: set[str]
    answers: list[str]


def cuts(crowd: Crowd, server: Served, disk: Disk, count: int, into: Path) -> Iterator[Left]:
    """Cut the power repeatedly under load; every other cut keeps part of the unsynced data."""
    rng = Random(count)
    with crowd.answering(server):
        for number in range(count):
            crowd.wait_for(BETWEEN)
            acknowledged = set(crowd.acknowledged)
            disk.cut(server, into, rng, is_torn=number % 2 == 1)
            yield Left(acknowledged, answers(into))
            shutil.rmtree(into)


def missing(lefts: Iterable[Left]) -> int:
    return sum(len(left.acknowledged - set(left.answers)) for left in lefts)


@pytest.mark.catalogue("F-03")
def test_what_a_power_cut_leaves_begins_as_the_feed_does_and_has_all_that_was_acknowledged(
    disk: Disk, tmp_path: Path, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    count = CUTS_FOR_EACH_KILL * request.config.getoption("--kills")
    with served(disk.live, **disk.environment, **UNMEASURED) as server:
        crowd = gather(server)
        lefts = list(cuts(crowd, server, disk, count, tmp_path / "cut"))
        stored = [each["id"] for each in crowd.stored(server)]
        disk.cut(server, tmp_path / "last", Random(0), is_torn=False)

    assert missing(lefts) == 0
    assert all(left.answers == stored[: len(left.answers)] for left in lefts)
    with served(tmp_path / "last") as again:
        assert crowd.lost(again) == {}, "with the tokens from before the cut"
    check = run("db", "check", env=environment(tmp_path / "last"))
    assert check.exit_code == 0, check.stdout
    counted(f"SQLite: {count} power cuts, half of them with torn files, {len(stored)} answers, 0 of those acknowledged lost")


@pytest.mark.catalogue("F-03")
def test_a_log_that_is_synced_now_and_then_would_lose_answers(disk: Disk, tmp_path: Path) -> None:
    """The control: without syncs, the same cuts lose acknowledged responses."""
    with served(disk.live, program=("-c", CARELESS), **disk.environment, **UNMEASURED) as server:
        lefts = cuts(gather(server), server, disk, 20, tmp_path / "cut")
        assert any(missing([left]) for left in lefts)


def test_the_key_of_tokens_is_on_the_disk_before_the_first_one_is_given_out(disk: Disk, tmp_path: Path) -> None:
    """Keep the database outside the directory, since its syncs would hide a missing one."""
    elsewhere = {"DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite3"}
    with served(disk.live, **elsewhere, **disk.environment, **UNMEASURED) as server:
        disk.cut(server, tmp_path / "cut", Random(0), is_torn=False)
    assert (tmp_path / "cut" / KEY_FILE).read_text() == (disk.live / KEY_FILE).read_text()


@pytest.mark.catalogue("F-06")
@pytest.mark.parametrize("call", ["sync", "write"])
def test_what_a_bad_disk_did_not_take_is_refused_and_the_rest_stays(disk: Disk, tmp_path: Path, call: str) -> None:
    with served(disk.live, **disk.environment, **UNMEASURED) as server:
        crowd = gather(server)
        with crowd.answering(server):
            for _ in range(3):
                crowd.wait_for(20)
                with disk.broken(call):
                    refusals = len(crowd.refused) + PATIENT_REFUSALS
                    crowd.wait_until(lambda: len(crowd.refused) > refusals)  # noqa: B023 - waited for at once
                    there = set(crowd.acknowledged)
                    assert {each["id"] for each in crowd.stored(server)} == there, "reads continue, and do not show it"
                    disk.cut(server, tmp_path / "cut", Random(0), is_torn=False)
                assert set(answers(tmp_path / "cut")) == there
                shutil.rmtree(tmp_path / "cut")
        assert {status for status, _ in crowd.refused} == {503}
        assert crowd.lost(server) == {}
        assert len(crowd.stored(server)) == len(crowd.acknowledged)
