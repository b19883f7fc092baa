"""Restore drill: `python -m bench.restore_drill [MIB]`.

It fills a database of this size, backs it up, restores it, and starts a server on it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from bench import databases, servers
from bench.fill import ANSWERS_EACH, embedded, fill
from bench.scenario import create_scenario, require_stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1024
NOTE = 2_000
"""Characters of each answer. They are random, so that nothing compresses better than real text."""

SHARE = 4_500
"""Bytes of such an answer in SQLite, with its indexes. PostgreSQL needs half as many more."""


def main() -> None:
    """Print for each database its size and the time of each step.

    Verify that every answer survived.
    """
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else MIB
    with servers.scratch() as folder:
        _drill("SQLite", folder, "", mib)
    with servers.scratch() as folder, databases.postgres(folder) as url:
        _drill("PostgreSQL", folder, url, mib)


def _drill(name: str, folder: Path, database_url: str, mib: int) -> None:
    rows = mib * 2**20 // SHARE // ANSWERS_EACH * ANSWERS_EACH
    with servers.conflicto(folder, database_url=database_url) as server:
        scenario = create_scenario(server)
        activity = scenario.open_activity("many")
    fill(database_url or embedded(folder), folder, scenario, activity, rows, note=_note)
    print(f"{name}: {rows:,} answers, database {_size(folder, database_url) / 2**20:,.0f} MiB, load {os.getloadavg()[0]:.1f}")
    env, archive = servers.environment(folder, database_url), folder / "archive"
    with _timed_step(f"{name}: backup"):
        _run("backup", archive, env)
    print(f"{name}: archive {archive.stat().st_size / 2**20:,.0f} MiB")
    began = time.monotonic()
    with _timed_step(f"{name}: restore"):
        _run("restore", archive, env)
    with servers.conflicto(folder, database_url=database_url) as scenario.server:
        print(f"{name}: from the restore's beginning to a server that answers {time.monotonic() - began:.1f} s", flush=True)
        require_stored(scenario, activity, rows)
    print(f"{name}: all answers are there, load {os.getloadavg()[0]:.1f}", flush=True)


def _note() -> str:
    return secrets.token_urlsafe(NOTE * 3 // 4)


def _size(folder: Path, database_url: str) -> int:
    if not database_url:
        return sum(path.stat().st_size for path in folder.glob("conflicto.sqlite3*"))
    with psycopg.connect(database_url) as connection:
        (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return int(size)


def _run(command: str, archive: Path, env: dict[str, str]) -> None:
    subprocess.run([servers.PROGRAM, "db", command, archive], env=env, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own


@contextmanager
def _timed_step(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{what} {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
