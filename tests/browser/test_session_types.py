"""A host installs a type for one session, and everybody in it uses the type."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conflicto.activity_types.packs.archive import write_archive
from conflicto.activity_types.packs.packing import pack_folder
from tests.browser.live_session import LiveSession, new_session, screenshot, view_frame
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POINTS = Path(__file__).parents[2] / "examples/types/points"


@pytest.fixture
def allowing(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    with served(tmp_path / "data", CONFLICTO_SESSION_TYPES_MB="1") as server, new_session(server, browser) as made:
        yield made


def _start(host: "Page") -> None:
    """Make an activity of the installed type with its form, and start it."""
    host.locator(".types").get_by_role("button", name="100 points").click()
    host.get_by_label("Question").fill("What first?")
    host.get_by_label("Options 1").fill("Dark mode")
    host.get_by_label("Options 2").fill("Offline maps")
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Start: What first?").click()


def test_a_type_is_shown_installed_and_used_everywhere(allowing: LiveSession, tmp_path: Path) -> None:
    packed = pack_folder(POINTS)
    good, bad = tmp_path / "points-1.zip", tmp_path / "bad.zip"
    good.write_bytes(packed.body)
    bad.write_bytes(write_archive("mood", {"activity.json": b"{\n!"}))
    host, phone, screen = allowing.host(), allowing.phone(), allowing.screen()
    host.get_by_text("+ Add an activity").click()
    host.get_by_text("Install a type for this session").click()
    host.get_by_label("Choose a file").set_input_files(bad)
    host.get_by_text("mood/activity.json:2").wait_for()
    host.get_by_label("Choose a file").set_input_files(good)
    host.get_by_text(packed.sha256).wait_for()
    host.get_by_text("sandboxed frames").wait_for()
    screenshot(host, "host-session-type")
    host.get_by_role("button", name="Install for this session").click()

    _start(host)
    view = view_frame(phone)
    view.get_by_label("Dark mode", exact=True).fill("100")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    host.locator(".next", has_text="Close answering").click()
    host.locator(".next", has_text="Show results").click()
    screen.get_by_role("row", name="Dark mode").get_by_text("Ø 100 · 100 %").wait_for()
    phone.get_by_role("row", name="Dark mode").get_by_text("Ø 100 · 100 %").wait_for()
    host.get_by_role("row", name="Dark mode").first.wait_for()
    report = allowing.window(f"/host/s/{allowing.session['id']}/report#token={allowing.session['host_token']}")
    report.get_by_role("row", name="Dark mode").get_by_text("Ø 100 · 100 %").wait_for()
    screenshot(screen, "screen-session-type")
