"""Before anything runs: how many are here, on the phones and on the screen."""

import pytest

from conflicto.participants.model import MAX_SHOWN_NAMES
from tests.browser.live_session import LiveSession, screenshot
from tests.browser.test_accessibility import barriers

pytestmark = pytest.mark.browser

CUT = """(list) => {
  const foot = list.getBoundingClientRect().bottom;
  return [...list.children].map((each) => each.getBoundingClientRect()).filter(({ top, bottom }) => top < foot && bottom > foot + 1).length;
}"""


def test_phone_and_screen_show_a_growing_number_of_people(live: LiveSession) -> None:
    screen, first = live.screen(), live.phone("Anna")
    first.get_by_text("You are in, Anna.").wait_for()
    first.get_by_text("1 here", exact=True).wait_for(timeout=15_000)
    screen.get_by_text("1 here", exact=True).wait_for()
    live.phone("Ben")
    first.get_by_text("2 here", exact=True).wait_for(timeout=20_000)
    screen.get_by_text("2 here", exact=True).wait_for()
    screenshot(first, "phone-lobby")
    assert barriers(first) == []


def test_a_participant_who_left_sends_no_requests(live: LiveSession) -> None:
    page = live.phone("Anna")
    page.get_by_text("1 here", exact=True).wait_for(timeout=15_000)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(".seat .menu > summary").click()
    page.get_by_role("button", name="Leave, keep my answers").click()
    page.get_by_label("Code on the screen").wait_for()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.wait_for_timeout(6_000)
    assert requests == []


def test_the_screen_shows_presence_on_request_and_nobody_who_was_removed(live: LiveSession) -> None:
    seats = {}
    for at in range(MAX_SHOWN_NAMES + 2):
        name = f"Anna-Lena {at} of the corridor"
        seats[name] = live.server.call("POST", "/join", {"nickname": name, "code": live.session["join_code"]})["participant_id"]
    screen, host = live.screen(viewport={"width": 1024, "height": 768}), live.host()
    screen.get_by_role("img", name="QR code to join").wait_for()
    assert screen.locator(".names").count() == 0

    host.locator("[data-command=names]").click()
    newest = screen.get_by_role("listitem").filter(has_text="Anna-Lena 61 of")
    newest.wait_for()
    screenshot(screen, "screen-names-1024")
    assert screen.locator(".names li").count() == MAX_SHOWN_NAMES
    assert screen.locator(".names").evaluate(CUT) == 0, "a name is shown whole or not at all"
    live.server.call("DELETE", f"/participants/{seats['Anna-Lena 61 of the corridor']}", token=live.session["host_token"])
    newest.wait_for(state="detached")

    host.locator("[data-command=names]").click()
    screen.locator(".names").wait_for(state="detached")
