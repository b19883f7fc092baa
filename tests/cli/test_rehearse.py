import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import Served, environment, run, served


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with served(tmp_path) as running:
        yield running


def session(server: Served) -> dict[str, Any]:
    made = server.call("POST", "/sessions", {"title": "Town hall"})
    server.call("PATCH", f"/sessions/{made['id']}", {"status": "active"})
    return made


def people(server: Served, made: dict[str, Any]) -> list[dict[str, Any]]:
    return server.call("GET", f"/sessions/{made['id']}/participants")["items"]


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_rehearsal_runs_its_time_and_leaves_nothing(server: Served, tmp_path: Path) -> None:
    made = session(server)

    done = run(
        "rehearse", made["join_code"], "--participants", "3", "--seconds", "4", "--url", server.url, env=environment(tmp_path)
    )

    assert done.exit_code == 0, done.output
    assert "3 scripted participants are in the session, which is active." in done.output
    assert people(server, made) == []


def test_who_is_kept_stays_and_a_second_rehearsal_is_refused(server: Served, tmp_path: Path) -> None:
    made, env = session(server), environment(tmp_path)
    options = ("--participants", "2", "--seconds", "3", "--keep", "--url", server.url)

    kept = run("rehearse", str(made["id"]), *options, env=env)
    again = run("rehearse", str(made["id"]), *options, env=env)

    assert kept.exit_code == 0, kept.output
    assert [each["scripted"] for each in people(server, made)] == [True, True]
    assert again.exit_code == 3
    assert "A rehearsal is in this session already" in again.stderr


def test_ctrl_c_clears_up(server: Served, tmp_path: Path) -> None:
    made = session(server)
    command = [sys.executable, "-m", "conflicto", "rehearse", str(made["id"]), "--participants", "5", "--url", server.url]
    # In the background, children of the tests would not receive Ctrl-C.
    with_signal = ["env", "--default-signal=INT"]
    running = subprocess.Popen(with_signal + command, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    until(lambda: people(server, made))

    os.kill(running.pid, signal.SIGINT)

    output, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, output
    assert "The scripted participants are gone" in output
    assert people(server, made) == []


def test_a_missing_server_and_a_missing_session_are_reported(server: Served, tmp_path: Path) -> None:
    made, env = session(server), environment(tmp_path)

    assert run("rehearse", "77", "--url", server.url, env=env).exit_code == 4
    assert run("rehearse", str(made["id"]), "--url", f"http://127.0.0.1:{free_port()}", env=env).exit_code == 3
