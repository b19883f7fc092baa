"""Restart of PostgreSQL under load: only 503 meanwhile, and no acknowledged response is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conflicto import migrations
from tests.support.crowd import PHONES, Crowd, gather
from tests.support.processes import Served, served
from tests.support.servers import create_database, postgres_cluster

BACK_S = 1.0
"""Time from PostgreSQL's first connection to the first acknowledgement."""


@contextmanager
def restarted(tmp_path: Path) -> Iterator[tuple[Served, Crowd, float]]:
    """Yield a server after a crash of its PostgreSQL, the crowd, and when PostgreSQL was back."""
    with postgres_cluster() as cluster:
        url = create_database(cluster.url, "crashes")
        migrations.upgrade(url)
        with served(tmp_path, DATABASE_URL=url) as server:
            crowd = gather(server)
            with crowd.answering(server):
                crowd.wait_for(100)
                cluster.crash()
                crowd.wait_until(lambda: len(crowd.refused) > 3 * PHONES)
                cluster.start(cluster.port)
                assert cluster.answers()
                back_s = time.monotonic()
                crowd.wait_until(lambda: crowd.acked_s[-1] > back_s)
                crowd.wait_for(100)
            yield server, crowd, back_s


@pytest.mark.catalogue("F-09")
def test_a_crash_of_postgres_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    with restarted(tmp_path) as (server, crowd, _):
        assert {status for status, _ in crowd.refused} == {503}
        assert crowd.lost(server) == {}


@pytest.mark.catalogue("F-09")
@pytest.mark.timed
def test_answers_are_taken_again_soon_after_a_crash_of_postgres(tmp_path: Path) -> None:
    with restarted(tmp_path) as (_, crowd, back_s):
        assert min(each for each in crowd.acked_s if each > back_s) - back_s < BACK_S
