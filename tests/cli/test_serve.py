import json
import os
import re
import signal
import stat
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.crowd import Crowd, gather
from tests.support.forking import forked
from tests.support.patience import PATIENCE_S
from tests.support.processes import PROGRAM, environment, run, run_apart, served

PAGE = 4096
STOPPED = (0, -signal.SIGTERM)
"""Exit codes of a stopped server: uvicorn raises the signal again after the cleanup."""


def test_an_old_schema_on_postgres_is_refused_with_the_command_that_mends_it(postgres_url: str, tmp_path: Path) -> None:
    url = servers.create_database(postgres_url, "serve_without_schema")

    refused = run_apart("serve", env=environment(tmp_path, DATABASE_URL=url))

    assert refused.returncode == 3
    assert "The database has schema none, this program needs" in refused.stderr
    assert "Run `conflicto db upgrade`." in refused.stderr
    assert run("db", "upgrade", env=environment(tmp_path, DATABASE_URL=url)).exit_code == 0
    with served(tmp_path, program=PROGRAM, DATABASE_URL=url) as server:
        assert server.call("GET", "/sessions")["total"] == 0


def test_two_workers_on_sqlite_are_refused(tmp_path: Path) -> None:
    refused = run("serve", "--workers", "2", env=environment(tmp_path))

    assert refused.exit_code == 2
    assert "SQLite has one writer" in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["CONFLICTO_ADMIN_TOKEN", "CONFLICTO_SECRET_KEY"])
def test_a_secret_that_is_too_short_is_refused_by_name_and_not_repeated(tmp_path: Path, wrong: str) -> None:
    refused = run("serve", env=environment(tmp_path, **{wrong: "hunter2"}))

    assert refused.exit_code == 3
    assert refused.stderr.startswith(wrong)
    assert "hunter2" not in refused.stderr


def test_a_command_whose_database_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Test `db check`; a server waits instead, see `tests/ports/test_database_addresses.py`."""
    refused = run_apart("db", "check", env=environment(tmp_path, DATABASE_URL="postgresql://127.0.0.1:9/nothing"))

    assert refused.returncode == 3
    assert refused.stderr.startswith("The database cannot be used")
    assert refused.stderr.count("\n") == 1


@pytest.mark.catalogue("F-08")
@pytest.mark.parametrize(("first", "message"), [(0, "file is not a database"), (1, "database disk image is malformed")])
def test_a_damaged_file_is_refused_in_a_sentence_and_left_as_it_is(
    sqlite_template: Path, tmp_path: Path, first: int, message: str
) -> None:
    """Damage from the first page on, or from the second."""
    at, folder = first * PAGE, tmp_path / "data"
    damaged = sqlite_template.read_bytes()[:at] + b"U" * 12 * PAGE
    folder.mkdir()
    (folder / "conflicto.sqlite3").write_bytes(damaged)

    refused = run_apart("serve", env=environment(folder))

    assert refused.returncode == 3
    assert refused.stderr == (
        f"The database cannot be read: {message}. `conflicto db restore` puts a backup in its place, and keeps this file.\n"
    )
    assert (folder / "conflicto.sqlite3").read_bytes() == damaged


def test_a_restart_keeps_data_tokens_and_the_private_key(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with served(folder, program=PROGRAM) as first:
        made = first.call("POST", "/sessions", {"title": "Town hall"})
        assert first.stop() in STOPPED
    key = (folder / "signing.key").read_bytes()

    with served(folder, program=PROGRAM) as second:
        again = second.call("GET", f"/sessions/{made['id']}", token=made["host_token"])

    assert again["title"] == "Town hall"
    assert (folder / "signing.key").read_bytes() == key
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes["signing.key"] == modes["conflicto.sqlite3"] == 0o600


def test_sigterm_while_everyone_answers_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    with served(tmp_path, program=PROGRAM) as server:
        crowd = gather(server)
        threads = crowd.answer_until_it_breaks(server)
        crowd.wait_for(100)
        assert server.stop() in STOPPED
        for thread in threads:
            thread.join()

    assert_nothing_is_lost(crowd, tmp_path)


def assert_nothing_is_lost(crowd: Crowd, folder: Path) -> None:
    done = run("export", str(crowd.session_id), env=environment(folder))
    assert done.exit_code == 0, done.stderr
    stored = [json.loads(line) for line in done.stdout.splitlines()]
    by_id = {each["id"]: each["response_data"] for each in stored}
    assert {each: by_id.get(each) for each in crowd.acknowledged} == crowd.acknowledged
    assert len({tuple(data.values()) for data in by_id.values()}) == len(stored)


def test_in_a_lan_phones_are_shown_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listened = {}
    monkeypatch.setattr("uvicorn.run", lambda *_, **options: listened.update(options))

    greeted = run("serve", "--lan", "--port", "8123", env=environment(tmp_path))
    elsewhere = run("serve", "--lan", env=environment(tmp_path, CONFLICTO_PUBLIC_URL="https://live.example.org"))

    assert greeted.exit_code == elsewhere.exit_code == 0
    assert IPv4Address(listened["host"]).is_unspecified
    found = re.search(r"Phones: +http://(\S+):8123", greeted.stderr)
    assert found
    assert IPv4Address(found[1])
    assert "Phones:    https://live.example.org\n" in elsewhere.stderr


def test_a_forked_server_ends_and_logs_like_a_separate_process(tmp_path: Path) -> None:
    arguments, env = ("serve", "--workers", "2"), environment(tmp_path)
    own = run_apart(*arguments, env=env)
    other = forked(arguments, env=env, log=tmp_path / "log")
    assert (other.wait(PATIENCE_S), (tmp_path / "log").read_text()) == (own.returncode, own.stderr)
    assert own.returncode == 2
    with served(tmp_path) as server:
        assert server.process.poll() is None
        server.kill()
        assert server.process.poll() == -signal.SIGKILL


def test_a_command_in_this_process_leaves_no_variable(tmp_path: Path) -> None:
    before = dict(os.environ)
    assert run("serve", "--workers", "2", env=environment(tmp_path)).exit_code == 2
    assert dict(os.environ) == before
