import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import Served, environment, run, served
from tests.support.proxies import meddling

TABLE = 'name,"=sum",n\nAnn,"=1+1",1.50\nBob,,007\n,"a ""q"" é\nnew\\line",1e400\nDave,ok,-7\n'
CELLS = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("replay")) as running:
        yield running


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "table.csv"
    file.write_text(TABLE, encoding="utf-8-sig")
    return file


def replay(table: Path, url: str, *more: str):
    return run("replay", table, "--url", url, "--connections", "3", *more, env=environment(table.parent))


def test_every_cell_travels_through_a_real_server_and_back(server: Served, table: Path) -> None:
    done = replay(table, server.url, "--json", "--title", "Survey")

    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["cells"], result["participants"], result["activities"], result["mismatches"]) == (CELLS, 4, 3, [])
    session = server.call("GET", f"/sessions/{result['session_id']}")
    assert (session["title"], session["status"]) == ("Survey", "active")
    activities = server.call("GET", f"/sessions/{result['session_id']}/activities")["items"]
    assert [(each["title"], each["type"], each["status"]) for each in activities] == [
        ("name", "replay", "expired"), ("=sum", "replay", "expired"), ("n", "replay", "active"),
    ]  # fmt: skip


def test_an_answer_that_changes_on_its_way_back_is_found(server: Served, table: Path) -> None:
    def corrupt(method: str, path: str, status: int, body: bytes) -> tuple[int, bytes]:
        return status, body.replace(b'{"value":1.50}', b'{"value":1.5}') if "/since/" in path else body

    with meddling(server.url, corrupt) as url:
        done = replay(table, url)

    assert done.exit_code == 1
    assert 'n, row 1: expected {"value":1.50}, found {"value":1.5}' in done.stdout
    assert "10 cells of 4 participants in 3 activities compared, mismatches 1." in done.stdout


def test_lost_replies_and_busy_servers_cost_no_answer_and_make_none_twice(server: Served, table: Path) -> None:
    seen: set[tuple[str, str, bytes]] = set()
    lock = threading.Lock()

    def lose(method: str, path: str, status: int, body: bytes) -> tuple[int, bytes] | None:
        with lock:
            first = (method, path, body) not in seen and len(seen) < 20
            seen.add((method, path, body))
        if method == "POST" and path.endswith(("/join", "/responses")) and first:
            return None if len(seen) % 2 else (503, b"{}")
        return status, body

    with meddling(server.url, lose) as url:
        done = replay(table, url, "--json")

    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["mismatches"] == []
    assert result["retries"] > 0
    assert server.call("GET", f"/sessions/{result['session_id']}/participants")["total"] == 4


def test_a_refusal_is_shown_as_title_and_detail(server: Served, table: Path) -> None:
    done = replay(table, server.url, "--admin-token", "not-the-admin-token")

    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("The token is not valid")


def test_an_absent_server_is_reported(table: Path) -> None:
    done = replay(table, f"http://127.0.0.1:{free_port()}")

    assert done.exit_code == 3
    assert "The server does not answer" in done.stderr


def test_a_file_that_is_no_table_is_wrong_use(tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_text("a,b\n1\n")

    done = run("replay", file, env=environment(tmp_path))

    assert done.exit_code == 2
    assert "Line 2 has 1 cells, the header has 2." in done.stderr


def test_the_demo_starts_its_own_server_and_draws_what_came_back(tmp_path: Path) -> None:
    file = tmp_path / "small.csv"
    file.write_text("vote,age\n0,20\n1,41\n0,42\n")
    (tmp_path / "small.json").write_text(
        '{"vote": {"title": "Who?", "labels": {"0": "Clinton", "1": "Dole"}}, "age": {"bins": [18, 40]}}'
    )

    done = run("demo", file, "--connections", "2", env=environment(tmp_path))

    assert done.exit_code == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "Who?  vote, 3 answers" in lines
    assert any(line.startswith("Clinton ████") and line.endswith(" 2") for line in lines)
    assert any(line.startswith("40 and more ████") and line.endswith(" 2") for line in lines)
    assert "Every count equals the file's." in lines
