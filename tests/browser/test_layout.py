"""The layout of screens: no overlaps, no small labels, no empty halves."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot
from tests.browser.test_accessibility import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SMALL = {"width": 1280, "height": 720}
LARGE = {"width": 1920, "height": 1080}
MIN_SIZES = {"width": 1024, "height": 768}
NAMES = ("Amara", "Bartholomäus", "Chiara", "Diego", "Elif", "Farid", "Greta", "Hana")
LONG = "What is to be done first, all things considered, and by whom, now that the summer is over and the days grow shorter?"
OPTIONS = [{"id": chr(97 + at), "text": f"Option {at + 1}, which takes a little longer to read"} for at in range(8)]
MIN_LABEL_PX = 12
MIN_SHARE = 2.5
MIN_TITLE_PX = 180
BOXES = "(all) => all.map((each) => each.getBoundingClientRect().toJSON())"

TEXTS = """(words) => words.map((each) => {
  const range = document.createRange();
  range.selectNodeContents(each);
  const { left, right, top, bottom } = range.getBoundingClientRect();
  return { left, right, top, bottom };
})"""
"""Boxes of the texts of elements."""


def _box(page: "Page", selector: str) -> dict[str, float]:
    return page.locator(selector).first.evaluate("(each) => each.getBoundingClientRect().toJSON()")


def _are_all_seen(page: "Page", selector: str) -> bool:
    room = _box(page, ".display")
    return all(each["bottom"] <= room["bottom"] + 1 for each in page.locator(selector).evaluate_all(TEXTS))


def _seats(live: LiveSession, *names: str) -> list[Any]:
    return [live.server.call("POST", "/join", {"nickname": name, "code": live.session["join_code"]}) for name in names]


def _answer(live: LiveSession, activity: dict[str, Any], seat: Any, data: Any) -> None:
    path = f"{live.path}/activities/{activity['id']}/responses"
    live.server.call("POST", path, {"response_data": data}, token=seat["participant_token"])


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["1280", "1920"])
def test_a_long_question_with_many_options_fills_the_screen(live: LiveSession, size: dict[str, int]) -> None:
    live.activity("poll", {"question": LONG, "options": OPTIONS, "multiple": False})
    screen = live.screen(viewport=size)
    screen.get_by_text("Option 8").wait_for()
    screen.wait_for_function("() => document.querySelector('.options').style.getPropertyValue('--size') !== ''")
    screenshot(screen, f"screen-options-{size['width']}")

    room, lists = _box(screen, ".display"), _box(screen, ".options")
    assert _are_all_seen(screen, ".options li")
    assert lists["height"] >= 0.7 * room["height"]


def test_a_quiz_and_its_leaderboard_stand_side_by_side(live: LiveSession) -> None:
    options = [{"id": chr(97 + at), "text": f"The city number {at + 1}, Königswusterhausen an der Dahme"} for at in range(4)]
    quiz = live.activity("quiz", {"question": LONG, "options": options}, secret={"correct": "b"})
    for seat in _seats(live, "Maximiliane-Charlotte", "Bartholomäus der Zweite", "Cleo"):
        _answer(live, quiz, seat, {"choice": "b"})
    screen = live.screen(viewport=SMALL)
    live.call("POST", f"/activities/{quiz['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{quiz['id']}/reveal", {"results": True, "secret": True})
    screen.locator(".ranks").wait_for()
    screen.locator(".is-right").wait_for()
    screenshot(screen, "screen-quiz-ranks")

    assert _are_all_seen(screen, ".bars th")
    edge = _box(screen, ".ranks")["left"]
    assert all(each["right"] <= edge for each in screen.locator(".results .bars :is(th, td:last-child)").evaluate_all(TEXTS))
    assert _box(screen, ".ranks")["right"] <= _box(screen, ".display")["right"] + 1

    live.call("POST", "/overlay", {"overlay": "leaderboard"})
    screen.locator(".cover .ranks").wait_for()
    screenshot(screen, "screen-cover-ranks")
    assert screen.get_by_text("Leaderboard", exact=True).locator("visible=true").count() == 1


def test_ranks_beside_long_options_are_all_seen_on_a_small_screen(live: LiveSession) -> None:
    options = [{"id": chr(97 + at), "text": f"The city number {at + 1}, Königswusterhausen an der Dahme"} for at in range(4)]
    quiz = live.activity("quiz", {"question": LONG, "options": options}, secret={"correct": "b"})
    for seat in _seats(live, *NAMES):
        _answer(live, quiz, seat, {"choice": "b"})
    screen, phone = live.screen(viewport=MIN_SIZES), live.phone("Zoë", **(PHONE | {"viewport": {"width": 320, "height": 640}}))
    phone.get_by_label("The city number 2").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    live.call("POST", f"/activities/{quiz['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{quiz['id']}/reveal", {"results": True, "secret": True})
    screen.locator(".ranks tbody tr").nth(7).wait_for()
    screen.locator(".is-right").wait_for()
    screenshot(screen, "screen-quiz-ranks-1024")

    assert _are_all_seen(screen, ".ranks td")
    assert _are_all_seen(screen, ".bars :is(th, td)")
    assert screen.locator(".bars").evaluate("(bars) => Number(bars.style.getPropertyValue('--size'))") >= MIN_SHARE

    phone.locator(".seat .chip").wait_for()
    screenshot(phone, "phone-score-320")
    assert _box(phone, ".seat > .grow")["width"] >= MIN_TITLE_PX


@pytest.mark.parametrize(("size", "seconds"), [(MIN_SIZES, 3_000), (LARGE, 9)], ids=["long", "late"])
def test_the_time_that_is_left_stands_on_one_line_beside_the_question(
    live: LiveSession, size: dict[str, int], seconds: int
) -> None:
    live.activity("poll", {"question": LONG, "options": OPTIONS[:2], "multiple": False}, duration_seconds=seconds)
    screen = live.screen(viewport=size)
    timer = screen.locator("aside .timer")
    timer.wait_for()
    words, beside = timer.evaluate_all(TEXTS)[0], _box(screen, "aside")
    assert beside["left"] <= words["left"] < words["right"] <= beside["right"] + 1
    assert words["bottom"] - words["top"] <= 1.5 * float(timer.evaluate("(each) => parseFloat(getComputedStyle(each).fontSize)"))


def test_no_question_is_cut_in_two_at_the_foot_of_the_screen(live: LiveSession) -> None:
    question = live.activity(
        "questions",
        {"prompt": "Ask us anything"},
        response_policy="many",
        responses_visibility="screen",
        results_visibility="always",
    )
    for at, seat in enumerate(_seats(live, *NAMES)):
        _answer(live, question, seat, {"text": f"Question {at}: {LONG}"})
    screen = live.screen(viewport=MIN_SIZES)
    screen.locator(".question-list li").nth(7).wait_for(state="attached")
    screenshot(screen, "screen-questions-1024")

    room = _box(screen, ".display")
    rows = [each for each in screen.locator(".question-list li").evaluate_all(BOXES) if each["left"] < room["right"]]
    assert 2 <= len(rows) < len(NAMES)
    assert max(each["bottom"] for each in rows) <= room["bottom"] + 1


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["1280", "1920"])
def test_a_bar_begins_well_after_its_label(live: LiveSession, size: dict[str, int]) -> None:
    poll = live.activity("poll", {"question": "Which?", "options": OPTIONS[:5], "multiple": False}, results_visibility="always")
    _answer(live, poll, _seats(live, "Anna")[0], {"choices": ["b"]})
    screen = live.screen(viewport=size)
    screen.locator(".bars svg").first.wait_for()
    screenshot(screen, f"screen-bars-{size['width']}")

    assert _are_all_seen(screen, ".bars th")
    label = max(each["right"] for each in screen.locator(".bars th").evaluate_all(TEXTS))
    assert _box(screen, ".bars svg")["left"] - label >= 0.025 * size["height"]


def test_the_list_of_keys_is_as_large_as_its_words_need(live: LiveSession) -> None:
    live.activity("poll", {"question": "Which?", "options": OPTIONS[:2], "multiple": False})
    host = live.host()
    host.locator(".next").wait_for()
    screen = live.tab(host.context, f"/screen/{live.session['id']}#token={live.session['screen_token']}")
    screen.locator(".bar .primary").wait_for(state="attached")
    screen.keyboard.press("?")
    screen.locator(".key-list kbd").first.wait_for()
    screen.wait_for_function("() => getComputedStyle(document.querySelector('.bar')).opacity === '1'")
    screenshot(screen, "screen-keys")

    longest = max(each["right"] - each["left"] for each in screen.locator(".key-list dd").evaluate_all(TEXTS))
    assert _box(screen, ".key-list .keys")["width"] <= 2 * (longest + 120)
    assert screen.locator(".key-list").evaluate("(each) => each.scrollHeight <= each.clientHeight")


@pytest.mark.parametrize("width", [412, 320])
def test_the_figures_of_a_histogram_can_be_read_on_a_phone(live: LiveSession, width: int) -> None:
    estimate = live.activity("estimate", {"question": "How heavy?", "unit": "kg"}, results_visibility="always")
    seats = _seats(live, *(f"P{number}" for number in range(8)))
    for number, seat in enumerate(seats):
        _answer(live, estimate, seat, {"value": 1_000 + number * number * 130})
    phone = live.phone(**(PHONE | {"viewport": {"width": width, "height": 640}}))
    phone.get_by_label("Your number").fill("1500")
    phone.get_by_role("button", name="Send").click()
    phone.locator(".histogram .axis").first.wait_for()
    screenshot(phone, f"phone-histogram-{width}")

    sizes = phone.locator(".histogram text").evaluate_all(
        "(words) => words.map((each) => parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a)"
    )
    assert min(sizes) >= MIN_LABEL_PX
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_median_is_drawn_as_a_box_on_phone_and_screen(live: LiveSession) -> None:
    median = {"middle": {"path": "/value", "op": "median"}}
    estimate = live.activity("estimate", {"question": "How heavy?", "unit": "kg"}, results_visibility="always", aggregate=median)
    for seat, value in zip(
        _seats(live, *(f"P{number}" for number in range(8))), (1_000, 1_100, 1_250, 1_400, 1_500, 1_800, 2_600, 4_000), strict=True
    ):
        _answer(live, estimate, seat, {"value": value})
    phone, screen = live.phone(**(PHONE | {"viewport": {"width": 320, "height": 640}})), live.screen(viewport=MIN_SIZES)
    phone.get_by_label("Your number").fill("1500")
    phone.get_by_role("button", name="Send").click()
    for page, name in ((phone, "phone"), (screen, "screen")):
        page.locator(".of-median rect").wait_for()
        page.get_by_text("Median 1,500, half of the answers from 1,250 to 1,800").wait_for()
        assert page.locator(".of-median table tbody tr").count() == 5
        screenshot(page, f"{name}-median")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_one_question_fills_the_screen_while_the_host_wants_it_there(live: LiveSession) -> None:
    question = live.activity(
        "questions", {"prompt": "Ask us anything"}, response_policy="many", responses_visibility="screen", moderation="after"
    )
    for at, seat in enumerate(_seats(live, "Anna", "Ben")):
        _answer(live, question, seat, {"text": f"{at} {LONG}"})
    screen, host = live.screen(viewport=MIN_SIZES, color_scheme="dark"), live.host()
    screen.get_by_role("listitem").nth(1).wait_for()

    button = host.get_by_role("button", name=f"Show large: 0 {LONG}")
    button.focus()
    host.keyboard.press("Enter")
    large = screen.get_by_role("heading", name=f"0 {LONG}")
    large.wait_for()
    host.locator("button[aria-pressed=true]", has_text="Show large").wait_for()
    assert host.locator("[role=alert]", has_text=re.compile(r"\S")).count() == 0, "what the server did is told as refused"
    screenshot(screen, "screen-focus-1024")
    screenshot(host, "host-focus")
    assert screen.get_by_role("listitem").count() == 0
    assert large.evaluate("(each) => each.scrollHeight <= each.clientHeight && Number(each.style.getPropertyValue('--size')) >= 6")
    assert barriers(screen) == barriers(host) == []

    host.get_by_role("listitem").filter(has_text=f"0 {LONG}").get_by_role("button", name="Hide").click()
    large.wait_for(state="detached")
    screen.get_by_role("listitem").filter(has_text=f"1 {LONG}").wait_for()
