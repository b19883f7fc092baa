"""Restart of PostgreSQL under load: only 503 meanwhile, and no acknowledged response is lost."""

import time
from pathlib import Path

import pytest

from conflicto import migrations
from tests.support.crowd import PHONES, gather
from tests.support.processes import served
from tests.support.servers import create_database, postgres_cluster

BACK_S = 1.0
"""Time from PostgreSQL's first connection to the first acknowledgement."""


@pytest.mark.catalogue("F-09")
def test_a_crash_of_postgres_loses_no_acknowledged_answer(tmp_path: Path) -> None:
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

            assert {status for status, _ in crowd.refused} == {503}
            assert min(each for each in crowd.acked_s if each > back_s) - back_s < BACK_S
            assert crowd.lost(server) == {}
