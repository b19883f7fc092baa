"""Typed numbers: focused fields are never overwritten, and ambiguous numbers refused."""

from typing import Any

import pytest

from tests.browser.live_session import LAPTOP, PHONE, LiveSession, screenshot

pytestmark = pytest.mark.browser

READ = """async ([texts]) => {
  const { base } = JSON.parse(document.getElementById('boot').textContent);
  const { readNumber } = await import(`${base}/sdk/numbers.js`);
  return texts.map((text) => { const value = readNumber(text); return Number.isNaN(value) ? 'unclear' : value; });
}"""

EVERYWHERE: dict[str, Any] = {
    "": None, "  ": None, "5": 5, "-5": -5, "-0.5": -0.5, ".5": 0.5, ",5": 0.5, "-,5": -0.5, "3,5": 3.5, "3.5": 3.5, "5.": 5,
    "+5": 5,
    "\u22125": -5, "\u20135": -5, "\uff0d\uff15": -5, "\u0663\u066b\u0665": 3.5, "-\u0663\u066b\u0665": -3.5,
    "\u061c-\u0665": -5, "\u0967\u0968": 12, "\U0001d7d9\U0001d7da": 12, "1 000": 1000,
    "1\u202f000\u00a0000": 1_000_000, "1'000.5": 1000.5,
    "1,234.5": 1234.5, "1.234,5": 1234.5, "1,234,567": 1_234_567, "1.234.567": 1_234_567,
    "12,34,567.8": 1_234_567.8, "0,123": 0.123, "0.123": 0.123, "1234,567": 1234.567, "007": 7, "1\u066c234\u066c567": 1_234_567,
    "1e3": "unclear", "0x10": "unclear", "--5": "unclear", "5-": "unclear", "1 2": "unclear", "1,2,3": "unclear",
    "1.2.3": "unclear", "five": "unclear",
    "1,234,5": "unclear", "1.2,34.5": "unclear", "-": "unclear",
    ".": "unclear", "5kg": "unclear", "\u221e": "unclear", "\u00bd": "unclear", "NaN": "unclear",
}  # fmt: skip
BY_LANGUAGE = {
    "en": {"1,234": "unclear", "1.234": 1.234}, "de": {"1,234": 1.234, "1.234": "unclear"}, "fr": {"1,234": 1.234, "1.234": 1.234},
    "ar": {"1,234": "unclear", "1.234": 1.234},
}  # fmt: skip


@pytest.mark.parametrize("language", BY_LANGUAGE)
def test_a_number_is_read_by_the_language_of_the_page(live: LiveSession, language: str) -> None:
    page = live.window(f"/?lang={language}", **PHONE)
    wanted = EVERYWHERE | BY_LANGUAGE[language]
    assert dict(zip(wanted, page.evaluate(READ, [list(wanted)]), strict=True)) == wanted


@pytest.mark.parametrize("typed", ["-5", "-0.5", ".5", "3,5", "\u22122,5"])
def test_what_is_typed_stays_as_it_is_typed_and_is_what_is_sent(live: LiveSession, typed: str) -> None:
    activity = live.activity("estimate", {"question": "How many?"})
    page = live.phone()
    field = page.get_by_label("Your number")
    field.focus()
    for end, key in enumerate(typed, 1):
        page.keyboard.type(key)
        assert field.input_value() == typed[:end]
    field.press("Enter")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()
    assert live.answers(activity) == [{"value": float(typed.replace(",", ".").replace("\u2212", "-"))}]


@pytest.mark.parametrize("language", ["en-US", "de-DE", "ar-EG"])
def test_unclear_input_is_reported_and_not_sent(live: LiveSession, language: str) -> None:
    live.activity("estimate", {"question": "How many?", "min": -10, "max": 10, "step": 0.5})
    page = live.phone(locale=language, viewport={"width": 320, "height": 640})
    field = page.locator("#value")
    for typed in ("1e3", "11", "0,3"):
        field.fill(typed)
        page.locator("#value-hint.bad").wait_for()
        assert field.get_attribute("aria-invalid") == "true"
        assert page.locator(".action .primary").is_disabled()
        assert field.input_value() == typed
    field.fill("1e3")
    screenshot(page, f"phone-unclear-{language}")
    field.fill("-2.5")
    page.locator(".action .primary:enabled").wait_for()


def test_an_answer_of_another_tab_shows_in_a_field_that_nobody_is_in(live: LiveSession) -> None:
    live.activity("estimate", {"question": "How many?"})
    page = live.phone()
    other = live.tab(page.context, page.url.removeprefix(live.base))
    for tab, number in ((page, "1,5"), (other, "2,5")):
        tab.locator("#value").fill(number)
        tab.get_by_role("button", name="Send").or_(tab.get_by_role("button", name="Change my answer")).click()
        tab.get_by_text("Your answer is in ·").wait_for()
    page.wait_for_function("() => document.getElementById('value').value === '2.5'", timeout=5_000)


def test_a_hosts_number_is_not_fought_with_either(live: LiveSession) -> None:
    page = live.host(**LAPTOP)
    page.get_by_text("+ Add an activity").click()
    page.get_by_role("button", name="Estimate", exact=True).click()
    page.get_by_label("Question").fill("How cold?")
    field = page.get_by_label("Lowest value")
    field.focus()
    for end, key in enumerate("-2,5", 1):
        page.keyboard.type(key)
        assert field.input_value() == "-2,5"[:end]
    page.get_by_role("button", name="Save").click()
    page.locator("dialog").wait_for(state="hidden")
    assert live.call("GET", "/activities")["items"][0]["config"]["min"] == -2.5
