"""`conflicto types dev` in a browser: five pages beside each other, and faults on top."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import wait_until
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import environment, run_apart

pytestmark = pytest.mark.browser

POINTS = Path(__file__).parents[2] / "examples/types/points"
VIEW = """import {{ ActivityElement }} from "../../sdk/v1.js";

export default class extends ActivityElement {{
  view() {{
    {line}
  }}
}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POINTS, tmp_path / "points")
    return tmp_path / "points"


@pytest.fixture
def url(tmp_path: Path, folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "conflicto", "types", "dev", str(folder), "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(tmp_path / "unused"), stdout=log, stderr=log)
    try:
        wait_until(lambda: b"Open http" in (tmp_path / "log").read_bytes() or process.poll() is not None)
        yield f"http://127.0.0.1:{port}/dev"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


def test_a_type_is_seen_everywhere_and_reloaded_on_save(url: str, folder: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1800, "height": 1400})
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(url)
    phone, screen = page.frame_locator("#phone"), page.frame_locator("#screen")
    phone.frame_locator("iframe").get_by_label("Dark mode", exact=True).wait_for()
    screen.get_by_text("What should we build first?").wait_for()
    page.frame_locator("#editor").get_by_label("Best option").wait_for()
    page.frame_locator("#host").get_by_text("Running").first.wait_for()
    page.frame_locator("#host").get_by_text("Dark mode").first.wait_for()
    page.frame_locator("#report").get_by_role("row", name="Dark mode").wait_for()
    faults = page.get_by_role("list", name="Faults")

    view = folder / "ui/participant.js"
    good = view.read_text()
    view.write_text(VIEW.format(line="return null.oven;"))
    faults.get_by_text("phone: points 1, participant: TypeError").get_by_text("participant.js:5").wait_for()

    view.write_text("export default class {")
    faults.get_by_text("points/ui/participant.js:1: is no module").wait_for()

    view.write_text(good)
    faults.get_by_text("participant.js").first.wait_for(state="detached")
    phone.frame_locator("iframe").get_by_label("Dark mode", exact=True).wait_for()
    page.close()


def test_pictures_show_four_pages_in_two_themes(tmp_path: Path, folder: Path, chromium: str) -> None:
    done = run_apart("types", "test", folder, "--pictures", tmp_path / "pictures", env=environment(tmp_path / "unused"))

    assert done.returncode == 0, done.stderr
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [each.stem for each in pictures] == [
        f"{page}-{theme}" for page in ("host", "phone", "report", "screen") for theme in ("dark", "light")
    ]
    assert len({each.read_bytes() for each in pictures}) == len(pictures)
