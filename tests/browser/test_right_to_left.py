"""Pages in Arabic: texts of other scripts align with the page's texts."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LiveSession, screenshot

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

QUESTION = {"question": "Where?", "options": [{"id": "a", "text": "Here"}, {"id": "b", "text": "There"}], "multiple": False}

STARTS = """(words) => {
  const range = document.createRange();
  range.selectNodeContents(words);
  const box = words.getBoundingClientRect();
  const text = range.getBoundingClientRect();
  return [Math.round(text.left - box.left), Math.round(box.right - text.right)];
}"""
"""Return the distances of an element's text from its left and right edges."""

HALF = """() => {
  const bar = document.querySelector('.bars tr:nth-child(2) svg');
  const share = bar.querySelector('rect').getBoundingClientRect().width / bar.getBoundingClientRect().width;
  return Math.abs(share - 0.5) < 0.01;
}"""
ENDS = """(row) => ({
  room: row.querySelector('svg').getBoundingClientRect().toJSON(),
  bar: row.querySelector('rect').getBoundingClientRect().toJSON(),
})"""


def _stands_right(page: "Page", selector: str) -> None:
    left, right = page.locator(selector).first.evaluate(STARTS)
    assert right <= 1 < left, (selector, left, right)


def test_latin_words_stand_on_the_right_of_an_arabic_page(live: LiveSession) -> None:
    live.activity("poll", QUESTION)
    phone, screen, host = live.phone(locale="ar"), live.screen(locale="ar"), live.host(locale="ar")

    for page, places in (
        (phone, ["h1", ".choice .grow"]),
        (screen, [".question h1", ".where .strong", ".big-code"]),
        (host, ["h1", "#now-title"]),
    ):
        page.get_by_text("Where?").first.wait_for()
        for place in places:
            _stands_right(page, place)
    screenshot(phone, "phone-arabic")
    screenshot(screen, "screen-arabic")
    screenshot(host, "host-arabic")


def test_bars_grow_from_their_labels(live: LiveSession) -> None:
    poll = live.activity("poll", QUESTION, results_visibility="always")
    for name, chosen in (("Ben", "a"), ("Cleo", "a"), ("Diego", "b")):
        seat = live.server.call("POST", "/join", {"nickname": name, "code": live.session["join_code"]})
        path = f"{live.path}/activities/{poll['id']}/responses"
        live.server.call("POST", path, {"response_data": {"choices": [chosen]}}, token=seat["participant_token"])
    for locale, side in (("ar", "right"), ("en", "left")):
        screen = live.screen(locale=locale)
        screen.locator(".bars svg").nth(1).wait_for()
        screen.wait_for_function(HALF)  # a bar takes its time to grow
        ends = screen.locator(".bars tr").nth(1).evaluate(ENDS)
        assert abs(ends["bar"][side] - ends["room"][side]) <= 1, (locale, ends)


@pytest.mark.parametrize("locale", ["ar", "de", "en"])
def test_what_the_large_button_does_no_other_does(live: LiveSession, locale: str) -> None:
    live.activity("poll", QUESTION)
    host = live.host(locale=locale)
    host.locator("[data-command=reset]").wait_for()
    assert host.locator("[data-command=lock]").count() == 0

    host.locator(".next").click()
    host.locator("[data-command=lock]").wait_for()
    assert host.locator("[data-command=results]").count() == 0

    host.locator(".next").click()
    host.locator("[data-command=results]").wait_for()
