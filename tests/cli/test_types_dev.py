import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conflicto.activity_types.registry import types_in
from conflicto.cli.dev import rehearsed_session
from conflicto.cli.dev.folder_reload import snapshot_of
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import PLAIN, environment, run

TOAST = Path(__file__).parents[2] / "tests/support/types/toast"


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


class Development:
    """A running `conflicto types dev`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", headers=headers, timeout=PATIENCE_S, **PLAIN)

    def status(self, is_true: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Return the status as soon as the folder is checked and a condition holds."""
        found: dict[str, Any] = {}

        def is_there() -> bool:
            with suppress(httpx2.TransportError):  # of a process that ends
                found.update(self.get("/dev/status").json())
            return bool(found.get("is_checked")) and is_true(found)

        until(is_there)
        return found


@pytest.fixture
def development(tmp_path: Path) -> Iterator[Development]:
    shutil.copytree(TOAST, tmp_path / "toast")
    (tmp_path / "temporary").mkdir()
    port = free_port()
    env = environment(tmp_path / "unused", TMPDIR=str(tmp_path / "temporary"), DATABASE_URL="postgresql://nowhere/")
    command = [sys.executable, "-m", "conflicto", "types", "dev", str(tmp_path / "toast"), "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        until(lambda: "Open http" in (tmp_path / "log").read_text() or process.poll() is not None)
        yield Development(tmp_path / "toast", port)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0, (tmp_path / "log").read_text()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_save_loads_the_folder_again_and_faults_have_a_place(development: Development) -> None:
    first = development.status()
    assert (first["title"], first["faults"]) == ("toast 2.1: Toast", [])
    assert sorted(first["links"]) == ["editor", "host", "phone", "report", "screen"]

    manifest = development.folder / "activity.json"
    good = manifest.read_text()
    manifest.write_text(good.replace('"2.1"', '"second"'))
    bad = development.status(lambda status: status["start"] != first["start"])
    assert (bad["title"], bad["links"]) == ("", None)
    assert len(bad["faults"]) == 1
    assert bad["faults"][0].startswith("toast/activity.json:1 at /version: ")

    manifest.write_text(good.replace('"Toast"', '"Toasts"'))
    mended = development.status(lambda status: status["start"] not in {first["start"], bad["start"]})
    assert mended["title"] == "toast 2.1: Toasts"
    assert mended["links"]["host"] != first["links"]["host"]


def test_scripted_participants_answer_the_first_example(development: Development) -> None:
    links = development.status()["links"]
    path, _, token = links["host"].partition("#token=")

    def read(below: str) -> list[Any]:
        url = f"/api/v1/sessions/{path.rpartition('/')[2]}/activities{below}"
        return list(development.get(url, authorization=f"Bearer {token}").json()["items"])

    activity = read("")[0]["id"]
    until(lambda: read(f"/{activity}/responses/since/0"))


def test_pages_may_be_framed_here_and_the_page_is_for_this_machine(development: Development) -> None:
    development.status()

    assert "frame-ancestors 'self'" in development.get("/host").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in development.get("/dev").headers["content-security-policy"]
    assert development.get("/dev/dev.js").headers["content-type"].startswith("text/javascript")
    for path in ("/dev", "/dev/status"):
        assert development.get(path, host="attacker.example").status_code == 421
    assert development.get("/dev/none").status_code == 404


async def test_an_example_that_the_server_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        body = b'{"detail": "Not valid.", "errors": [{"pointer": "/config/faces", "message": "is required"}]}'
        await send({"type": "http.response.start", "status": 422, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    with pytest.raises(rehearsed_session.NotRehearsed, match=r"Not valid\. /config/faces is required"):
        await rehearsed_session.rehearse(refuse, "token", types_in(TOAST).types[0])


def test_changes_of_hidden_files_and_of_other_files_differ(tmp_path: Path) -> None:
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui/screen.js").write_text("1")
    (tmp_path / ".git").mkdir()
    before = snapshot_of(tmp_path)
    (tmp_path / ".git/index").write_text("1")
    (tmp_path / ".screen.js.swp").write_text("1")
    (tmp_path / "gone.js").symlink_to(tmp_path / "nowhere")
    assert snapshot_of(tmp_path) == before

    os.utime(tmp_path / "ui/screen.js", ns=(1, 1))

    assert snapshot_of(tmp_path) != before


def test_pictures_without_a_browser_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)

    done = run("types", "test", TOAST, "--pictures", tmp_path / "pictures", env=environment(tmp_path / "data"))

    assert (done.exit_code, done.stderr) == (
        3,
        "Pictures need Playwright: `pip install playwright`, then `playwright install chromium`.\n",
    )
