"""Backups under load: each is a prefix of the feed with all earlier acknowledged responses."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conflicto.feed.timestamps import parse
from conflicto.platform.db.archive import open_archive
from tests.support.contents import contents
from tests.support.crowd import gather
from tests.support.processes import Served, environment, run, served

MIN_BACKUPS = 20
"""Number of backups; `--kills` raises it."""
BETWEEN = 5
"""Acknowledged responses before the next backup begins."""


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, DATABASE_URL=database_url) as server:
        yield server


def stamps_in(archive: Path) -> tuple[dict[str, int], int]:
    """Return the timestamp of every response in an archive, and the head of its session."""
    rows: dict[str, int] = {}
    head = 0
    with open_archive(archive) as whole:
        for section, found in whole.sections():
            for row in found:
                named = dict(zip(section.columns, row, strict=True))
                if section.table == "responses":
                    rows[named["id"]] = named["ts"]
                elif section.table == "feed_heads":
                    head = named["ts"]
    return rows, head


def test_every_backup_under_load_is_a_prefix_of_the_feed(
    server: Served, database_url: str, tmp_path: Path, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    env = environment(tmp_path, DATABASE_URL=database_url)
    crowd, backups = gather(server), max(MIN_BACKUPS, request.config.getoption("--kills"))
    taken: list[tuple[set[str], Path]] = []
    with crowd.answering(server):
        for number in range(backups):
            crowd.wait_for(BETWEEN)
            acknowledged, archive = {each.replace("-", "") for each in list(crowd.acknowledged)}, tmp_path / f"archive-{number}"
            done = run("db", "backup", archive, env=env)
            assert done.exit_code == 0, done.stderr
            taken.append((acknowledged, archive))

    feed = {item["id"].replace("-", ""): parse(item["updated_at"]).us for item in crowd.stored(server)}
    for acknowledged, archive in taken:
        rows, head = stamps_in(archive)
        assert acknowledged <= set(rows)
        assert rows == {each: ts for each, ts in feed.items() if ts <= head}
        assert head == max(rows.values())
    server.stop()
    rows, _ = stamps_in(taken[-1][1])
    assert run("db", "restore", taken[-1][1], env=env).exit_code == 0
    assert len(contents(database_url)["responses"]) == len(rows)
    check = run("db", "check", env=env)
    assert check.exit_code == 0, check.stdout
    counted(
        f"{database_url.partition(':')[0]}: {backups} backups beside {len(crowd.acknowledged)} answers, each a whole prefix of the feed"
    )
