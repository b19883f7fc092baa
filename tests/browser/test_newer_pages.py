"""A server with a newer build: open pages show it, continue, and move on when nobody needs them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot
from tests.browser.samples import OPTIONS
from tests.support.processes import served

pytestmark = pytest.mark.browser

BACK_MS = 60_000
"""Time in which a page retries after the restart of a server on a busy machine."""
NOTICE = "There is a newer version of this page."
WAKES = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
VIEW = "export default class extends HTMLElement {}\n"
SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}


def _put_type(folder: Path, view: str) -> None:
    (folder / "ui").mkdir(parents=True, exist_ok=True)
    (folder / "activity.json").write_text(json.dumps({"type": "wave", "version": "1", "title": "Wave", "icon": "👋", "sdk": "1"}))
    for name in ("config", "response"):
        (folder / f"{name}.schema.json").write_text(json.dumps(SCHEMA))
    (folder / "ui" / "participant.js").write_text(view)


def _requests_for_core(page: Any) -> list[str]:
    """Return the methods with which a page will have asked for the file that tells its build."""
    methods: list[str] = []
    page.on("request", lambda request: request.url.endswith("/sdk/v1.js") and methods.append(request.method))
    return methods


def _shows_no_notice(made: LiveSession, *pages: Any) -> None:
    made.call("PATCH", "", {"title": "The same build"})
    for page in pages:
        page.get_by_text("The same build").first.wait_for(timeout=BACK_MS)
        page.wait_for_timeout(500)
        assert page.get_by_text(NOTICE).count() == 0


def _reloads_and_answers(phone: Any) -> None:
    phone.get_by_role("button", name="Reload").click()
    phone.get_by_text(NOTICE).wait_for(state="detached")
    assert phone.get_by_label("Curry").is_checked(), "what was begun outlives the reload"
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()


def test_a_page_that_slept_through_an_update_offers_a_reload(live: LiveSession) -> None:
    page = live.phone()
    page.get_by_text("You are in, Anna.").wait_for()
    gone = {"code": "not-found"}
    page.route("**/sdk/v1.js", lambda route: route.fulfill(status=404, json=gone))
    with page.expect_response(lambda answer: answer.url.endswith("/sdk/v1.js") and answer.request.method == "GET"):
        page.evaluate(WAKES)
    page.wait_for_timeout(500)
    assert page.get_by_text(NOTICE).count() == 0, "anything on the way may say that a file is gone"

    gone["server"] = live.session["server"]
    page.evaluate(WAKES)
    page.get_by_text(NOTICE).wait_for()


def test_open_pages_offer_to_reload_when_the_server_has_newer_ones(tmp_path: Path, browser: Any) -> None:
    types, data = tmp_path / "types", tmp_path / "data"
    _put_type(types / "wave", VIEW)
    with served(data, CONFLICTO_ACTIVITY_TYPES=str(types)) as first, new_session(first, browser) as made:
        made.activity("poll", {"question": "Where?", "options": OPTIONS, "multiple": False})
        phone, host, screen = made.phone(), made.host(), made.screen()
        phone.get_by_label("Curry").check()
        host.get_by_role("heading", name="Where?").wait_for()
        screen.get_by_role("heading", name="Where?").wait_for()
        methods = _requests_for_core(phone)
        port = int(first.url.rsplit(":", 1)[1])
        first.stop()
        with served(data, at_port=port, CONFLICTO_ACTIVITY_TYPES=str(types)) as same:
            made.server = same
            _shows_no_notice(made, phone, host)
            assert set(methods) == {"HEAD"}, "nobody downloads the file of a build that goes on"
            same.stop()

        _put_type(types / "wave", "// newer\n" + VIEW)
        with served(data, at_port=port, CONFLICTO_ACTIVITY_TYPES=str(types)) as newer:
            made.server = newer
            for page in (phone, host):
                page.get_by_text(NOTICE).first.wait_for(timeout=BACK_MS)
            screenshot(phone, "phone-newer")
            screenshot(host, "host-newer")
            assert phone.get_by_label("Curry").is_checked(), "what was begun stays"
            assert screen.locator("main").get_by_text(NOTICE).count() == 0, "nothing of it in front of the room"
            screen.locator("[data-bar]").get_by_text(NOTICE).wait_for(state="attached", timeout=BACK_MS)
            screen.mouse.move(5, 5)
            screen.locator("[data-bar]").get_by_text(NOTICE).wait_for()

            _reloads_and_answers(phone)
            assert made.violations() == []
            made.close_windows()


def test_the_next_activity_opens_on_a_phone_of_the_earlier_build_without_a_tap(tmp_path: Path, browser: Any) -> None:
    types, data = tmp_path / "types", tmp_path / "data"
    _put_type(types / "wave", VIEW)
    with served(data, CONFLICTO_ACTIVITY_TYPES=str(types)) as first, new_session(first, browser) as made:
        made.activity("wall", {"question": "What is missing?"})
        phone = made.phone()
        phone.get_by_role("textbox").fill("More tea, and")
        port = int(first.url.rsplit(":", 1)[1])
        first.stop()

        _put_type(types / "wave", "// newer\n" + VIEW)
        with served(data, at_port=port, CONFLICTO_ACTIVITY_TYPES=str(types)) as newer:
            made.server = newer
            phone.get_by_text(NOTICE).first.wait_for(timeout=BACK_MS)
            assert phone.get_by_role("textbox").input_value() == "More tea, and", "what was begun stays"
            made.activity("poll", {"question": "Where?", "options": OPTIONS, "multiple": False})
            phone.get_by_label("Curry").check(timeout=BACK_MS)
            phone.get_by_role("button", name="Send").click()
            phone.get_by_text("Your answer is in ·").wait_for()
            assert made.violations() == []
            assert "More tea, and" in phone.evaluate("JSON.stringify({ ...sessionStorage })")
            made.close_windows()


HIDES = """Object.defineProperty(document, "hidden", { configurable: true, get: () => %s });
document.dispatchEvent(new Event("visibilitychange"))"""


def _build(page: Any) -> str:
    return str(page.evaluate("JSON.parse(document.getElementById('boot').textContent).base"))


def _all_move_on(made: LiveSession, poll: dict[str, Any], host: Any, screen: Any, report: Any) -> None:
    host.get_by_role("button", name="Save").click()
    host.get_by_text(NOTICE).first.wait_for(state="detached", timeout=BACK_MS)
    host.get_by_role("heading", name="Where to?").wait_for()
    made.call("POST", f"/activities/{poll['id']}/transition", {"target_status": "expired"})
    screen.locator("[data-bar]").get_by_text(NOTICE).wait_for(state="detached", timeout=BACK_MS)
    with report.expect_navigation(timeout=BACK_MS):
        report.evaluate(HIDES % "true")
    screen.get_by_role("heading", name="Where to?").wait_for()


def test_pages_of_hosts_and_screens_move_on_when_nobody_needs_them(tmp_path: Path, browser: Any) -> None:
    types, data = tmp_path / "types", tmp_path / "data"
    _put_type(types / "wave", VIEW)
    with served(data, CONFLICTO_ACTIVITY_TYPES=str(types)) as first, new_session(first, browser) as made:
        poll = made.activity("poll", {"question": "Where?", "options": OPTIONS, "multiple": False})
        host, screen = made.host(), made.screen()
        report = host.context.new_page()
        report.goto(f"{host.url}/report")
        report.get_by_role("heading", name="Where?").wait_for()
        host.get_by_role("button", name="Edit").click()
        host.get_by_label("Question").fill("Where to?")
        screen.get_by_role("heading", name="Where?").wait_for()
        before = _build(host)
        port = int(first.url.rsplit(":", 1)[1])
        first.stop()

        _put_type(types / "wave", "// newer\n" + VIEW)
        with served(data, at_port=port, CONFLICTO_ACTIVITY_TYPES=str(types)) as newer:
            made.server = newer
            host.get_by_text(NOTICE).first.wait_for(state="attached", timeout=BACK_MS)
            screen.locator("[data-bar]").get_by_text(NOTICE).wait_for(state="attached", timeout=BACK_MS)
            host.evaluate(HIDES % "true")
            host.wait_for_timeout(6_000)
            assert host.get_by_label("Question").input_value() == "Where to?", "an edit stays"
            assert (_build(host), _build(screen)) == (before, before), "an open question stays on the screen"

            _all_move_on(made, poll, host, screen, report)
            assert before not in {_build(page) for page in (host, screen, report)}
            assert made.violations() == []
            made.close_windows()
