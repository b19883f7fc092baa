"""Backups and restores killed at any step: one complete database with its key remains."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support import databases
from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.contents import contents
from tests.support.killed import kill_at, steps_of
from tests.support.patience import PATIENCE_S
from tests.support.processes import environment, run


class Installation:
    """An installation with its own database and key, and a session that its host can read."""

    def __init__(self, folder: Path, url: str) -> None:
        self.env = environment(folder, DATABASE_URL=url)
        self.settings = Settings(database_url=url, data_dir=folder, rate_limits=False, pool_size=2, max_overflow=1)
        self.archive = folder / "archive"
        self.path = self.host = ""

    async def live(self, name: str) -> None:
        """Create a session and copy everything to `archive`."""
        async with App(self.settings).running() as app:
            event = await make_event(Api(app))
            wall = await event.activity(status="active", response_policy="many")
            anna = await event.join(name)
            accepted(await event.answer(wall, anna, name), 201)
            self.path, self.host = event.path, event.host
        self.restore(self.archive, copied=True)

    def restore(self, archive: Path, *, copied: bool = False) -> None:
        done = run("db", "backup", archive, env=self.env) if copied else run("db", "restore", archive, env=self.env)
        assert done.exit_code == 0, done.stderr

    async def serves(self, other: "Installation") -> bool:
        """Return whether the host of `other` can read its session here with its token."""
        async with App(self.settings).running() as app:
            answer = await Api(app).get(f"{other.path}/changes/since/0", token=other.host)
        if answer.status_code == 200:
            assert [item["entity"] for item in accepted(answer)["items"]].count("response") == 1
        return answer.status_code == 200


@pytest.fixture
async def lost(tmp_path: Path) -> Installation:
    """An installation whose archive is restored."""
    folder = tmp_path / "lost"
    house = Installation(folder, f"sqlite:///{folder}/conflicto.sqlite3")
    assert run("db", "upgrade", env=house.env).exit_code == 0
    await house.live("Anna")
    return house


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:  # type: ignore[misc]
    """The target of the restore, with its own session and key."""
    folder = tmp_path / "house"
    folder.mkdir()
    if request.param == "sqlite":
        house = Installation(folder, databases.sqlite_copy(request.getfixturevalue("sqlite_template"), folder))
        await house.live("Bert")
        yield house
        return
    request.getfixturevalue("postgres_template")
    with databases.postgres_copy(request.getfixturevalue("postgres_url")) as url:
        house = Installation(folder, url)
        await house.live("Bert")
        yield house


def rolled_back(url: str) -> None:
    """Wait until PostgreSQL has noticed the death of its client."""
    if url.startswith("sqlite"):
        return
    until = time.monotonic() + PATIENCE_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'conflicto'").fetchone() != (0,):
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.mark.catalogue("F-04")
async def test_a_restore_that_is_killed_leaves_one_whole_database_that_is_served(
    house: Installation, lost: Installation, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    url, kills, chance = house.env["DATABASE_URL"], request.config.getoption("--kills"), Random(5)
    steps = steps_of("db", "restore", lost.archive, env=house.env)
    new = contents(url)
    house.restore(house.archive)
    named = next((number for number, step in enumerate(steps, start=1) if "restoring conflicto" in step), len(steps))
    after = range(named + 1, len(steps) + 1)  # empty on PostgreSQL, where the commit is the last step
    points = [named, *chance.sample(after, min(kills // 2, len(after)))]
    points += [chance.randrange(1, named) for _ in range(kills - len(points))]

    for point in points:
        before = contents(url, without=set())
        at = kill_at(point, "db", "restore", lost.archive, env=house.env)
        rolled_back(url)

        if contents(url, without=set()) == before:
            assert await house.serves(house), at
            assert not await house.serves(lost), at
        else:
            assert contents(url) == new, at
            assert await house.serves(lost), at
            assert not await house.serves(house), at
        house.restore(lost.archive)
        assert contents(url) == new, at
        assert await house.serves(lost), at
        house.restore(house.archive)
    check = run("db", "check", env=house.env)
    assert check.exit_code == 0, check.stdout
    name = "SQLite" if house.settings.is_embedded else "PostgreSQL"
    counted(f"{name}: a restore killed {len(points)} times, at {len(steps)} steps to choose from, 0 half databases")


@pytest.mark.catalogue("F-04")
async def test_a_backup_that_is_killed_leaves_no_file_that_passes_as_whole(
    house: Installation, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    kills, chance, earlier = request.config.getoption("--kills"), Random(6), house.archive.read_bytes()
    command = ("db", "backup", "--force", house.archive)
    steps = steps_of(*command, env=house.env)
    named = next(number for number, step in enumerate(steps, start=1) if step.startswith("os.rename"))
    partial = house.archive.with_name("archive.partial")
    points = [named, *(chance.randrange(1, named) for _ in range(kills - 1))]
    for point in points:
        house.archive.write_bytes(earlier)
        partial.unlink(missing_ok=True)
        at = kill_at(point, *command, env=house.env)

        assert house.archive.read_bytes() == earlier, at
        if partial.exists() and point < named:
            assert run("db", "restore", "--look", partial, env=house.env).exit_code == 3, at
        house.restore(house.archive.with_name("next"), copied=True)
        house.archive.with_name("next").unlink()
    steps_of(*command, env=house.env)
    assert [path.name for path in house.archive.parent.glob("archive*")] == ["archive"]
    name = "SQLite" if house.settings.is_embedded else "PostgreSQL"
    counted(f"{name}: a backup killed {len(points)} times, 0 files that pass as whole")
