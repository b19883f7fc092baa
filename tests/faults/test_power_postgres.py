"""Power failures of PostgreSQL's machine under load: its disk holds all acknowledged responses."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest

from conflicto import migrations
from tests.support.crowd import Crowd, gather
from tests.support.ports import free_port
from tests.support.power import Disk
from tests.support.processes import Served, served
from tests.support.servers import Cluster, create_database

BETWEEN = 7
"""Acknowledged responses before the next cut."""

NAME = "cuts"
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder that the server's user may enter."""
    with tempfile.TemporaryDirectory(prefix="conflicto-power-") as name:
        yield Path(name)


@contextmanager
def powered(folder: Path, *, fsync: bool) -> Iterator[tuple[Cluster, Disk]]:
    """Yield a real server, and the disk that records its syncs."""
    cluster = Cluster(folder)
    cluster.create("--wal-segsize=1")
    cluster.start(free_port())
    assert cluster.answers()
    migrations.upgrade(create_database(cluster.url, NAME))
    cluster.stop()
    disk = Disk.below(folder, live=folder / "data")
    disk.begin_with_what_is_there()
    cluster.take(disk.folder)
    cluster.start(cluster.port, fsync=fsync, env=disk.environment, checkpoint_timeout="30s", max_wal_size="4MB")
    try:
        assert cluster.answers()
        yield cluster, disk
    finally:
        cluster.stop()


def left_by(cluster: Cluster, folder: Path) -> list[str] | None:
    """Start a server on the files after a cut; return the responses, or None without a start."""
    server = Cluster(folder)
    server.password = cluster.password
    server.take(folder / "data")
    (folder / "data/postmaster.pid").unlink(missing_ok=True)
    server.start(free_port(), fsync=False)
    try:
        if not server.answers():
            return None
        with psycopg.connect(f"{server.url.rpartition('/')[0]}/{NAME}") as connection:
            return [str(found) for (found,) in connection.execute("SELECT id FROM responses ORDER BY ts")]
    finally:
        server.stop()


def cuts(crowd: Crowd, cluster: Cluster, disk: Disk, count: int) -> Iterator[tuple[set[str], list[str] | None]]:
    """Cut the power repeatedly, every other time with torn files.

    Yields the acknowledged responses and the files.
    """
    rng, folder = Random(count), cluster.folder / "cut"
    for number in range(count):
        crowd.wait_for(BETWEEN)
        acknowledged = set(crowd.acknowledged)
        folder.mkdir()
        disk.cut_amid_syncs(folder / "data", rng, is_torn=number % 2 == 1)
        yield acknowledged, left_by(cluster, folder)
        shutil.rmtree(folder)


@contextmanager
def answered(folder: Path, *, fsync: bool) -> Iterator[tuple[Crowd, Served, Cluster, Disk]]:
    """Yield a crowd that responds continuously, and the server, cluster and disk behind it."""
    with open_folder() as place, powered(place, fsync=fsync) as (cluster, disk):
        url = f"{cluster.url.rpartition('/')[0]}/{NAME}"
        with served(folder, DATABASE_URL=url, **UNMEASURED) as server:
            crowd = gather(server)
            with crowd.answering(server):
                yield crowd, server, cluster, disk


@pytest.mark.catalogue("F-03")
def test_what_a_power_cut_leaves_of_postgres_has_all_that_was_acknowledged(
    tmp_path: Path, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    count = request.config.getoption("--kills")
    with answered(tmp_path, fsync=True) as (crowd, server, cluster, disk):
        lefts = list(cuts(crowd, cluster, disk, count))
        stored = [each["id"] for each in crowd.stored(server)]

    for acknowledged, answers in lefts:
        assert answers is not None, "the server starts"
        assert acknowledged - set(answers) == set()
        assert answers == stored[: len(answers)]
    counted(f"PostgreSQL: {count} power cuts, half of them with torn files, {len(stored)} answers, 0 of those acknowledged lost")


@pytest.mark.catalogue("F-03")
def test_a_server_that_does_not_sync_would_lose_answers(tmp_path: Path) -> None:
    """The control: without syncs, the same cut loses acknowledged responses."""
    with answered(tmp_path, fsync=False) as (crowd, _, cluster, disk):
        ((acknowledged, answers),) = cuts(crowd, cluster, disk, 1)
    assert answers is None or acknowledged - set(answers)
