"""Responses during every kind of lost connection."""

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot, wait_until
from tests.browser.samples import OPTIONS
from tests.support.patience import PATIENCE_S
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where?", "options": OPTIONS, "multiple": False}

HIDE = """(hidden) => {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def _answer(page: "Page", label: str) -> None:
    page.get_by_label(label).check()
    page.get_by_role("button", name="Send").or_(page.get_by_role("button", name="Change my answer")).click()


def test_an_answer_given_while_the_server_is_away_arrives_once(own: LiveSession) -> None:
    activity = own.activity("poll", POLL)
    page = own.phone()
    page.get_by_label("Curry").wait_for()
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent

    own.server.kill()
    page.get_by_text("Offline – reconnecting.").first.wait_for(timeout=8_000)
    _answer(page, "Curry")
    page.get_by_text("Saved on this phone.").first.wait_for()
    screenshot(page, "phone-offline")
    with served(folder, at_port=int(port)) as back:
        own.server = back
        page.get_by_text("Your answer is in ·").wait_for(timeout=15_000)
        assert own.answers(activity) == [{"choices": ["b"]}]
        assert own.call("GET", "/participants")["total"] == 1
        page.context.close()


def test_an_idle_page_soon_detects_that_the_server_is_back(own: LiveSession) -> None:
    """Streams that failed give way to polls; the first one is not held back."""
    page = own.phone()
    page.get_by_text("You are in, Anna.").wait_for()
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent
    polls: list[str] = []
    page.on("requestfailed", lambda request: "changes/since" in request.url and polls.append(request.url))

    own.server.kill()
    wait_until(lambda: page.evaluate("1") == 1 and len(polls) > 0)
    with served(folder, at_port=int(port)) as back:
        own.server = back
        page.locator("main").get_by_text("Offline – reconnecting.").wait_for(state="detached", timeout=12_000)
        page.context.close()


def test_an_answer_on_its_way_survives_the_page(own: LiveSession) -> None:
    activity = own.activity("poll", POLL)
    page = own.phone()
    page.get_by_label("Curry").wait_for()
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent
    address = page.url

    own.server.kill()
    page.get_by_text("Offline – reconnecting.").first.wait_for(timeout=8_000)
    _answer(page, "Curry")
    page.get_by_text("Saved on this phone.").first.wait_for()
    page.close()
    with served(folder, at_port=int(port)) as back:
        own.server = back
        other = own.contexts[0].new_page()
        other.goto(address)
        other.get_by_text("Your answer is in ·").wait_for(timeout=15_000)
        assert own.answers(activity) == [{"choices": ["b"]}]
        own.contexts.pop().close()


def test_a_phone_that_reloads_while_the_server_is_away_goes_on_where_it_was(own: LiveSession) -> None:
    """Check 13: the cached page opens, and a response after the reload arrives once."""
    activity = own.activity("poll", POLL)
    page = own.phone()
    page.get_by_label("Curry").wait_for()
    wait_until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    wait_until(lambda: page.evaluate("caches.match('/p/').then((kept) => kept !== undefined)"))
    wait_until(lambda: page.evaluate("Object.keys(localStorage).some((key) => key.startsWith('conflicto.room.'))"))
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent

    own.server.kill()
    page.reload()
    page.get_by_label("Curry").wait_for(timeout=15_000)
    screenshot(page, "phone-reloaded-offline")
    _answer(page, "Curry")
    page.get_by_text("Saved on this phone.").first.wait_for()
    page.reload()
    page.get_by_text("Saved on this phone.").first.wait_for()
    with served(folder, at_port=int(port)) as back:
        own.server = back
        page.get_by_text("Your answer is in ·").wait_for(timeout=15_000)
        assert own.answers(activity) == [{"choices": ["b"]}]
        assert own.call("GET", "/participants")["total"] == 1
        page.context.close()


def test_what_went_while_a_phone_was_away_is_not_shown_when_it_comes_back(own: LiveSession) -> None:
    gone = own.activity("poll", POLL | {"question": "Gone?"})
    page = own.phone()
    page.get_by_role("heading", name="Gone?").wait_for()
    wait_until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    wait_until(lambda: page.evaluate("Object.keys(localStorage).some((key) => key.startsWith('conflicto.room.'))"))
    address = page.url
    page.goto("about:blank")
    own.call("DELETE", f"/activities/{gone['id']}")
    own.activity("poll", POLL | {"question": "Here?"})

    page.goto(address)
    page.get_by_role("heading", name="Here?").wait_for()
    assert page.get_by_role("heading", name="Gone?").count() == 0


def test_a_lost_reply_is_requested_again_with_the_same_key(live: LiveSession) -> None:
    activity = live.activity("questions", {"prompt": "Ask"}, response_policy="many")
    page = live.phone()
    page.get_by_label("Your question").fill("When?")
    lost = []

    def lose_the_first(route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/responses", lose_the_first)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()

    assert lost == [201]
    assert live.answers(activity) == [{"text": "When?"}]


def test_a_hidden_page_disconnects_and_is_up_to_date_when_visible_again(live: LiveSession) -> None:
    first = live.activity("wall", {"question": "First?"})
    live.has_clock = True
    page = live.phone()
    streams = _Streams(page)
    page.reload()
    page.get_by_label("Your text").fill("Half a thou")
    streams.wait_for(1)
    page.evaluate(HIDE, True)
    page.clock.pause_at(page.evaluate("Date.now() + 6_000") / 1_000)
    streams.wait_for(0)
    live.call("PATCH", f"/activities/{first['id']}", {"config": {"question": "Second?"}})

    page.evaluate(HIDE, False)
    page.get_by_role("heading", name="Second?").wait_for()  # at once: no time passes on this page any more

    assert page.get_by_label("Your text").input_value() == "Half a thou"


@pytest.mark.catalogue("O-09")
def test_eight_tabs_of_one_browser_do_not_starve_each_other(live: LiveSession) -> None:
    activity = live.activity("poll", POLL)
    page = live.phone()
    page.get_by_label("Curry").wait_for()
    for _ in range(7):
        tab = live.tab(page.context, page.url.removeprefix(live.server.url))
        tab.get_by_label("Curry").wait_for()
        tab.evaluate(HIDE, True)

    _answer(page, "Curry")
    page.get_by_text("Your answer is in ·").wait_for(timeout=15_000)

    assert live.answers(activity) == [{"choices": ["b"]}]


def test_it_works_where_pages_come_over_plain_http(live: LiveSession) -> None:
    activity = live.activity("poll", POLL)
    page = live.window(**PHONE)
    live.errors.clear()
    page.goto(live.server.url.replace("127.0.0.1", "venue.test") + f"/j/{live.session['join_code']}")
    assert page.evaluate("isSecureContext") is False

    page.get_by_label("Your nickname").fill("Anna")
    page.get_by_role("button", name="Join").click()
    _answer(page, "Curry")
    page.get_by_text("Your answer is in ·").wait_for()

    assert live.answers(activity) == [{"choices": ["b"]}]
    assert all(each.startswith("foreign request: http://venue.test:") for each in live.errors)
    live.errors.clear()


def test_without_streams_polls_take_over(live: LiveSession) -> None:
    page = live.window(**PHONE)
    page.route("**/events?*", lambda route: route.abort())
    page.goto(f"{live.server.url}/j/{live.session['join_code']}")
    page.get_by_label("Your nickname").fill("Anna")
    page.get_by_role("button", name="Join").click()

    page.get_by_text("You are in, Anna.").wait_for(timeout=15_000)
    live.activity("poll", POLL)

    page.get_by_label("Curry").wait_for(timeout=5_000)


class _Streams:
    """Streams that a page has open, its server having begun to answer."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.open: set[Any] = set()
        page.on("response", lambda response: self._take(response.request))
        page.on("requestfailed", self._end)
        page.on("requestfinished", self._end)

    def _take(self, request: Any) -> None:
        if "text/event-stream" in request.headers.get("accept", ""):
            self.open.add(request)

    def _end(self, request: Any) -> None:
        self.open.discard(request)

    def wait_for(self, amount: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.open) != amount:
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(50)
