"""The schema's history on both databases: every revision with data, downgrades, kills."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pysqlite3.dbapi2 as driver
import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from conflicto import migrations
from conflicto.activity_types.registry import installed
from conflicto.app import App
from conflicto.platform.db.dialects import postgresql_locks
from conflicto.platform.db.engine import Database
from conflicto.platform.db.schema import SCHEMA, revision
from conflicto.responses.recount.differences import bytes_of_sessions, counter_differences
from conflicto.sessions.feed_heads.store import read_head
from conflicto.settings import Settings
from tests.support import databases, revisions
from tests.support.api import Api
from tests.support.checks import accepted
from tests.support.cuts import Cut, cut_at
from tests.support.patience import PATIENCE_S
from tests.support.processes import ADMIN, environment, run, run_apart

HISTORY = migrations.known_revisions()
REVISIONS = [
    pytest.param(each, marks=[] if each in {HISTORY[0], *HISTORY[-2:]} else pytest.mark.thorough, id=each) for each in HISTORY
]
"""All revisions. Only `make test-hard` runs those between the first and the last two."""
ROOT = Path(__file__).parents[2]
KILLS = (3, 20, 45)
"""Statements of a complete migration before which a process is killed; it has more than 50."""
MAX_WAIT_S = 1.5
"""Five times the time after which a migration stops waiting for a table."""


@pytest.fixture(autouse=True)
def patient_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the timeouts of our transactions, which a busy machine would exceed."""
    monkeypatch.setattr("conflicto.platform.db.dialects.postgresql_connections.IDLE_IN_TRANSACTION_TIMEOUT_S", PATIENCE_S)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a schema, on either database in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/conflicto.sqlite3"
        return
    request.getfixturevalue("postgres_template")
    with databases.postgres_copy(request.getfixturevalue("postgres_url"), empty=True) as url:
        yield url


def revision_of(url: str) -> str | None:
    with revisions.connected(url) as connection:
        return revision(connection)


def left_by(url: str, at: str) -> dict[str, list[dict[str, Any]]]:
    """Create the database of the program of a revision, and return its rows."""
    migrations.upgrade(url, at)
    revisions.fill(url)
    rows = revisions.dump(url)
    assert [name for name, found in rows.items() if not found] == []
    return rows


def test_the_samples_have_something_in_every_column(empty_url: str) -> None:
    rows = left_by(empty_url, SCHEMA)

    empty = {(table, name) for table, found in rows.items() for name in found[0] if all(row[name] is None for row in found)}
    assert empty == set(), "a migration added a column: give it a value in tests/support/revisions.py"


# With data ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", REVISIONS)
async def test_data_of_every_revision_reach_the_newest_and_are_served(empty_url: str, at: str, tmp_path: Path) -> None:
    before = left_by(empty_url, at)

    migrations.upgrade(empty_url)

    assert revisions.dump(empty_url, like=before) == before
    command.check(migrations.config(empty_url))
    settings = Settings(database_url=empty_url, data_dir=tmp_path, admin_token=ADMIN)
    async with App(settings).running() as app:
        assert app.platform.db.query(counter_differences) == []
        counted = app.platform.db.query(read_head, revisions.SESSION).counts["stored_bytes"]
        assert counted == app.platform.db.query(bytes_of_sessions)[revisions.SESSION] > 4 * 500
        path = f"/sessions/{revisions.SESSION}"
        host = accepted(await Api(app).post(f"{path}/tokens", {"role": "host"}, token=ADMIN), 201)["token"]
        page = await Api(app).get(f"{path}/activities/{revisions.POLL}/responses/since/0", token=host)
        assert [item["participant_id"] for item in accepted(page)["items"]] == [revisions.ANNA, revisions.BERT]
        assert revisions.TEXT in page.text


def test_existing_activities_get_the_version_that_they_had(empty_url: str) -> None:
    left_by(empty_url, "0016")
    included = [each.name for each in installed().types if each.version == "1"]
    for number, name in enumerate(included, 20):
        row = {"id": UUID(int=number), "type": name, "updated_ts": revisions.T + number}
        revisions.add(empty_url, "activities", revisions.ROWS["activities"][0] | row)

    migrations.upgrade(empty_url)

    rows = revisions.dump(empty_url)["activities"]
    assert {row["type"]: row["type_version"] for row in rows} == {"lunch": "unknown", **dict.fromkeys(included, "1")}


