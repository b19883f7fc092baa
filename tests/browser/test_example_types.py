"""The types of `examples/types` in the editor, on phones and on the screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot, view_frame, wait_until
from tests.support.processes import served

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples/types"
OPTIONS = [{"id": "a", "text": "Dark mode"}, {"id": "b", "text": "Offline maps"}]
SPOT = {
    "question": "Where is the heart?",
    "picture": "figure",
    "columns": 3,
    "rows": 4,
    "names": ["air", "head", "air", "arm", "chest"],
}


@pytest.fixture
def examples(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    folders = f"{EXAMPLES}:{EXAMPLES / 'hotspot/src/conflicto_hotspot'}"
    with served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=folders) as server, new_session(server, browser) as made:
        yield made


def test_points_are_spread_until_none_is_left(examples: LiveSession) -> None:
    config = {"question": "What first?", "options": OPTIONS, "step": 5}
    activity = examples.activity("points", config, secret={"best": "b"}, results_visibility="always")
    phone, screen = examples.phone(), examples.screen()
    view_frame(phone).get_by_label("Dark mode", exact=True).fill("60")
    view_frame(phone).get_by_text("40 points left").wait_for()
    screenshot(phone, "phone-points")
    assert phone.get_by_role("button", name="Send").is_disabled()
    for _ in range(8):
        view_frame(phone).get_by_label("More points for Offline maps").click()
    view_frame(phone).get_by_text("0 points left").wait_for()
    phone.get_by_role("button", name="Send").click()

    screen.get_by_role("row", name="Dark mode").get_by_text("Ø 60 · 60 %").wait_for()
    phone.get_by_role("row", name="Offline maps").get_by_text("Ø 40 · 40 %").wait_for()
    screenshot(screen, "screen-points")
    assert examples.answers(activity) == [{"points": {"a": 60, "b": 40}}]


def test_the_editor_offers_the_options_as_the_best_one(examples: LiveSession) -> None:
    host = examples.host()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="100 points").click()
    host.get_by_label("Question").fill("What first?")
    host.get_by_label("Options 1").fill("Dark mode")
    host.get_by_label("Options 2").fill("Offline maps")
    host.get_by_label("Best option").select_option("b")
    host.locator(".editor summary").click()
    host.get_by_label("Points in one step").fill("30")
    host.get_by_label("Points to spread").fill("50")
    host.get_by_text("must be a multiple of 30").wait_for()
    screenshot(host, "host-editor-points")


def test_a_picture_is_tapped_and_counted_by_cell(examples: LiveSession) -> None:
    activity = examples.activity("hotspot", SPOT, secret={"column": 2, "row": 2}, results_visibility="always")
    phone, screen = examples.phone(), examples.screen()
    view = phone.frame_locator("act-hotspot-participant iframe")
    view.locator("svg path[fill-opacity]").nth(4).click()
    view.get_by_text("Chosen: chest", exact=True).wait_for()
    screenshot(phone, "phone-hotspot")
    view.locator("summary").click()
    assert view.get_by_label("chest").is_checked()
    phone.get_by_role("button", name="Send").click()
    wait_until(lambda: examples.answers(activity) == [{"column": 2, "row": 2}])

    for page in (screen, phone):
        picture = page.frame_locator("act-hotspot-results iframe")
        picture.locator("svg text", has_text="1").wait_for()
        assert page.get_by_role("row", name="chest").count() == 1
    screenshot(screen, "screen-hotspot")
    phone.locator("act-hotspot-results").scroll_into_view_if_needed()
    screenshot(phone, "phone-hotspot-results")


def test_both_types_speak_arabic_in_the_dark(examples: LiveSession) -> None:
    spot = examples.activity("hotspot", SPOT, secret={"column": 2, "row": 2})
    phone = examples.phone(locale="ar", color_scheme="dark")
    view_frame(phone).locator("p", has_text="انقر الصورة").wait_for()
    screenshot(phone, "phone-hotspot-ar-dark")
    examples.call("POST", f"/activities/{spot['id']}/transition", {"target_status": "expired"})
    examples.activity("points", {"question": "What first?", "options": OPTIONS}, secret={})
    view_frame(phone).locator("p", has_text="بقيت 100 نقطة").wait_for()
    screenshot(phone, "phone-points-ar-dark")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
