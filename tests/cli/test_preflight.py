"""Faults found before a start: one sentence with the remedy, and exit code 3."""

import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import environment, run, run_apart, served


def assert_refused(refused: subprocess.CompletedProcess[str], *messages: str) -> None:
    assert refused.returncode == 3, refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "serves" not in refused.stderr
    for each in messages:
        assert each in refused.stderr


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        yield other.getsockname()[1]


def test_a_second_server_on_the_same_file_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with served(tmp_path) as first:
        refused = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path))
        assert_refused(refused, f"process {first.process.pid}", "conflicto.sqlite3", "CONFLICTO_DATA_DIR", "PostgreSQL")
        first.kill()

    with served(tmp_path) as second:
        assert second.call("GET", "/sessions")["total"] == 0


def test_a_second_server_on_the_same_file_by_another_name_is_refused(tmp_path: Path) -> None:
    with served(tmp_path):
        url = f"sqlite:///{tmp_path}/./conflicto.sqlite3"
        refused = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path / "other", DATABASE_URL=url))

    assert_refused(refused, "Another server")


def test_a_second_server_on_the_same_file_behind_a_link_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "data/conflicto.sqlite3")
    with served(tmp_path / "data"):
        env = environment(tmp_path / "other", DATABASE_URL=f"sqlite:///{link}")
        refused = run_apart("serve", "--port", str(free_port()), env=env)

    assert_refused(refused, "Another server")


def test_a_database_in_memory_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL="sqlite:///:memory:")

    assert_refused(run_apart("serve", "--port", str(free_port()), env=env), "in memory", "`sqlite:///path`")


def test_an_unusable_folder_of_exports_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = environment(tmp_path, CONFLICTO_EXPORT_DIR=str(tmp_path / "file/below"))

    assert_refused(run_apart("serve", "--port", str(free_port()), env=env), "file/below", "set CONFLICTO_EXPORT_DIR")


def test_a_port_in_use_is_reported_with_the_command_that_was_meant(tmp_path: Path, taken_port: int) -> None:
    refused = run("types", "dev", tmp_path, "--port", str(taken_port), env=environment(tmp_path))

    assert refused.exit_code == 3
    assert f"conflicto types dev {tmp_path} --port {taken_port + 1}" in refused.stderr


def test_a_folder_of_workers_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    folder.chmod(0o710)

    refused = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path / "data", CONFLICTO_WORKERS_DIR=str(folder)))

    assert_refused(refused, f"chmod 700 {folder}", "CONFLICTO_WORKERS_DIR")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_workers_that_belongs_to_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)

    refused = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path / "data", CONFLICTO_WORKERS_DIR=str(folder)))

    assert_refused(refused, f"{folder} belongs to another user", "CONFLICTO_WORKERS_DIR")


def test_a_folder_of_workers_with_a_long_path_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)

    refused = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path / "data", CONFLICTO_WORKERS_DIR=str(folder)))

    assert_refused(refused, str(folder), "94 bytes", "CONFLICTO_WORKERS_DIR")


def test_a_missing_folder_of_workers_is_made_for_this_account_alone(tmp_path: Path) -> None:
    folder = Path(mkdtemp()) / "sockets"
    with served(tmp_path, CONFLICTO_WORKERS_DIR=str(folder)) as server:
        assert server.call("GET", "/sessions")["total"] == 0
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    shutil.rmtree(folder.parent)


def test_a_port_in_use_is_reported_before_anything_is_created(tmp_path: Path, taken_port: int) -> None:
    refused = run_apart("serve", "--port", str(taken_port), env=environment(tmp_path))

    assert_refused(refused, f"Port {taken_port} of 127.0.0.1 is taken", f"--port {taken_port + 1}")
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_another_machine_is_reported(tmp_path: Path) -> None:
    refused = run_apart("serve", "--host", "192.0.2.1", env=environment(tmp_path))

    assert_refused(refused, "192.0.2.1 is no address of this machine", "--lan")


def test_a_data_directory_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    refused = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path / "data"))

    assert_refused(refused, "File exists", "CONFLICTO_DATA_DIR")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="root can write every folder")
def test_a_data_directory_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    refused = run_apart("serve", "--port", str(free_port()), env=environment(Path("/proc/self/conflicto")))

    assert_refused(refused, "/proc/self/conflicto", "this user may write")


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    """Replace a full disk by a limit on file sizes.

    The limit would also stop coverage, with a long message.
    """
    env = {name: value for name, value in environment(tmp_path).items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "conflicto", "serve", "--port", str(free_port())]
    refused = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY)),
    )  # fmt: skip

    assert_refused(refused, "Free at least 1024 KiB", "CONFLICTO_DATA_DIR")


def test_workers_come_from_the_environment_too(tmp_path: Path) -> None:
    refused = run("serve", env=environment(tmp_path, CONFLICTO_WORKERS="2"))

    assert refused.exit_code == 2
    assert "SQLite has one writer" in refused.stderr


def test_the_command_line_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listened = {}
    monkeypatch.setattr("uvicorn.run", lambda *_, **options: listened.update(options))

    run("serve", "--workers", "1", "--port", str(free_port()), env=environment(tmp_path, CONFLICTO_WORKERS="4"))

    assert listened["workers"] == 1
