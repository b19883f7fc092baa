"""An answer on its way, and options that are chosen by their digits."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot
from tests.browser.samples import OPTIONS, SAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where?", "options": OPTIONS, "multiple": False}
SENDING_MS = 400

CLICK_AND_WATCH = """() => {
  window.shownAfter = null;
  const began = performance.now();
  new MutationObserver(() => {
    const isShown = document.querySelector('.action').textContent.includes('Sending');
    if (isShown) window.shownAfter ??= performance.now() - began;
  }).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
  document.querySelector('.action .primary').click();
}"""


def _keyboard(live: LiveSession) -> "Page":
    return live.phone(**(PHONE | {"has_touch": False, "is_mobile": False}))


def _chosen(page: "Page") -> list[str]:
    return page.eval_on_selector_all(".choices input:checked", "(inputs) => inputs.map((each) => each.value)")


def test_an_answer_is_shown_as_sending_only_when_it_takes_longer(live: LiveSession) -> None:
    live.activity("poll", POLL)
    page = live.phone()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/responses", hold)
    page.get_by_label("Curry").check()
    page.evaluate(CLICK_AND_WATCH)

    page.get_by_text("Sending …").wait_for()
    assert page.evaluate("window.shownAfter") >= SENDING_MS
    held[0].continue_()
    page.get_by_text("Your answer is in ·").wait_for()
    assert page.get_by_text("Sending …").count() == 0


def test_a_digit_chooses_in_the_group_that_someone_is_in(live: LiveSession) -> None:
    live.activity("poll", POLL)
    page = _keyboard(live)
    page.get_by_label("Pizza").wait_for()
    page.keyboard.press("2")
    assert _chosen(page) == [], "nobody is in the group"

    page.get_by_label("Pizza").focus()
    page.keyboard.press("3")
    assert _chosen(page) == ["c"]
    assert page.get_by_label("Soup").evaluate("(input) => input === document.activeElement")
    page.get_by_text("Keys 1 to 3 choose.").wait_for()
    screenshot(page, "phone-digits")
    for key in ("9", "0", "Control+1", "x"):
        page.keyboard.press(key)
    assert _chosen(page) == ["c"]
    page.keyboard.press("2")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()


def test_digits_choose_several_where_several_may_be_chosen(live: LiveSession) -> None:
    live.activity("poll", POLL | {"multiple": True})
    page = _keyboard(live)
    page.get_by_label("Pizza").focus()
    for key in ("1", "3", "1", "2"):
        page.keyboard.press(key)
    assert _chosen(page) == ["b", "c"]


def test_a_digit_chooses_nothing_once_answering_is_closed(live: LiveSession) -> None:
    activity = live.activity("quiz", SAMPLES["quiz"][0], **SAMPLES["quiz"][3])
    page = _keyboard(live)
    page.get_by_label("Curry").check()
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    page.locator("main").get_by_text("Answering is closed").wait_for()
    page.locator(".choices").dispatch_event("keydown", {"key": "1", "bubbles": True})
    assert _chosen(page) == ["b"]


def test_a_digit_in_a_text_is_a_digit(live: LiveSession) -> None:
    live.activity("wall", SAMPLES["wall"][0])
    page = _keyboard(live)
    page.get_by_label("Your text").focus()
    page.keyboard.type("1 of 9")
    assert page.get_by_label("Your text").input_value() == "1 of 9"
