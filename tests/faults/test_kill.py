"""The server is killed again and again while everyone answers: what was acknowledged is there at the next start, once."""

from pathlib import Path

from tests.support.crowd import Crowd, gather
from tests.support.processes import environment, run, served

KILLS = 20
BETWEEN = 25
"""Answers that are acknowledged before the next kill."""

UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""What is killed cannot write down which lines it ran."""


def test_kill_after_kill_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    crowd: Crowd | None = None
    for _ in range(KILLS):
        with served(tmp_path, **UNMEASURED) as server:
            crowd = crowd or gather(server)
            assert crowd.lost(server) == {}
            threads = crowd.answer_until_it_breaks(server)
            crowd.wait_for(BETWEEN)
            server.kill()
            for thread in threads:
                thread.join()

    with served(tmp_path) as server:
        assert crowd is not None
        assert len(crowd.acknowledged) >= KILLS * BETWEEN
        assert crowd.lost(server) == {}
    check = run("db", "check", env=environment(tmp_path))
    assert check.exit_code == 0, check.stdout
