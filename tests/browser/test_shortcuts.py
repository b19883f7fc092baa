"""Keyboard shortcuts of the host's page and the screen, and their permissions."""

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import LAPTOP, PROJECTOR, LiveSession, screenshot
from tests.browser.samples import OPTIONS, SAMPLES
from tests.browser.test_accessibility import barriers

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

POLL = {"question": "Where do we eat?", "options": OPTIONS, "multiple": False}


def _draft(live: LiveSession, question: str, **more: Any) -> dict[str, Any]:
    return live.call("POST", "/activities", {"type": "poll", "config": POLL | {"question": question}, **more})


def _until(true: "Callable[[], bool]", seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def _of(live: LiveSession, activity: dict[str, Any]) -> dict[str, Any]:
    return live.call("GET", f"/activities/{activity['id']}")


@pytest.fixture(params=["host", "screen"])
def controls(live: LiveSession, request: pytest.FixtureRequest) -> "Callable[[], Page]":
    """Opens the host's page, or the screen from the host's page in the same browser."""

    def opened() -> "Page":
        host = live.host()
        host.locator(".next").wait_for()
        if request.param == "host":
            return host
        with host.expect_popup() as popup:
            host.get_by_role("button", name="Open screen").click()
        screen = popup.value
        screen.set_viewport_size(PROJECTOR["viewport"])
        screen.locator("[data-bar] .primary").wait_for(state="attached")
        return screen

    return opened


def _press(page: "Page", key: str, seen: str) -> None:
    """Press a key and wait until the page shows the result."""
    page.wait_for_timeout(250)  # the feed may show what a key did before its request is answered, and keys rest until then
    page.keyboard.press(key)
    page.wait_for_function(f"() => {seen}")


STEP = "document.querySelector('.next, [data-bar] .primary').textContent"


def test_one_key_leads_through_the_session_and_another_back(live: LiveSession, controls: "Callable[[], Page]") -> None:
    first, second = _draft(live, "First?"), _draft(live, "Second?")
    page = controls()

    for key, step, of, expected in [
        ("Space", "Close answering", first, ("active", False)), ("Enter", "Show results", first, ("expired", False)),
        ("PageDown", "Start: Second?", first, ("expired", True)), ("ArrowRight", "Close answering", second, ("active", False)),
        ("l", "Show results", second, ("expired", False)), ("l", "Close answering", second, ("active", False)),
        ("Space", "Show results", second, ("expired", False)), ("h", "End the session", second, ("expired", True)),
        ("h", "Show results", second, ("expired", False)),
    ]:  # fmt: skip
        _press(page, key, f"{STEP} === '{step}'")
        now = _of(live, of)
        assert (now["status"], now["results_revealed"]) == expected, key
    page.keyboard.press("ArrowLeft")
    _until(lambda: live.call("GET", "")["shown_activity_id"] == first["id"])


def test_keys_cover_the_screen_and_uncover_it(live: LiveSession, controls: "Callable[[], Page]") -> None:
    _draft(live, "First?", status="active")
    page, screen = controls(), live.screen()
    screen.get_by_role("heading", name="First?").wait_for()

    for key, overlay in [
        ("j", "join"),
        ("g", "leaderboard"),
        ("n", "names"),
        (".", "black"),
        ("b", None),
        ("b", "black"),
        ("Escape", None),
    ]:
        pressed = "[...document.querySelectorAll('[data-command][aria-pressed=true]')].map((each) => each.dataset.command).join()"
        _press(page, key, f"{pressed} === '{overlay or ''}'")
        assert live.call("GET", "")["overlay"] == overlay
    screen.get_by_role("heading", name="First?").wait_for()


def test_keys_extend_and_restart_the_timer(live: LiveSession, controls: "Callable[[], Page]") -> None:
    activity = _draft(live, "First?", status="active")
    page = controls()

    _press(page, "t", "document.querySelector('.timer')?.textContent")
    end = _of(live, activity)["ends_at"]
    page.wait_for_timeout(300)  # as in `_press`
    page.keyboard.press("+")
    _until(lambda: _of(live, activity)["ends_at"] > end)
    assert _seconds(_of(live, activity)["ends_at"]) - _seconds(end) == 30

    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "active", "duration_seconds": 60})
    again = _of(live, activity)["ends_at"]
    page.wait_for_timeout(1_600)
    page.keyboard.press("Shift+T")
    _until(lambda: 1 <= _seconds(_of(live, activity)["ends_at"]) - _seconds(again) <= 5)


