"""Images by URL: shown only from origins that the server allows."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot
from tests.browser.samples import OPTIONS
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ORIGIN = "https://images.example.org"
SQUARE = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='9' height='9' fill='teal'/></svg>"
POLL = {
    "question": "Which?", "multiple": False, "options": [
        {**OPTIONS[0], "image": f"{ORIGIN}/square.svg"}, {**OPTIONS[1], "image": "https://elsewhere.example.org/x.svg"}, OPTIONS[2],
    ],
}  # fmt: skip


@pytest.fixture
def pictured(tmp_path: Path, browser: "Browser") -> Iterator[LiveSession]:
    with served(tmp_path, CONFLICTO_IMAGE_ORIGINS=ORIGIN) as server, new_session(server, browser) as made:
        yield made
        made.errors[:] = [each for each in made.errors if f"foreign request: {ORIGIN}/square.svg" not in each]


def hang(page: "Page") -> "Page":
    page.context.route(f"{ORIGIN}/**", lambda route: route.fulfill(body=SQUARE, content_type="image/svg+xml"))
    return page


def test_pictures_of_named_origins_are_on_phone_and_screen(pictured: LiveSession) -> None:
    phone, screen = hang(pictured.phone()), hang(pictured.screen())
    pictured.activity("poll", POLL)
    for page, name in ((phone, "phone-pictures"), (screen, "screen-pictures")):
        page.locator("img.picture").wait_for()
        assert page.locator("img.picture").count() == 1
        page.wait_for_timeout(300)
        assert page.locator("img.picture").evaluate("(img) => img.naturalWidth > 0")
        screenshot(page, name)


def test_without_a_word_of_the_operator_there_are_none(live: LiveSession) -> None:
    live.activity("poll", POLL)
    phone = live.phone()
    phone.get_by_label("Pizza").wait_for()
    assert phone.locator("img").count() == 0
