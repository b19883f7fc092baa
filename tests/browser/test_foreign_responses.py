"""Responses of portals, firewalls, caches and proxies decide nothing; only the server's count."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LiveSession, screenshot, wait_until
from tests.browser.samples import OPTIONS
from tests.support.between import PORTAL, Between, between

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where?", "options": OPTIONS, "multiple": False}
MINUTE_MS = 61_000
FEED, SUBMIT, API = r"GET .*/(events|changes)", r"POST .*/responses$", "/api/v1/"


@pytest.fixture
def way(live: LiveSession) -> Iterator[Between]:
    """The network of all pages of `live`; its own calls bypass it."""
    with between(live.server.url) as there:
        live.way = there.url
        yield there
        assert live.errors == []
        live.close_windows()


def _send(page: "Page", label: str = "Curry") -> None:
    page.get_by_label(label).check()
    page.get_by_role("button", name="Send").or_(page.get_by_role("button", name="Change my answer")).click()


@pytest.mark.parametrize("reply", PORTAL)
def test_a_portals_reply_to_an_answer_is_ignored(live: LiveSession, way: Between, reply: str) -> None:
    activity = live.activity("poll", POLL)
    page = live.phone()
    way.answers[SUBMIT] = PORTAL[reply]
    _send(page)
    page.get_by_text("Sending …").wait_for()
    wait_until(lambda: sum("/responses" in each for each in way.seen) >= 2)
    assert live.answers(activity) == []

    way.answers.clear()
    page.get_by_text("Your answer is in ·").wait_for()
    assert live.answers(activity) == [{"choices": ["b"]}]
    assert page.url.endswith(f"/p/{live.session['id']}")


@pytest.mark.parametrize("reply", PORTAL)
def test_a_portals_reply_to_the_feed_removes_nobody(live: LiveSession, way: Between, reply: str) -> None:
    """Phone, host and screen recover with the server; the phone has its seat and response."""
    activity = live.activity("poll", POLL)
    phone, host, screen = live.phone(), live.host(), live.screen()
    for page in (phone, host, screen):
        page.get_by_role("heading", name="Where?").wait_for()
    way.answers[API] = PORTAL[reply]
    way.drop()
    phone.get_by_text("Offline – reconnecting.").first.wait_for()
    host.get_by_text("Offline. Your clicks are not sent").wait_for()
    screen.get_by_text("Connection lost – trying again.").wait_for()
    _send(phone)

    way.answers.clear()
    phone.get_by_text("Your answer is in ·").wait_for(timeout=20_000)
    assert live.answers(activity) == [{"choices": ["b"]}]
    live.activity("poll", POLL | {"question": "When?"})
    for page in (phone, host, screen):
        page.get_by_role("heading", name="When?").wait_for(timeout=20_000)


def test_an_error_of_a_minute_is_shown_and_the_answer_kept(live: LiveSession, way: Between) -> None:
    activity = live.activity("wall", {"question": "Say"})
    live.has_clock = True
    phone, screen, host = live.phone(), live.screen(), live.host()
    for page in (phone, screen, host):
        page.get_by_role("heading", name="Say").wait_for()
    way.answers[API] = PORTAL["403"]
    way.drop()
    phone.get_by_label("Your text").fill("Do not lose me")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Offline – reconnecting.").first.wait_for()
    for page in (screen, host):
        page.get_by_text("trying again").or_(page.get_by_text("Your clicks are not sent")).first.wait_for()
    for page in (phone, screen, host):
        page.clock.fast_forward(MINUTE_MS)
        page.get_by_text("blocks this page’s requests").first.wait_for(timeout=15_000)

    notice = phone.locator(".notice")
    assert "Do not lose me" in notice.inner_text()
    assert "saved on this phone" in notice.inner_text()
    screenshot(phone, "phone-blocked")
    lost = screen.locator(".lost").bounding_box()
    assert lost is not None
    assert lost["width"] > 300, "the room cannot read it"
    screenshot(screen, "screen-blocked")
    way.answers.clear()
    phone.clock.fast_forward(MINUTE_MS)
    phone.get_by_text("Your answer is in ·").wait_for()
    notice.wait_for(state="detached")
    assert live.answers(activity) == [{"text": "Do not lose me"}]


def test_an_answer_blocked_by_a_firewall_delays_no_other(live: LiveSession, way: Between) -> None:
    first = live.activity("wall", {"question": "First?"})
    page = live.phone()
    way.answers[SUBMIT] = PORTAL["403"]
    page.get_by_label("Your text").fill("select * from users")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Sending …").wait_for()
    second = live.activity("poll", POLL)
    way.answers = {f"POST .*{first['id']}/responses": PORTAL["403"]}

    _send(page)
    page.get_by_text("Your answer is in ·").wait_for()
    assert live.answers(second) == [{"choices": ["b"]}]
    assert live.answers(first) == []


def test_a_lost_or_replaced_reply_is_requested_again_and_counts_once(live: LiveSession, way: Between) -> None:
    activity = live.activity("questions", {"prompt": "Ask"}, response_policy="many")
    page = live.phone()
    for text in ("cut off", "replaced"):
        way.cuts = SUBMIT if text == "cut off" else None
        way.replaces = {SUBMIT: PORTAL["json"]} if text == "replaced" else {}
        sent = len(way.seen)
        page.get_by_label("Your question").fill(text)
        page.get_by_role("button", name="Send").click()
        wait_until(lambda sent=sent: sum("/responses" in each for each in way.seen[sent:] if each.startswith("POST")) >= 2)
        way.cuts, way.replaces = None, {}
        page.get_by_text("Sending …").wait_for(state="detached")
        page.get_by_text("Your answer is in ·").first.wait_for()
    wait_until(lambda: [each["text"] for each in live.answers(activity)] == ["cut off", "replaced"])


def test_a_proxy_that_loses_header_fields_costs_nobody_the_seat(live: LiveSession, way: Between) -> None:
    """The server refuses a request without its token, which says nothing about the seat."""
    activity = live.activity("poll", POLL)
    page = live.phone()
    page.get_by_label("Curry").wait_for()
    way.strips = frozenset({"authorization", "content-type", "etag", "preference-applied", "poll-after", "accept"})
    way.drop()
    _send(page)
    page.get_by_text("Offline – reconnecting.").first.wait_for()
    assert page.url.endswith(f"/p/{live.session['id']}")

    way.strips = frozenset({"etag", "preference-applied", "poll-after", "cache-control", "x-request-id"})
    page.get_by_text("Your answer is in ·").wait_for(timeout=20_000)
    assert live.answers(activity) == [{"choices": ["b"]}]


def test_behind_a_cache_that_keeps_everything_pages_stay_up_to_date(live: LiveSession, way: Between) -> None:
    way.caches = "GET /api/v1/.*/(changes|events|status|results)"
    way.answers["GET .*/events"] = (502, "text/html", b"")
    page = live.phone()
    page.get_by_text("You are in, Anna.").wait_for(timeout=20_000)
    for question in ("First?", "Second?"):
        live.activity("poll", POLL | {"question": question})
        page.get_by_role("heading", name=question).wait_for(timeout=25_000)


def test_a_stalled_stream_is_replaced_by_polls(live: LiveSession, way: Between) -> None:
    way.holds = "GET .*/events"
    live.has_clock = True
    page = live.phone()
    wait_until(lambda: any("/events" in each for each in way.seen))
    page.clock.fast_forward(10_100)
    page.get_by_text("You are in, Anna.").wait_for()
    assert any("/changes/" in each for each in way.seen)
    live.activity("poll", POLL)
    page.get_by_role("heading", name="Where?").wait_for()


@pytest.mark.parametrize("kind", ["phone", "host", "screen"])
def test_a_silent_stream_is_opened_again(live: LiveSession, way: Between, kind: str) -> None:
    live.has_clock = True
    page = getattr(live, kind)()
    page.get_by_text("Town hall").first.wait_for()
    wait_until(lambda: len(way.streams) == 1)
    live.call("PATCH", "", {"title": "The stream has started"})
    page.get_by_text("The stream has started").first.wait_for()
    way.mute()
    live.call("PATCH", "", {"title": "Nobody hears this"})
    opened = sum("/events" in each for each in way.seen)
    page.clock.fast_forward(20_100)
    page.clock.run_for(5_100)
    page.get_by_text("Nobody hears this").first.wait_for()
    wait_until(lambda: sum("/events" in each for each in way.seen) > opened)
