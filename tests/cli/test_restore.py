"""Restores: complete on either database, with a copy of the previous data."""

import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pysqlite3.dbapi2 as driver
import pytest
from sqlalchemy import Connection

from conflicto.access.identity import KEY_FILE
from conflicto.activities.session_types import store as session_types
from conflicto.activities.session_types.model import SessionType
from conflicto.app import App
from conflicto.platform.db.dialects import postgresql_restore
from conflicto.platform.db.metadata import SIGNING_KEY
from conflicto.results import store as results
from conflicto.results.store import RoundKey, Segment
from conflicto.settings import Settings
from tests.support import databases
from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.contents import OWN, contents, fact_of
from tests.support.cuts import Cut, cut_at
from tests.support.processes import environment, run, served

ODD = {"text": "é\u2028\\ \"'\n\t\x7f", "n": [1e-7, 2**53 - 1, True, None], "deep": [[[{}]]]}
FLIPS = 60
STEP = 29
"""Statements between two cuts of a restore. It has more than a hundred."""


async def _full(api: Api) -> dict[str, Any]:
    """Insert a row into every table."""
    event = await make_event(api, description="With everything")
    poll = await event.activity(status="active", secret={"right": 1}, aggregate={"votes": {"path": "/n/0", "op": "count"}})
    wall = await event.activity(status="published", config={"odd": ODD}, response_policy="many")
    anna, bert, cleo = [await event.join(name) for name in ("Anna", "Bert", "Ünïcödé 🎉")]
    key = {"idempotency-key": "the-first-answer"}
    accepted(await event.answer(poll, anna, ODD, headers=key), 201)
    accepted(await event.answer(poll, bert, "text"), 201)
    accepted(await event.answer(poll, bert, "other"), 200)
    accepted(await api.post(f"{event.path}/activities/{poll['id']}/rounds", {}, token=event.host))
    accepted(await event.answer(poll, cleo, 7), 201)
    accepted(await api.delete("/participants/me", bert.token), 204)
    accepted(await api.post("/participants/me/seat-link", {}, token=cleo.token), 201)
    apart = await event.activity(status="active", anonymous=True, min_group=3)
    accepted(await event.answer(apart, anna, "stays in the pool"), 201)
    accepted(await event.move(wall, "active"))
    gone = await event.activity()
    accepted(await api.delete(f"/activities/{gone['id']}", event.host), 204)
    counted = RoundKey(event.id, UUID(poll["id"]), 1)
    await api.app.domain.writer.run((), results.save_segment, counted, b"a basis that was", Segment(1, 2, 3), b"\x00state")
    await api.app.domain.writer.run(
        (), session_types.add, SessionType(event.id, "mood", "x" + 16 * "0", "1", 64 * "0", 4, 1), b"PK\xff\x00"
    )
    return {"event": event, "anna": anna, "poll": poll}


@pytest.fixture
async def story(settings: Settings) -> dict[str, Any]:
    """The history on this test's database, after its server has stopped."""
    async with App(settings).running() as app:
        return await _full(Api(app))


@pytest.fixture
def env(settings: Settings, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, DATABASE_URL=settings.database_url)


