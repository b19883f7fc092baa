"""Before anything runs: how many are here, on the phones and on the screen."""

import pytest

from tests.browser.stage import Room, picture
from tests.browser.test_barriers import barriers

pytestmark = pytest.mark.browser


def test_phone_and_screen_say_how_many_are_here_as_it_grows(live: Room) -> None:
    screen, first = live.screen(), live.phone("Anna")
    first.get_by_text("You are in, Anna.").wait_for()
    first.get_by_text("1 here", exact=True).wait_for(timeout=15_000)
    screen.get_by_text("1 here", exact=True).wait_for()
    live.phone("Ben")
    first.get_by_text("2 here", exact=True).wait_for(timeout=20_000)
    screen.get_by_text("2 here", exact=True).wait_for()
    picture(first, "phone-lobby")
    assert barriers(first) == []


def test_whoever_left_asks_no_more(live: Room) -> None:
    page = live.phone("Anna")
    page.get_by_text("1 here", exact=True).wait_for(timeout=15_000)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(".seat .menu > summary").click()
    page.get_by_role("button", name="Leave, keep my answers").click()
    page.get_by_label("Code on the screen").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6_000)
    assert asked == []