def _seconds(instant: str) -> float:
    hours, minutes, seconds = (float(each) for each in instant[11:-1].split(":"))
    return hours * 3600 + minutes * 60 + seconds


def test_digits_jump_and_a_jump_can_be_taken_back(live: LiveSession, controls: "Callable[[], Page]") -> None:
    first, second = _draft(live, "First?"), _draft(live, "Second?")
    page = controls()

    undo = "[...document.querySelectorAll('button')].some((each) => each.textContent === 'Undo')"
    _press(page, "2", undo)
    assert _of(live, second)["status"] == "active"
    page.keyboard.press("1")
    page.wait_for_function("() => document.querySelector('#now-title, .question h1')?.textContent === 'First?'")
    page.wait_for_timeout(1_000)
    page.keyboard.press("Control+z")
    _until(lambda: (_of(live, first)["status"], _of(live, second)["status"]) == ("expired", "active"))


def test_the_right_answer_and_a_reset_have_their_keys(live: LiveSession, controls: "Callable[[], Page]") -> None:
    config, _, _, more = SAMPLES["quiz"]
    activity = live.activity("quiz", config, **more)
    phone = live.phone()
    phone.get_by_label("Curry").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    page = controls()
    questions: list[str] = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))

    page.keyboard.press("l")
    _until(lambda: _of(live, activity)["status"] == "expired")
    page.wait_for_function("() => document.querySelector('[data-command=correct]')")
    page.keyboard.press("c")
    phone.get_by_text("Your answer was correct").wait_for()
    assert (_of(live, activity)["secret_revealed"], _of(live, activity)["results_revealed"]) == (True, False)
    page.keyboard.press("r")
    _until(lambda: live.answers(activity) == [])
    assert questions == ["Delete all answers of this round?"]


def test_every_key_that_acts_has_a_button(live: LiveSession, controls: "Callable[[], Page]") -> None:
    _draft(live, "First?", status="active", duration_seconds=90)
    page = controls()
    page.wait_for_function("() => document.querySelector('[data-command=more]')")
    page.keyboard.press("?")
    page.locator("kbd").first.wait_for()
    keys = page.locator("kbd").all_inner_texts()
    assert keys == ["␣ ⏎ →", "1 … 9", "L", "R", "H", "J", "G", "N", "B .", "⇧ T", "+", "F", "?"]
    page.keyboard.press("Escape")

    buttons = page.locator("[data-command]").evaluate_all("(all) => all.map((each) => each.title)")
    assert sorted(buttons) == sorted(set(keys) - {"␣ ⏎ →", "1 … 9", "L", "?"}), (
        "the step, the activities and the list have their own"
    )
    assert page.locator(".next, [data-bar] .primary").first.inner_text() == "Close answering"


def test_a_screen_without_a_hosts_token_controls_nothing(live: LiveSession) -> None:
    activity = _draft(live, "First?", status="active")
    screen = live.screen()
    screen.get_by_role("heading", name="First?").wait_for()
    before = live.call("GET", "")

    for key in ("Space", "l", "h", "j", "b", "g", "r", "1", "Control+z", "?"):
        screen.keyboard.press(key)
    screen.wait_for_timeout(500)

    assert live.call("GET", "") == before
    assert _of(live, activity)["revision"] == activity["revision"]
    assert screen.locator("[data-bar] button").all_inner_texts() == ["Full screen"]