@pytest.fixture
def archive(story: dict[str, Any], env: dict[str, str], tmp_path: Path) -> Path:
    done = run("db", "backup", tmp_path / "archive", env=env)
    assert done.exit_code == 0, done.stderr
    return tmp_path / "archive"


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an empty installation, on either database in turn."""
    folder = tmp_path / "elsewhere"
    if request.param == "sqlite":
        yield environment(folder, DATABASE_URL=f"sqlite:///{folder}/conflicto.sqlite3")
        return
    request.getfixturevalue("postgres_template")
    with databases.postgres_copy(request.getfixturevalue("postgres_url"), empty=True) as url:
        yield environment(folder, DATABASE_URL=url)


@pytest.fixture
def reads(story: dict[str, Any]) -> Callable[[dict[str, str]], Awaitable[list[Any]]]:
    """Return what all readers see of the history, without the effects of a new epoch."""

    async def read(env: dict[str, str]) -> list[Any]:
        settings = Settings(database_url=env["DATABASE_URL"], data_dir=Path(env["CONFLICTO_DATA_DIR"]), rate_limits=False)
        event, anna = story["event"], story["anna"]
        async with App(settings).running() as app:
            found = []
            for path in ("", "/status", "/activities", "/transitions", "/changes/since/0?limit=1000",
                         f"/activities/{story['poll']['id']}/results?round=1"):  # fmt: skip
                for token in (event.host, event.screen, anna.token):
                    answer = await Api(app).get(event.path + path, token)
                    body = answer.json()
                    for own in ("epoch", "cursor", "request_id", "instance"):
                        body.pop(own, None)
                    found.append((path, answer.status_code, json.dumps(body)))
            return found

    return read


async def test_every_row_comes_back_on_either_database(
    archive: Path, env: dict[str, str], elsewhere: dict[str, str], reads: Any
) -> None:
    before, reads_before = contents(env["DATABASE_URL"]), await reads(env)
    assert [name for name, rows in before.items() if not rows] == []

    done = run("db", "restore", archive, env=elsewhere)

    assert done.exit_code == 0, done.stderr
    assert "1 sessions, 3 participants, 3 responses" in done.stdout
    assert contents(elsewhere["DATABASE_URL"]) == before
    check = run("db", "check", env=elsewhere)
    assert check.exit_code == 0, check.stdout
    assert await reads(elsewhere) == reads_before
    assert fact_of(elsewhere["DATABASE_URL"], "epoch") != fact_of(env["DATABASE_URL"], "epoch")


async def test_what_was_there_is_kept(archive: Path, env: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    async with App(settings).running() as app:
        await make_event(Api(app))
    lost = contents(settings.database_url)

    done = run("db", "restore", archive, env=env)

    assert done.exit_code == 0, done.stderr
    kept = done.stdout.rpartition("kept: ")[2].strip()
    assert len(contents(settings.database_url)["sessions"]) == 1
    if settings.is_embedded:
        assert contents(f"sqlite:///{kept}") == lost
        assert [path for path in tmp_path.iterdir() if "restoring" in path.name] == []  # noqa: ASYNC240
    else:
        schema = kept.removeprefix("schema ")
        with psycopg.connect(settings.database_url) as connection:
            (found,) = connection.execute(f"SELECT count(*) FROM {schema}.sessions").fetchone()  # noqa: S608
        assert found == len(lost["sessions"]) == 2


def test_looking_into_an_archive_changes_nothing(archive: Path, env: dict[str, str], tmp_path: Path) -> None:
    before = contents(env["DATABASE_URL"], without=set())

    done = run("db", "restore", archive, "--look", env=env)

    assert done.exit_code == 0, done.stderr
    assert "1 sessions, 3 participants, 3 responses" in done.stdout
    assert contents(env["DATABASE_URL"], without=set()) == before


# Refusals -----------------------------------------------------------------------------------------


def _refused(archive: Path, env: dict[str, str]) -> str:
    before = contents(env["DATABASE_URL"], without=set())
    done = run("db", "restore", archive, env=env)
    assert done.exit_code == 3, (done.stdout, done.exception)
    assert contents(env["DATABASE_URL"], without=set()) == before
    return done.stderr


def test_a_cut_or_changed_archive_is_refused(archive: Path, env: dict[str, str], tmp_path: Path) -> None:
    whole, chance, broken = archive.read_bytes(), Random(7), tmp_path / "broken"
    cuts = [0, 1, 100, len(whole) // 2, len(whole) - 65, len(whole) - 64, len(whole) - 1]
    flips = [chance.randrange(len(whole) * 8) for _ in range(FLIPS)]

    messages = []
    for cut in cuts:
        broken.write_bytes(whole[:cut])
        messages.append(_look(broken, env))
    for flip in flips:
        changed = bytearray(whole)
        changed[flip // 8] ^= 1 << flip % 8
        broken.write_bytes(changed)
        messages.append(_look(broken, env))
    broken.write_bytes(whole + b"\n")
    messages.append(_look(broken, env))

    assert [each for each in messages if not ("damaged" in each or "not an archive" in each or "later version" in each)] == []
    assert "checksum" in _refused(broken, env)


def _look(archive: Path, env: dict[str, str]) -> str:
    done = run("db", "restore", archive, "--look", env=env)
    assert done.exit_code == 3, (done.stdout, done.exception)
    return done.stderr


def _resealed(archive: Path, **header: Any) -> None:
    """Change an archive's first line, and adjust its checksum."""
    first, rest = archive.read_bytes().split(b"\n", 1)
    changed = json.dumps(json.loads(first) | header).encode() + b"\n" + rest[:-64]
    archive.write_bytes(changed + sha256(changed).hexdigest().encode())


def test_an_archive_of_a_newer_program_is_refused(archive: Path, env: dict[str, str]) -> None:
    _resealed(archive, schema="9999", program="7.0")
    assert "written by version 7.0" in _refused(archive, env)

    _resealed(archive, version=2)
    assert "later version" in _refused(archive, env)

    _resealed(archive, version=1, made_us="yesterday")
    assert "damaged" in _refused(archive, env)


