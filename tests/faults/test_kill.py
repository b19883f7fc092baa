"""Repeated kills under load: acknowledged responses exist once after the next start."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.crowd import Crowd, gather
from tests.support.processes import environment, run, served

BETWEEN = 25
"""Acknowledged responses before the next kill."""

UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""A killed process cannot write its coverage."""


@pytest.mark.catalogue("F-01")
def test_kill_after_kill_loses_no_acknowledged_answer(
    stored: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest, counted: Callable[[str], None]
) -> None:
    kills = request.config.getoption("--kills")
    crowd: Crowd | None = None
    for _ in range(kills):
        with served(tmp_path, **stored, **UNMEASURED) as server:
            crowd = crowd or gather(server)
            assert crowd.lost(server) == {}
            threads = crowd.answer_until_it_breaks(server)
            crowd.wait_for(BETWEEN)
            server.kill()
            for thread in threads:
                thread.join()

    with served(tmp_path, **stored) as server:
        assert crowd is not None
        assert len(crowd.acknowledged) >= kills * BETWEEN
        assert crowd.lost(server) == {}
    check = run("db", "check", env=environment(tmp_path, **stored))
    assert check.exit_code == 0, check.stdout
    database = "PostgreSQL" if stored else "SQLite"
    counted(f"{database}: {kills} kills, {len(crowd.acknowledged)} acknowledged answers, 0 lost, 0 doubled")
