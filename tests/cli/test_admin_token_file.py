"""Places of a generated admin token: a terminal or a private file, never a log."""

import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import PLAIN, environment, run, run_apart, served

UNSET = {"CONFLICTO_ADMIN_TOKEN": ""}


def opens(url: str, token: str) -> bool:
    return httpx2.get(f"{url}/api/v1/sessions", headers={"authorization": f"Bearer {token}"}, **PLAIN).is_success


def test_without_a_terminal_the_token_lies_in_a_private_file_that_the_log_names(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with served(folder, **UNSET) as first:
        file = folder / "admin-token"
        token = file.read_text().strip()
        assert opens(first.url, token)
        assert first.stop() is not None
    with served(folder, **UNSET) as again:
        assert opens(again.url, token)
        assert file.read_text().strip() == token
    log = first.log.read_text()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir() if path.name.startswith("admin-token")] == ["admin-token"]
    assert token not in log
    assert log.count(f"the token is in {file}") == 2


def test_a_token_that_cannot_be_kept_is_not_logged_either(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "admin-token").mkdir(parents=True)
    (folder / "admin-token" / "in-the-way").touch()
    with served(folder, **UNSET) as server:
        log = server.log.read_text()

    assert re.search(r"the token could not be written to \S+/admin-token: .+`conflicto token admin` makes a new one", log)
    assert not re.search(r"#admin=[A-Za-z0-9_-]", log)
    assert [path.name for path in folder.iterdir() if path.name.startswith("admin-token")] == ["admin-token"]


def test_a_given_token_is_neither_logged_nor_written(tmp_path: Path) -> None:
    with served(tmp_path / "data", CONFLICTO_ADMIN_TOKEN="given-by-the-operator") as server:
        log = server.log.read_text()

    assert "given-by-the-operator" not in log
    assert "CONFLICTO_ADMIN_TOKEN" in log
    assert not (tmp_path / "data" / "admin-token").exists()


def test_at_a_terminal_one_click_stays_and_no_file_is_made(tmp_path: Path) -> None:
    folder, (master, terminal) = tmp_path / "data", pty.openpty()
    command = [sys.executable, "-m", "conflicto", "serve", "--port", str(free_port())]
    env = environment(folder, **UNSET) | {"TERM": "dumb", "COLUMNS": "200"}
    server = subprocess.Popen(command, env=env, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    try:
        shown = b""
        while b"now" not in shown:
            shown += os.read(master, 4096)
    finally:
        server.kill()
        server.wait(PATIENCE_S)
        os.close(master)

    assert re.search(r"Host URL: +http://127\.0\.0\.1:\d+/#admin=[A-Za-z0-9_-]{40,}", shown.decode())
    assert not (folder / "admin-token").exists()


@pytest.mark.parametrize("has_file", [True, False])
def test_a_new_token_takes_the_place_of_the_one_in_the_file(tmp_path: Path, has_file: bool) -> None:
    folder, env = tmp_path / "data", environment(tmp_path / "data", **UNSET)
    with served(folder, **UNSET):
        pass
    file = folder / "admin-token"
    old = file.read_text().strip()
    if not has_file:
        file.unlink()

    made = run_apart("token", "admin", "--json", env=env).stdout

    assert old not in made
    assert file.exists() is has_file
    if has_file:
        assert file.read_text().strip() in made
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("token", "admin", env=environment(folder)).exit_code == 2