def test_an_archive_that_does_not_fit_its_schema_is_refused_midway(archive: Path, env: dict[str, str]) -> None:
    _resealed(archive, schema="0001")

    assert "Schema 0001 has no table" in _refused(archive, env)


def test_a_bare_copy_of_the_file_is_refused_with_the_reason(sqlite_template: Path, tmp_path: Path) -> None:
    url = databases.sqlite_copy(sqlite_template, tmp_path)
    shutil.copy(tmp_path / "conflicto.sqlite3", tmp_path / "copy")

    assert "may lack the content of its -wal file" in _refused(tmp_path / "copy", environment(tmp_path, DATABASE_URL=url))


async def test_a_database_in_use_is_refused(archive: Path, settings: Settings, env: dict[str, str], tmp_path: Path) -> None:
    with served(tmp_path, DATABASE_URL=settings.database_url) as server:
        done = run("db", "restore", archive, env=env)
        assert done.exit_code == 3
        assert "Stop" in done.stderr
        server.call("POST", "/sessions", {"title": "Still here"})

    assert run("db", "restore", archive, env=env).exit_code == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_ends_meanwhile_is_awaited(archive: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    last = psycopg.connect(env["DATABASE_URL"], application_name="conflicto")
    counts = []

    def counted(connection: Connection) -> int:
        counts.append(count(connection))
        last.close()
        return counts[-1]

    count = postgresql_restore._other_connections
    monkeypatch.setattr(postgresql_restore, "_other_connections", counted)

    assert run("db", "restore", archive, env=env).exit_code == 0
    assert (counts[0], counts[-1]) == (1, 0)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_of_a_newer_program_is_left_alone(archive: Path, env: dict[str, str]) -> None:
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert "schema 9999" in _refused(archive, env)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_beyond_reading_is_replaced_and_kept(archive: Path, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "conflicto.sqlite3").write_bytes(b"no database " * 1000)

    done = run("db", "restore", archive, env=env)

    assert done.exit_code == 0, done.stderr
    kept = Path(done.stdout.rpartition("kept: ")[2].strip())
    assert kept.read_bytes().startswith(b"no database")
    assert run("db", "check", env=env).exit_code == 0


def test_a_restore_that_is_cut_anywhere_has_not_happened(archive: Path, env: dict[str, str], tmp_path: Path) -> None:
    before = contents(env["DATABASE_URL"], without=set())
    restored = {name: rows for name, rows in before.items() if name not in OWN}
    done, number = None, 1
    while done is None or done.exit_code:
        with cut_at(number) as seen:
            done = run("db", "restore", archive, env=env)
        if done.exit_code:
            assert isinstance(done.exception, Cut), done.exception
            left = contents(env["DATABASE_URL"], without=set())
            if left != before:  # the restore is complete except for the removal of the archive's key
                assert SIGNING_KEY in dict(left["meta"]), seen[-1]
                assert contents(env["DATABASE_URL"]) == restored
                before = left
            number += STEP

    assert number > 4 * STEP
    assert contents(env["DATABASE_URL"]) == restored
    assert [path for path in tmp_path.iterdir() if "restoring" in path.name] == []


# Keys ---------------------------------------------------------------------------------------------


def test_the_key_comes_along_and_another_one_is_kept_aside(archive: Path, elsewhere: dict[str, str], tmp_path: Path) -> None:
    folder = Path(elsewhere["CONFLICTO_DATA_DIR"])
    folder.mkdir()
    (folder / KEY_FILE).write_text("another key of some other installation")

    done = run("db", "restore", archive, env=elsewhere)

    assert done.exit_code == 0, done.stderr
    if elsewhere["DATABASE_URL"].startswith("sqlite"):
        aside = next(folder.glob(f"{KEY_FILE}.before_restore_*"))
        assert aside.read_text().startswith("another key")
        assert str(aside) in done.stdout
        assert fact_of(elsewhere["DATABASE_URL"], "signing_key") is None
        assert len((folder / KEY_FILE).read_text()) == 64
    else:
        assert len(fact_of(elsewhere["DATABASE_URL"], "signing_key") or "") == 64


def test_restoring_twice_keeps_the_key_and_everything_else(archive: Path, env: dict[str, str]) -> None:
    assert run("db", "restore", archive, env=env).exit_code == 0
    once = contents(env["DATABASE_URL"])

    assert run("db", "restore", archive, env=env).exit_code == 0

    assert contents(env["DATABASE_URL"]) == once


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_file_that_was_there_is_one_file_and_opens(archive: Path, env: dict[str, str], tmp_path: Path) -> None:
    assert run("db", "restore", archive, env=env).exit_code == 0

    (kept,) = tmp_path.glob("*.before_restore_*")
    with driver.connect(str(kept)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