def test_a_screen_that_is_controlled_downloads_no_hidden_result(live: LiveSession) -> None:
    activity = live.activity("poll", SAMPLES["poll"][0])
    phone = live.phone()
    phone.get_by_label("Curry").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    host = live.host()
    bodies: list[str] = []
    host.context.on("response", lambda answer: bodies.append(answer.url) if "/results" in answer.url and answer.ok else None)
    with host.expect_popup() as popup:
        host.get_by_role("button", name="Open screen").click()
    screen = popup.value
    screen.get_by_text("1 answer", exact=True).wait_for()
    host.close()
    bodies.clear()
    screen.wait_for_timeout(2_500)

    assert bodies == []
    assert _of(live, activity)["results_revealed"] is False


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("overlay", ["join", "leaderboard", "names", "black"])
def test_a_covered_screen_keeps_nobody_out(live: LiveSession, overlay: str, theme: str) -> None:
    activity = live.activity(
        "quiz", SAMPLES["quiz"][0], **SAMPLES["quiz"][3], aggregate={"score": {"path": "/choice", "op": "score", "key": "/correct"}}
    )
    phone = live.phone()
    phone.get_by_label("Curry").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{activity['id']}/reveal", {"results": True})
    screen = live.screen(color_scheme=theme)

    live.call("POST", "/overlay", {"overlay": overlay})
    screen.wait_for_function("(overlay) => document.documentElement.dataset.overlay === overlay", arg=overlay)
    if overlay == "leaderboard":
        screen.get_by_role("row", name=re.compile("1 Anna 1,000")).wait_for()
    elif overlay == "names":
        screen.get_by_role("listitem").get_by_text("Anna").wait_for()
    screenshot(screen, f"screen-{overlay}-{theme}")

    assert barriers(screen) == []
    assert screen.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [1080, 1920]
    assert (screen.locator("main").inner_text() == "The screen is black") is (overlay == "black")


def test_the_bar_appears_while_someone_moves_and_hides_nothing(live: LiveSession) -> None:
    _draft(live, "First?", status="active", duration_seconds=90)
    host = live.host()
    with host.expect_popup() as popup:
        host.get_by_role("button", name="Open screen").click()
    screen = popup.value
    screen.set_viewport_size(PROJECTOR["viewport"])
    bar = screen.locator("[data-bar]")
    screen.locator("[data-command=more]").wait_for(state="attached")
    assert bar.evaluate("(bar) => getComputedStyle(bar).opacity") == "0"

    screen.mouse.move(300, 300)
    screen.wait_for_function("() => getComputedStyle(document.querySelector('[data-bar]')).opacity === '1'")
    screen.keyboard.press("?")
    screen.get_by_role("heading", name="Keyboard shortcuts").wait_for()
    screenshot(screen, "screen-bar")
    assert barriers(screen) == []
    assert screen.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [1080, 1920]
    screen.keyboard.press("Escape")
    screen.wait_for_function("() => getComputedStyle(document.querySelector('[data-bar]')).opacity === '0'", timeout=10_000)


def _wait_for_bar(screen: "Page") -> None:
    """Wait until the page has tried its token and follows the mouse."""
    screen.locator("[data-bar] [data-tools] button").first.wait_for(state="attached")


def test_a_screen_is_set_up_in_another_language(live: LiveSession) -> None:
    screen = live.screen()
    _wait_for_bar(screen)
    screen.mouse.move(300, 300)
    screen.locator("summary", has_text="Language and display").click()
    screen.get_by_label("Language", exact=True).select_option("de")
    screen.wait_for_function("() => document.documentElement.lang === 'de'")


def test_a_choice_that_is_quicker_than_its_module_is_done_when_that_comes(live: LiveSession) -> None:
    screen = live.screen()
    held: list[Route] = []

    def hold(route: "Route") -> None:
        held.append(route)

    screen.route("**/chunks/appearance.js", hold)
    _wait_for_bar(screen)
    screen.mouse.move(300, 300)
    screen.locator("summary", has_text="Language and display").click()
    screen.get_by_label("Language", exact=True).select_option("de")
    _until(lambda: screen.evaluate("1") == 1 and len(held) > 0)

    held.pop().continue_()
    screen.wait_for_function("() => document.documentElement.lang === 'de'")


def test_keys_can_be_switched_off_for_both_pages(live: LiveSession) -> None:
    activity = _draft(live, "First?", status="active")
    host = live.window(f"/host/s/{live.session['id']}#token={live.session['host_token']}", **LAPTOP)
    host.locator(".next").wait_for()
    host.keyboard.press("?")
    host.get_by_label("Use single-key shortcuts").uncheck()
    host.get_by_role("button", name="Close", exact=True).click()
    with host.expect_popup() as popup:
        host.get_by_role("button", name="Open screen").click()
    screen = popup.value
    screen.locator("[data-bar] .primary").wait_for(state="attached")

    for page in (host, screen):
        page.keyboard.press("l")
    screen.wait_for_timeout(300)
    assert _of(live, activity)["status"] == "active"
