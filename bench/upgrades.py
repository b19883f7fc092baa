"""Cost of migrations of a large database: `python -m bench.upgrades [ROWS]`.

It downgrades a database to each earlier schema and upgrades it again.

Meanwhile one writer commits rows of answers, and records the longest time between two commits.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, text

from bench import databases, servers
from bench.fill import embedded, fill
from bench.scenario import create_scenario
from conflicto import migrations
from conflicto.platform.db.engine import Database
from conflicto.platform.db.tables import Uuid16
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.ids import ordered_uuids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 1_000_000
PATIENT = Timeouts(lock_s=900.0, statement_s=3600.0)
BETWEEN_S = 0.005
AROUND_S = 0.5
"""Seconds of writes before and after an upgrade."""

STAMP = text("UPDATE feed_heads SET ts = ts + 1 WHERE session_id = :session RETURNING ts")
ANSWER = text(
    "INSERT INTO responses (id, session_id, activity_id, participant_id, round, slot, ts, created_ts, received_us, revision, deleted,"
    " moderation, was_visible, response_text) VALUES (:id, :session, :id, 1, 1, :id, :ts, :ts, :ts, 1, false, 'visible', true, '1')"
).bindparams(bindparam("id", type_=Uuid16))


def main() -> None:
    """Print for each database and revision the duration of the upgrade and the longest pause."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with servers.scratch() as folder:
        _measure("SQLite", folder, "", rows)
    with servers.scratch() as folder, databases.postgres(folder) as url:
        _measure("PostgreSQL", folder, url, rows)


def _measure(name: str, folder: Path, database_url: str, rows: int) -> None:
    with servers.conflicto(folder, database_url=database_url) as server:
        scenario = create_scenario(server)
        activity = scenario.open_activity("many")
    url = database_url or embedded(folder)
    fill(url, folder, scenario, activity, rows)
    history = migrations.known_revisions()
    print(f"{name}: {rows:,} answers, load {os.getloadavg()[0]:.1f}", flush=True)
    for revision in reversed(history[:-1]):
        began = time.monotonic()
        migrations.downgrade(url, revision)
        print(f"{name}: back to {revision} in {time.monotonic() - began:.2f} s", flush=True)
    for revision in history[1:]:
        _upgrade(name, url, scenario.id, revision)
    migrations.downgrade(url, history[0])
    _upgrade(name, url, scenario.id, "head")
    print(f"{name}: load {os.getloadavg()[0]:.1f}", flush=True)


def _upgrade(name: str, url: str, session_id: int, revision: str) -> None:
    with _writing(url, session_id) as commits:
        time.sleep(AROUND_S)
        began = time.monotonic()
        migrations.upgrade(url, revision)
        took = time.monotonic() - began
        time.sleep(AROUND_S)
    pause = max(after - before for before, after in pairwise(commits))
    print(f"{name}: up to {revision} in {took:.2f} s, longest pause {pause * 1e3:.0f} ms of {len(commits)} commits", flush=True)


@contextmanager
def _writing(url: str, session_id: int) -> Iterator[list[float]]:
    """Commit rows while the block runs. Yield the times of the commits, s."""
    commits: list[float] = []
    done = threading.Event()

    def write() -> None:
        db = Database(url, timeouts=PATIENT)
        while not done.wait(BETWEEN_S):
            with db.writer_connection() as connection, connection.begin():
                ts = connection.execute(STAMP, {"session": session_id}).scalar_one()
                connection.execute(ANSWER, {"id": next(ordered_uuids(ts, 1)), "session": session_id, "ts": ts})
            commits.append(time.monotonic())
        db.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield commits
    finally:
        done.set()
        writer.join()


if __name__ == "__main__":
    main()
