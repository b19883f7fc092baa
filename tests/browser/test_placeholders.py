"""Every `{name}` in a text that a page shows has a value: none is empty, null, undefined or NaN."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import LiveSession
from tests.browser.samples import AT_ONCE, SAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FRAMED = re.compile(r"\u27e6(.*?)\u27e7", re.DOTALL)
NO_VALUE = {"", "null", "undefined", "NaN"}
READ = """() => document.body.innerText + [...document.querySelectorAll('[aria-label], [title], [placeholder]')]
  .flatMap((each) => ['aria-label', 'title', 'placeholder'].map((name) => each.getAttribute(name) ?? '')).join(' ')"""


def framed(page: "Page", width: str) -> None:
    """Put the value of each placeholder between brackets, in every text of the page."""

    def frame(route: Any) -> None:
        answer = route.fetch()
        body = re.sub(r"\{(\w+)\}", "\u27e6{\\1}\u27e7", answer.text())
        route.fulfill(response=answer, body=body)

    page.route(re.compile(width), frame)


def opened(live: LiveSession, where: str, **options: Any) -> "Page":
    page = live.window(**options)
    framed(page, r"/(host/s|screen|p|j)/[^?]*$|/words/[a-z]+\.json$")
    page.goto(live.base + where)
    return page


def unfilled(page: "Page") -> list[str]:
    text: str = page.evaluate(READ)
    found = FRAMED.findall(text)
    assert found, "the page shows texts with values"
    return [each for each in found if each.strip() in NO_VALUE or each.startswith("{")]


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_no_page_shows_a_placeholder_without_its_value(live: LiveSession, name: str) -> None:
    config, answer, _, more = SAMPLES[name]
    session, phone = live.session, live.phone()
    activity = live.activity(name, config, **{"results_visibility": "always", **more})
    phone.locator(".now h1").wait_for()
    answer(phone)
    if name not in AT_ONCE:
        phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    pages = [
        opened(live, f"/screen/{session['id']}#token={session['screen_token']}"),
        opened(live, f"/host/s/{session['id']}#token={session['host_token']}"),
    ]
    pages[0].locator(".figures", has_text="1").wait_for()
    pages[1].locator(".next").wait_for()
    assert [unfilled(page) for page in pages] == [[], []]

    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{activity['id']}/reveal", {"results": True})
    pages[0].locator(".closed").wait_for()
    report = opened(live, f"/host/s/{session['id']}/report#token={session['host_token']}")
    report.locator("section.card h2").first.wait_for()
    assert [unfilled(page) for page in (*pages, report)] == [[], [], []]


def test_a_phone_shows_no_placeholder_without_its_value(live: LiveSession) -> None:
    config, answer, _, more = SAMPLES["quiz"]
    quiz = live.activity("quiz", config, **{"results_visibility": "always", "duration_seconds": 600, **more})
    page = opened(live, f"/j/{live.session['join_code'].replace('-', '')}")
    page.locator("#nickname").fill("Anna")
    page.locator("form[data-door] button").click()
    page.locator(".now h1").wait_for()
    answer(page)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()
    assert unfilled(page) == []
    live.call("POST", f"/activities/{quiz['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{quiz['id']}/reveal", {"results": True})
    page.locator(".ranks").wait_for()
    assert unfilled(page) == []