@pytest.mark.parametrize("to", REVISIONS)
def test_every_revision_can_be_gone_back_to_with_data(empty_url: str, to: str) -> None:
    migrations.upgrade(empty_url, to)
    known = revisions.dump(empty_url)
    migrations.upgrade(empty_url)
    revisions.fill(empty_url)
    newest = revisions.dump(empty_url)

    migrations.downgrade(empty_url, to)

    assert revision_of(empty_url) == to
    back = revisions.dump(empty_url)
    assert set(back) == set(known)
    assert revisions.dump(empty_url, like=newest) == back
    migrations.upgrade(empty_url)
    assert revisions.dump(empty_url, like=back) == back
    command.check(migrations.config(empty_url))


@pytest.mark.parametrize("at", REVISIONS)
def test_an_archive_of_every_revision_restores_over_a_database_of_every_revision(empty_url: str, at: str, tmp_path: Path) -> None:
    before = left_by(empty_url, at)
    revisions.write_archive(empty_url, tmp_path / "archive")

    done = run("db", "restore", tmp_path / "archive", env=environment(tmp_path, DATABASE_URL=empty_url))

    assert done.exit_code == 0, (done.stderr, done.exception)
    assert "kept" in done.stdout
    assert revision_of(empty_url) == SCHEMA
    after = revisions.dump(empty_url, like=before)
    for name in set(before) - {"meta", "feed_heads", "feed_gaps"}:
        assert after[name] == before[name]
    assert after["feed_heads"][0]["ts"] > revisions.T + 6
    command.check(migrations.config(empty_url))


# Killed -------------------------------------------------------------------------------------------


def test_a_migration_that_is_cut_at_any_statement_has_not_happened(empty_url: str) -> None:
    before = left_by(empty_url, HISTORY[0])
    number = 0
    while True:
        number += 1
        try:
            with cut_at(number) as seen:
                migrations.upgrade(empty_url)
            break
        except Cut:
            assert revision_of(empty_url) == HISTORY[0], seen
            assert revisions.dump(empty_url) == before, seen

    assert number > len(HISTORY)
    assert revisions.dump(empty_url, like=before) == before
    command.check(migrations.config(empty_url))


KILLED = f"""
import os, signal, sys
from sqlalchemy import Engine, event
from conflicto import migrations

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def kill(*rest):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), {signal.SIGKILL})

migrations.upgrade(sys.argv[1])
"""


