import gzip
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from conflicto.app import App
from conflicto.platform.db.schema import SCHEMA
from conflicto.platform.db.tables import metadata_obj
from tests.support.api import Api, make_event
from tests.support.contents import fact_of
from tests.support.processes import environment, run


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, DATABASE_URL=database_url)


async def _answered(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    for name in ("Anna", "Bert"):
        await event.answer(poll, await event.join(name), {"choice": name})


async def test_check_finds_a_healthy_database_healthy(api: Api, env: dict[str, str]) -> None:
    await _answered(api)

    done = run("db", "check", "--json", env=env)

    assert done.exit_code == 0, done.stdout
    found = json.loads(done.stdout)
    assert found["ok"]
    assert {"schema", "version", "durability", "counters"} <= {each["name"] for each in found["checks"]}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


DAMAGES = {
    "UPDATE activity_rounds SET live = 3, visible = 1": "counter 3 live and 1 visible responses, rows 2 and 2",
    "UPDATE feed_heads SET participants = 9, activities = 0": "participants counter 9, rows 2",
    "UPDATE feed_heads SET responses = 5": "responses counter 5, rows 2",
    "UPDATE feed_heads SET ts = 5": "head 5 is behind its newest response",
    "UPDATE counters SET value = 7 WHERE name = 'sessions'": "sessions: counter 7, rows 1",
}


async def test_check_lists_every_counter_that_differs(api: Api, app: App, env: dict[str, str]) -> None:
    await _answered(api)
    _damage(app, *DAMAGES)

    done = run("db", "check", env=env)

    assert done.exit_code == 1
    assert [message for message in DAMAGES.values() if message not in done.stdout] == []
    assert "WRONG counters" in done.stdout


def test_check_of_another_schema_reports_it_and_stops(app: App, env: dict[str, str]) -> None:
    _damage(app, "UPDATE alembic_version SET version_num = '0000'")

    done = run("db", "check", env=env)

    assert done.exit_code == 1
    assert "0000, this program needs" in done.stdout
    assert "counters" not in done.stdout


def _damage(app: App, *statements: str) -> None:
    with app.platform.db.writer_connection() as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement))


async def test_a_backup_is_whole_private_and_never_overwrites(api: Api, env: dict[str, str], tmp_path: Path) -> None:
    await _answered(api)
    copy = tmp_path / "backup"

    done = run("db", "backup", copy, env=env)

    assert done.exit_code == 0, done.stderr
    assert "1 sessions, 2 participants, 2 responses" in done.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert "backup.partial" not in names(tmp_path)
    whole = copy.read_bytes()
    refused = run("db", "backup", copy, env=env)
    assert (refused.exit_code, copy.read_bytes()) == (2, whole)
    assert "exists" in refused.stderr
    assert run("db", "backup", copy, "--force", env=env).exit_code == 0
    assert copy.read_bytes() != whole


async def test_a_backup_describes_itself_and_can_be_read_without_conflicto(api: Api, env: dict[str, str], tmp_path: Path) -> None:
    await _answered(api)
    copy = tmp_path / "backup"
    assert run("db", "backup", copy, env=env).exit_code == 0

    first, packed = copy.read_bytes().split(b"\n", 1)
    lines = [json.loads(line) for line in gzip.decompress(packed[:-64]).splitlines()]

    header = json.loads(first)
    assert (header["format"], header["version"], header["schema"]) == ("conflicto-archive", 1, SCHEMA)
    assert header["epoch"] == fact_of(env["DATABASE_URL"], "epoch")
    assert {line["table"] for line in lines if "table" in line} == set(metadata_obj.tables)
    assert (lines[-1]["rows"]["participants"], lines[-1]["rows"]["responses"]) == (2, 2)


def test_a_backup_that_cannot_be_written_leaves_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    done = run("db", "backup", tmp_path / "nowhere/backup", env=environment(tmp_path, DATABASE_URL=f"sqlite:///{sqlite_template}"))

    assert done.exit_code == 3
    assert "No such file or directory" in done.stderr


def test_a_backup_of_a_damaged_database_leaves_the_earlier_one_alone(sqlite_template: Path, tmp_path: Path) -> None:
    damaged, copy = tmp_path / "damaged.sqlite3", tmp_path / "backup"
    pages = bytearray(sqlite_template.read_bytes())
    pages[3 * 4096 : 3 * 4096 + 8] = b"\xff" * 8
    damaged.write_bytes(pages)
    copy.write_bytes(b"earlier")
    env = environment(tmp_path, DATABASE_URL=f"sqlite:///{damaged}")

    done = run("db", "backup", copy, "--force", env=env)

    assert done.exit_code == 3
    assert "damaged" in done.stderr or "malformed" in done.stderr
    assert copy.read_bytes() == b"earlier"
    checked = run("db", "check", env=env)
    assert (checked.exit_code, "cannot be read" in checked.stderr) == (3, True)


def test_nothing_is_made_where_there_is_no_database(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"

    for command in (("db", "check"), ("export", "5"), ("token", "host", "5")):
        done = run(*command, env=environment(folder))
        assert done.exit_code == 3
        assert "There is no database at" in done.stderr

    assert not folder.exists()
