"""Texts and announcements of phones, hosts and screens in every state of a session."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import LiveSession, screenshot
from tests.browser.samples import OPTIONS
from tests.browser.test_accessibility import barriers
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where do we eat?", "options": OPTIONS, "multiple": False}

OBSERVE = """() => {
  window.announced = [];
  const region = document.getElementById('announce');
  new MutationObserver(() => window.announced.push(region.textContent)).observe(region, { childList: true });
}"""


def _announced(page: "Page") -> str:
    return " | ".join(page.evaluate("window.announced"))


def _wait_for_announcement(page: "Page", text: str) -> None:
    page.wait_for_function("(text) => window.announced.join(' | ').includes(text)", arg=text)


def _draft(live: LiveSession, question: str, **more: Any) -> dict[str, Any]:
    return live.call("POST", "/activities", {"type": "poll", "config": POLL | {"question": question}, **more})


def test_a_phone_announces_each_change_once_and_the_remaining_time(live: LiveSession) -> None:
    activity = _draft(live, "First?", status="published")
    page = live.phone()
    page.get_by_text("You are in, Anna.").wait_for()
    page.evaluate(OBSERVE)

    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "active", "duration_seconds": 6})
    _wait_for_announcement(page, "6 seconds left")
    page.get_by_label("Curry").check()
    page.get_by_role("button", name="Send").click()
    _wait_for_announcement(page, "Your answer is in")
    _wait_for_announcement(page, "3 seconds left")
    _wait_for_announcement(page, "Time is up")
    _wait_for_announcement(page, "Answering is closed")
    live.call("POST", f"/activities/{activity['id']}/reveal", {"results": True})
    _wait_for_announcement(page, "The results are shown")

    announced = _announced(page)
    for sentence in (
        "6 seconds left",
        "3 seconds left",
        "Time is up",
        "Answering is closed",
        "The results are shown",
        "Your answer is in",
    ):
        assert announced.count(sentence) == 1, announced


def test_an_announced_question_is_shown_without_what_can_be_answered(live: LiveSession) -> None:
    activity = _draft(live, "First?", status="published")
    page = live.phone()
    live.call("POST", "/show", {"activity_id": activity["id"]})

    page.get_by_role("heading", name="First?").wait_for()
    page.locator("main").get_by_text("Get ready").wait_for()
    screenshot(page, "phone-ready")
    assert page.get_by_label("Curry").count() == 0
    assert barriers(page) == []


def test_a_button_that_cannot_send_yet_explains_why(live: LiveSession) -> None:
    live.activity("poll", POLL)
    page = live.phone()
    button = page.get_by_role("button", name="Send")
    button.wait_for()

    described = button.get_attribute("aria-describedby")
    assert page.locator(f"#{described}").inner_text() == "Answer first, then send."
    page.get_by_label("Curry").check()
    assert page.get_by_text("Answer first, then send.").count() == 0


def test_the_focus_follows_a_new_question_only_where_the_old_one_had_it(live: LiveSession) -> None:
    _draft(live, "First?", status="active")
    second = _draft(live, "Second?")
    inside, outside = live.phone("Anna"), live.phone("Bert")
    inside.get_by_label("Curry").focus()
    outside.get_by_label("Curry").wait_for()
    outside.locator("summary", has_text="Bert").focus()

    live.call("POST", f"/activities/{second['id']}/transition", {"target_status": "active"})
    for page in (inside, outside):
        page.get_by_role("heading", name="Second?").wait_for()

    assert inside.evaluate("document.activeElement.textContent") == "Second?"
    assert outside.evaluate("document.activeElement.textContent") == "Bert"


def test_a_host_without_a_connection_controls_nothing_and_the_room_goes_on(own: LiveSession) -> None:
    own.activity("poll", POLL, duration_seconds=600)
    host = own.host()
    host.locator(".next", has_text="Close answering").wait_for()
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent

    own.server.kill()
    host.get_by_text("Your clicks are not sent. Participants can keep answering").wait_for(timeout=10_000)
    screenshot(host, "host-offline")
    assert host.locator(".board button:not(:disabled)").count() == 0
    with served(folder, at_port=int(port)) as back:
        own.server = back
        host.get_by_text("Your clicks are not sent").wait_for(state="detached", timeout=30_000)
        assert host.locator(".next").is_enabled()
        host.context.close()
        own.contexts.clear()


def test_a_host_receives_changes_of_another_host(live: LiveSession) -> None:
    activity = _draft(live, "First?")
    host = live.host()
    host.locator(".next").wait_for()
    other = live.call("POST", "/tokens", {"role": "host"})["token"]

    live.server.call("POST", f"{live.path}/activities/{activity['id']}/transition", {"target_status": "active"}, token=other)

    host.locator(".banner", has_text="started “First?”.").wait_for()
    screenshot(host, "host-other")
    assert barriers(host) == []
    host.locator(".next", has_text="Close answering").click()
    host.locator(".next", has_text="Show results").wait_for()
    assert host.get_by_text("closed “First?”").count() == 0, "what one does oneself is no news"


def test_a_host_sees_that_nobody_answered_yet_and_takes_a_start_back(live: LiveSession) -> None:
    first, second = _draft(live, "First?", status="active"), _draft(live, "Second?")
    host = live.host()
    host.get_by_text("Nobody has answered yet.").wait_for()

    host.get_by_role("button", name="Start: Second?").click()
    host.get_by_text("The next activity is running.").wait_for()
    host.get_by_role("button", name="Undo").click()

    host.get_by_role("heading", name="First?", level=2).wait_for()
    statuses = {each["id"]: each["status"] for each in live.call("GET", "/activities")["items"]}
    assert statuses == {first["id"]: "active", second["id"]: "expired"}


def test_an_empty_session_is_begun_with_an_example(live: LiveSession) -> None:
    host = live.host()
    host.locator(".starter").nth(2).wait_for()
    screenshot(host, "host-empty")
    assert barriers(host) == []

    host.locator(".starter").first.click()
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Start: ").wait_for()

    assert live.call("GET", "/activities")["total"] == 1
    assert host.locator(".starter").count() == 0


def test_a_host_begins_in_their_own_language(live: LiveSession) -> None:
    host = live.host(locale="de-DE")
    host.locator(".starter", has_text="Welche Tage passen dir?").click()
    host.get_by_role("button", name="Speichern").click()
    host.locator(".next", has_text="Starten: Welche Tage passen dir?").wait_for()

    (made,) = live.call("GET", "/activities")["items"]
    assert [option["text"] for option in made["config"]["options"]] == ["Montag", "Mittwoch", "Freitag"]
    assert made["config"]["max_choices"] == 2


def test_counts_are_announced_to_hosts_who_enable_it(live: LiveSession) -> None:
    live.activity("poll", POLL)
    silent, host = live.host(), live.host()
    host.get_by_role("button", name="Code and links").wait_for()
    host.keyboard.press("?")
    host.get_by_label("Announce new counts").check()
    host.get_by_role("button", name="Close", exact=True).click()
    for page in (silent, host):
        page.evaluate(OBSERVE)

    for name in ("Anna", "Bert"):
        phone = live.phone(name)
        phone.get_by_label("Curry").check()
        phone.get_by_role("button", name="Send").click()
        phone.get_by_text("Your answer is in ·").wait_for()
    _wait_for_announcement(host, "2 answers")

    assert _announced(host).count("answer") <= 2
    assert _announced(silent) == ""


def test_a_phone_becomes_a_remote_by_a_code_on_the_hosts_page(live: LiveSession) -> None:
    host = live.host()
    host.get_by_role("button", name="Code and links").click()
    host.get_by_role("button", name="Control from a phone").click()
    host.get_by_role("img", name="Control from a phone").wait_for()
    screenshot(host, "host-remote-code")

    assert barriers(host) == []


def test_a_screen_shows_that_answering_is_closed(live: LiveSession) -> None:
    activity = _draft(live, "First?", status="active")
    screen = live.screen()
    screen.get_by_role("heading", name="First?").wait_for()
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})

    screen.get_by_text("Answering is closed").wait_for()
    screenshot(screen, "screen-closed")