@pytest.mark.catalogue("F-04")
def test_a_killed_first_start_is_made_good_by_the_next(empty_url: str) -> None:
    env = {**os.environ, "COVERAGE_PROCESS_CONFIG": ""}
    for number in KILLS:
        killed = subprocess.run([sys.executable, "-c", KILLED, empty_url, str(number)], env=env, timeout=PATIENCE_S, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert revision_of(empty_url) is None

    migrations.upgrade(empty_url)

    command.check(migrations.config(empty_url))


# Concurrent migrations ----------------------------------------------------------------------------


@contextmanager
def migrating(url: str) -> Iterator[None]:
    """Hold the lock of a running migration, so that others must wait."""
    if url.startswith("sqlite"):
        with driver.connect(url.removeprefix("sqlite:///"), isolation_level=None) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
            holder.execute("ROLLBACK")
        holder.close()
        return
    with psycopg.connect(url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(7229110641)")
        yield


def waiting(url: str) -> int:
    """Return the number of processes that wait for the lock of migrations.

    SQLite cannot tell.
    """
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()[0]


def test_of_two_that_migrate_together_one_waits_and_finds_nothing_to_do(empty_url: str, tmp_path: Path) -> None:
    before = left_by(empty_url, HISTORY[0])
    env = environment(tmp_path, DATABASE_URL=empty_url)
    start = [sys.executable, "-m", "conflicto", "db", "upgrade"]
    with migrating(empty_url):
        both = [subprocess.Popen(start, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        if empty_url.startswith("sqlite"):
            time.sleep(2)
        else:
            deadline = time.monotonic() + PATIENCE_S
            while waiting(empty_url) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
        assert [process.poll() for process in both] == [None, None]
        assert revision_of_held(empty_url) == HISTORY[0]

    for process in both:
        output, wrong = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, output) == (0, f"The database has schema {SCHEMA}.\n"), wrong
    assert revisions.dump(empty_url, like=before) == before


def revision_of_held(url: str) -> str | None:
    """Return the revision while another process holds the write lock."""
    db = Database(url)
    try:
        return db.query(lambda tx: revision(tx.connection))
    finally:
        db.close()


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
@pytest.mark.timed
def test_a_table_that_somebody_keeps_is_waited_for_in_vain_and_nobody_else_is_held_up(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = left_by(empty_url, HISTORY[-2])
    monkeypatch.setattr(postgresql_locks, "MAX_WAIT_S", 1.0)
    env = environment(tmp_path, DATABASE_URL=empty_url)
    waits = []
    with (
        psycopg.connect(empty_url) as holder,
        ThreadPoolExecutor(1) as thread,
        psycopg.connect(empty_url, autocommit=True) as other,
    ):
        holder.execute("SELECT * FROM responses").fetchall()
        upgrade = thread.submit(run, "db", "upgrade", env=env)
        while not upgrade.done():
            began = time.monotonic()
            other.execute("UPDATE feed_heads SET ts = ts")
            waits.append(time.monotonic() - began)
        done = upgrade.result()

    assert done.exit_code == 3
    assert "run it again" in done.stderr
    assert revision_of(empty_url) == HISTORY[-2]
    assert max(waits) < MAX_WAIT_S
    assert run("db", "upgrade", env=env).exit_code == 0
    assert revisions.dump(empty_url, like=before) == before


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_migration_that_has_nothing_to_do_takes_no_table(empty_url: str, tmp_path: Path) -> None:
    left_by(empty_url, SCHEMA)
    with psycopg.connect(empty_url) as holder:
        holder.execute("SELECT * FROM responses").fetchall()

        done = run("db", "upgrade", env=environment(tmp_path, DATABASE_URL=empty_url))

    assert done.exit_code == 0, done.stderr


# Other commands -----------------------------------------------------------------------------------


def test_plain_alembic_does_it_in_a_checkout(empty_url: str, tmp_path: Path) -> None:
    alembic = Path(sys.executable).with_name("alembic")
    env = environment(tmp_path, DATABASE_URL=empty_url)

    for verb in (["upgrade", "head"], ["check"], ["downgrade", "-1"], ["upgrade", "head"]):
        done = subprocess.run([alembic, *verb], cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr

    assert revision_of(empty_url) == SCHEMA


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("db", "upgrade"), ("db", "backup", "copy"), ("token", "admin")])
def test_a_newer_schema_is_refused_and_not_touched(empty_url: str, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    migrations.upgrade(empty_url)
    with revisions.connected(empty_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    env = environment(tmp_path, DATABASE_URL=empty_url)
    del env["CONFLICTO_ADMIN_TOKEN"]
    before = revisions.dump(empty_url)

    done = run_apart(*arguments, env=env) if arguments[0] == "serve" else run(*arguments, env=env)

    assert (done.returncode if arguments[0] == "serve" else done.exit_code) == 3
    assert "newer than" in done.stderr
    assert revisions.dump(empty_url) == before
    assert revision_of(empty_url) == "9999"


# Constraints behind the guarantees ----------------------------------------------------------------

PROMISES = {
    "responses": {("participant_id", "activity_id", "round", "slot"), ("session_id", "ts")},
    "participants": {("session_id", "nickname_key"), ("session_id", "updated_ts")},
    "activities": {("session_id", "updated_ts")},
    "sessions": {("join_code",)},
}
"""Unique indexes. They allow a response per slot, a revision per timestamp, a participant per
nickname and a session per join code."""

KEYS = {
    "sessions": ["id"], "participants": ["id"], "activities": ["id"], "responses": ["id"], "idempotency_keys": ["id"],
    "feed_heads": ["session_id"], "transitions": ["session_id", "number"], "activity_rounds": ["activity_id", "round"],
    "seat_links": ["id"], "meta": ["key"], "counters": ["name"],
}  # fmt: skip


@pytest.mark.parametrize("at", REVISIONS)
def test_every_constraint_that_a_promise_rests_on_is_there_after_every_migration(empty_url: str, at: str) -> None:
    migrations.upgrade(empty_url, at)

    with revisions.connected(empty_url) as connection:
        found = inspect(connection)
        for table, wanted in PROMISES.items():
            unique = {tuple(index["column_names"]) for index in found.get_indexes(table) if index["unique"]}
            assert wanted <= unique, table
        for table, columns in KEYS.items():
            assert found.get_pk_constraint(table)["constrained_columns"] == columns
        nullable = {
            (table, column["name"]) for table, columns in KEYS.items() for column in found.get_columns(table)
            if column["nullable"] and column["name"] in columns
        }  # fmt: skip
        assert nullable == set()


AGAIN = {
    "the same slot": ("responses", {"id": revisions.NONE, "ts": revisions.T + 9}),
    "the same timestamp": ("responses", {"id": revisions.NONE, "slot": revisions.FIRST}),
    "the same nickname": ("participants", {"id": 7, "updated_ts": revisions.T + 9}),
    "the same position of a seat": ("participants", {"id": 7, "nickname_key": "other"}),
    "the same live code": ("sessions", {"id": 7}),
    "the same key": ("idempotency_keys", {}),
}


@pytest.mark.parametrize("case", AGAIN)
def test_the_database_itself_refuses_what_would_break_a_promise(database_url: str, case: str) -> None:
    revisions.fill(database_url)
    table, changed = AGAIN[case]

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        revisions.add(database_url, table, revisions.ROWS[table][0] | changed)
