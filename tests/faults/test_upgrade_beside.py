"""Repeated migrations under a running server: no refusals, no losses, no long waits."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

import conflicto.results.tables  # noqa: F401 - with the tables that are imported by others
from conflicto.platform.db.tables import metadata_obj
from tests.support.crowd import Crowd, gather
from tests.support.next_schema import NextSchema
from tests.support.processes import PLAIN, Served, environment, run_apart, served

TIMES = 5
READERS = 2
BETWEEN = 10
MAX_PAUSE_S = 1.0


@contextmanager
def reading(server: Served, crowd: Crowd) -> Iterator[Counter[int]]:
    """Read the tables as hosts during the block; yields the number of responses by status."""
    statuses: Counter[int] = Counter()
    done = threading.Event()
    session = f"/api/v1/sessions/{crowd.session_id}"
    paths = [f"/api/v1{crowd.path}/responses?limit=50", f"{session}/participants", f"{session}/changes/since/0", session]

    def host() -> None:
        with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {crowd.host}"}, timeout=20, **PLAIN) as http:
            while not done.wait(0.02):
                statuses.update(http.get(path).status_code for path in paths)

    threads = [threading.Thread(target=host) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("order", [1, -1], ids=["forward", "backward"])
def test_a_running_program_works_on_while_a_newer_one_migrates(
    postgres_database: str, tmp_path: Path, order: int, counted: Callable[[str], None]
) -> None:
    newer = NextSchema(tmp_path / "next", postgres_database, sorted(metadata_obj.tables)[::order])
    with served(tmp_path / "data", DATABASE_URL=postgres_database) as server:
        crowd = gather(server)
        pauses = []
        with reading(server, crowd) as statuses, crowd.answering(server):
            crowd.wait_for(BETWEEN)
            for _ in range(TIMES):
                for migrate in (newer.upgrade, newer.downgrade):
                    began = len(crowd.acked_s) - 1
                    migrate()
                    crowd.wait_for(BETWEEN)
                    times = crowd.acked_s[began:]
                    pauses.append(max(after - before for before, after in pairwise(times)))

        assert crowd.refused == []
        assert set(statuses) == {200}
        assert max(pauses) < MAX_PAUSE_S
        assert crowd.lost(server) == {}
    counted(
        f"PostgreSQL: {2 * TIMES} migrations of every table beside {len(crowd.acknowledged)} answers and {statuses.total()} reads, "
        f"0 refused, longest pause {max(pauses) * 1e3:.0f} ms"
    )


def lacks(server: Served) -> str | None:
    """Return the missing dependency of a server, None if it is ready."""
    readiness = httpx2.get(f"{server.url}/health/ready", **PLAIN).json()
    return readiness.get("dependency")


def test_what_is_begun_after_the_migration_is_the_newer_program(postgres_database: str, tmp_path: Path) -> None:
    newer = NextSchema(tmp_path / "next", postgres_database, sorted(metadata_obj.tables))
    with served(tmp_path / "data", DATABASE_URL=postgres_database) as server:
        crowd = gather(server)
        newer.upgrade()

        done = run_apart("serve", "--port", "0", env=environment(tmp_path / "other", DATABASE_URL=postgres_database))

        assert done.returncode == 3
        assert "newer than" in done.stderr
        with crowd.answering(server):
            crowd.wait_for(BETWEEN)
        crowd.wait_until(lambda: lacks(server) == "schema")
        assert crowd.lost(server) == {}
        newer.downgrade()
