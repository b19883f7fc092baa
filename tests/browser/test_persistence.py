"""Notices until they are dismissed, browsers without storage, and the server's clock."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot, wait_until
from tests.browser.samples import OPTIONS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where?", "options": OPTIONS, "multiple": False}
THROWS = """
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
    Object.defineProperty(globalThis, name, { get() { throw new DOMException('denied', 'SecurityError'); }, configurable: true });
  }
"""
FULL = """
  const set = Storage.prototype.setItem;
  Storage.prototype.setItem = function () { throw new DOMException('full', 'QuotaExceededError'); };
"""
TEN_MINUTES_FAST = "const real = Date.now; Date.now = () => real.call(Date) + 600_000;"


def _send(page: "Page", label: str = "Curry") -> None:
    page.get_by_label(label).check()
    page.get_by_role("button", name="Send").or_(page.get_by_role("button", name="Change my answer")).click()


def _expire(live: LiveSession, activity: dict) -> None:
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})


def _expect_in_my_answers(page: "Page", *texts: str) -> None:
    page.locator(".seat .menu summary").click()
    page.get_by_role("button", name="My answers", exact=True).click()
    for text in texts:
        page.locator("dialog").get_by_text(text).first.wait_for()
    page.get_by_role("button", name="Close").click()


def test_a_refused_answer_stays_until_it_is_dismissed(live: LiveSession) -> None:
    activity = live.activity("poll", POLL)
    page = live.phone()
    held = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/responses", hold)
    _send(page)
    wait_until(lambda: page.evaluate("1") == 1 and len(held) == 1)
    _expire(live, activity)
    held[0].continue_()
    notice = page.locator(".notice")
    notice.get_by_text("This answer was not counted").wait_for()

    live.activity("poll", POLL | {"question": "When?"})
    page.get_by_role("heading", name="When?").wait_for()
    page.reload()
    page.get_by_role("heading", name="When?").wait_for()
    notice.get_by_text("This answer was not counted").wait_for()
    assert "Where?" in notice.inner_text()
    assert "Curry" in notice.inner_text()
    screenshot(page, "phone-refused")
    _expect_in_my_answers(page, "Curry", "not counted")
    notice.get_by_role("button", name="Got it").click()
    notice.wait_for(state="detached")
    page.reload()
    page.get_by_role("heading", name="When?").wait_for()
    page.wait_for_function("() => document.querySelector('.panel label') !== null", timeout=10_000)
    assert notice.count() == 0


@pytest.mark.parametrize("language", ["en-US", "de-DE", "ar-EG"])
def test_an_unsent_choice_is_reported_and_stays(live: LiveSession, language: str) -> None:
    activity = live.activity("poll", POLL)
    page = live.phone(locale=language, viewport={"width": 320, "height": 640}, color_scheme="light")
    page.get_by_label("Curry").check()
    _expire(live, activity)
    notice = page.locator(".notice[role=alert]")
    notice.wait_for()
    screenshot(page, f"phone-unsent-{language}")
    assert "Curry" in notice.inner_text()
    live.activity("poll", POLL | {"question": "When?"})
    page.get_by_role("heading", name="When?").wait_for()
    assert "Curry" in notice.inner_text()
    notice.get_by_role("button").click()
    notice.wait_for(state="detached")


def test_a_sent_or_unchosen_answer_is_not_reported(live: LiveSession) -> None:
    activity = live.activity("poll", POLL)
    sent, idle = live.phone("Sent"), live.phone("Idle")
    _send(sent)
    sent.get_by_text("Your answer is in ·").wait_for()
    for page in (sent, idle):
        page.wait_for_function("() => document.querySelector('.panel label') !== null")
    _expire(live, activity)
    for page in (sent, idle):
        page.locator("main").get_by_text("Answering is closed").wait_for()
        assert page.locator(".notice").count() == 0


@pytest.mark.parametrize("storage", [THROWS, FULL], ids=["throws", "full"])
def test_pages_work_from_memory_and_explain_what_that_means(live: LiveSession, storage: str) -> None:
    activity = live.activity("poll", POLL)
    pages = {}
    for kind, at in (
        ("phone", f"/j/{live.session['join_code']}"), ("host", f"/host/s/{live.session['id']}#token={live.session['host_token']}"),
        ("screen", f"/screen/{live.session['id']}#token={live.session['screen_token']}"),
    ):  # fmt: skip
        page = pages[kind] = live.window(**PHONE)
        page.add_init_script(storage)
        page.goto(live.base + at)
    pages["phone"].get_by_label("Your nickname").fill("Anna")
    pages["phone"].get_by_role("button", name="Join").click()
    _send(pages["phone"])
    pages["phone"].get_by_text("Your answer is in ·").wait_for()
    pages["phone"].get_by_text("This browser stores nothing").wait_for()
    screenshot(pages["phone"], "phone-unkept")
    assert live.answers(activity) == [{"choices": ["b"]}]
    for kind in ("host", "screen"):
        pages[kind].get_by_role("heading", name="Where?").first.wait_for()
        pages[kind].get_by_text("This browser stores nothing").first.wait_for()
        pages[kind].reload()
        pages[kind].get_by_role("heading", name="Where?").first.wait_for()


def _two_tabs(live: LiveSession) -> tuple["Page", "Page"]:
    page = live.phone()
    page.get_by_label("Pizza").wait_for()
    other = live.tab(page.context, page.url.removeprefix(live.base))
    other.get_by_label("Pizza").wait_for()
    return page, other


def test_two_tabs_of_one_seat_agree_within_a_second(live: LiveSession) -> None:
    live.activity("poll", POLL)
    page, other = _two_tabs(live)
    for tab, label in ((page, "Curry"), (other, "Pizza"), (page, "Soup")):
        _send(tab, label)
        for each in (page, other):
            each.wait_for_function(
                "(label) => document.querySelector('.choice input:checked')?.closest('.choice').textContent.includes(label)",
                arg=label,
            )
            each.get_by_text("Your answer is in ·").wait_for()

    page.locator(".seat .menu summary").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Leave, keep my answers").click()
    for each in (page, other):
        each.get_by_label("Code on the screen").wait_for()


def test_an_answer_that_one_tab_keeps_is_what_the_other_shows_and_the_newest_counts(live: LiveSession) -> None:
    activity = live.activity("poll", POLL)
    page, other = _two_tabs(live)
    page.context.route("**/responses", lambda route: route.abort())
    _send(page, "Curry")
    other.wait_for_function("() => document.querySelector('.choice input:checked')?.value === 'b'")
    _send(other, "Soup")
    page.wait_for_function("() => document.querySelector('.choice input:checked')?.value === 'c'")
    page.context.unroute("**/responses")
    for each in (page, other):
        each.get_by_text("Your answer is in ·").wait_for()
    wait_until(lambda: live.answers(activity) == [{"choices": ["c"]}])


def test_an_older_answer_that_one_tab_still_sends_does_not_come_last(live: LiveSession) -> None:
    activity = live.activity("poll", POLL)
    page, other = _two_tabs(live)
    held: list[Any] = []
    page.route("**/responses", lambda route: route.continue_() if held else held.append(route))
    _send(page, "Curry")
    wait_until(lambda: page.evaluate("1") == 1 and len(held) == 1)
    other.wait_for_function("() => document.querySelector('.choice input:checked')?.value === 'b'")
    _send(other, "Soup")
    wait_until(lambda: other.evaluate("1") == 1 and live.answers(activity) == [{"choices": ["c"]}])
    with page.expect_response("**/responses") as late:
        held[0].continue_()
    assert late.value.ok
    for each in (page, other):
        each.get_by_text("Your answer is in ·").wait_for()
        assert each.locator(".choice input:checked").get_attribute("value") == "c"
    assert live.answers(activity) == [{"choices": ["c"]}]


def test_no_page_goes_by_its_own_clock(live: LiveSession) -> None:
    activity = live.activity("poll", POLL, duration_seconds=300)
    ends = activity["ends_at"]
    for kind in ("host", "screen"):
        page = live.window(viewport={"width": 1280, "height": 800})
        page.add_init_script(TEN_MINUTES_FAST)
        at = f"/host/s/{live.session['id']}" if kind == "host" else f"/screen/{live.session['id']}"
        page.goto(f"{live.base}{at}#token={live.session[f'{kind}_token']}")
        page.wait_for_function("() => /[2-5]:[0-9]/.test(document.querySelector('[role=timer]')?.textContent)")
        if kind == "host":
            page.keyboard.press("Shift+T")
            wait_until(lambda: live.call("GET", f"/activities/{activity['id']}")["ends_at"] != ends)
    moved = live.call("GET", f"/activities/{activity['id']}")["ends_at"]
    assert ends < moved
    assert moved[:4] == ends[:4]


def test_the_first_question_is_announced(live: LiveSession) -> None:
    page = live.phone()
    page.get_by_text("You are in, Anna.").wait_for()
    page.evaluate(
        "window.announced = []; new MutationObserver(() => announced.push(announce.textContent)).observe(announce, { childList: true })"
    )
    live.activity("poll", POLL)
    page.wait_for_function("() => announced.some((text) => text.includes('New question: Where?'))")
