"""The operator's token stays in one tab, out of reach of pages that show activities."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LAPTOP, LiveSession
from tests.support.processes import ADMIN

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

EVERYTHING = """() => JSON.stringify([
  Object.entries(localStorage), Object.entries(sessionStorage), document.cookie, location.href, history.state, window.name,
  document.documentElement.outerHTML,
])"""


def reachable(page: "Page") -> str:
    """Return all that a script of the page can read."""
    found: str = page.evaluate(EVERYTHING)
    return found


def home_of(live: LiveSession) -> tuple["Page", "BrowserContext"]:
    home = live.window(f"/#admin={ADMIN}", **LAPTOP)
    home.get_by_role("heading", name="Sessions").wait_for()
    return home, home.context


def test_a_session_opens_in_a_tab_that_never_gets_the_token(live: LiveSession) -> None:
    live.activity("poll", {"question": "Lunch?", "options": [{"id": "a", "text": "Soup"}, {"id": "b", "text": "Pie"}]})
    home, context = home_of(live)
    href = f"/host/s/{live.session['id']}"
    with context.expect_page() as opened:
        home.locator(f'a[href^="{href}"]').click()
    control = opened.value

    control.get_by_role("button", name="Code and links").wait_for()

    assert control.url == f"{live.server.url}{href}"
    assert ADMIN not in reachable(control)
    home.reload()
    home.get_by_role("heading", name="Sessions").wait_for()
    with context.expect_page() as again:
        home.locator(f'a[href^="{href}"]').click()
    again.value.get_by_role("button", name="Code and links").wait_for()
    links = live.call("GET", "/links")["items"]
    assert [each["name"] for each in links if each["name"]] == ["The operator"], "a second visit makes no second link"


def test_no_page_that_shows_activities_can_read_the_token(live: LiveSession) -> None:
    home, context = home_of(live)
    session = live.session["id"]
    for path in (f"/host/s/{session}", f"/host/s/{session}/report", f"/screen/{session}", "/", f"/p/{session}"):
        home.evaluate("(token) => { localStorage['conflicto.admin'] = token; sessionStorage['conflicto.admin'] = token; }", ADMIN)
        home.goto(live.server.url + path)
        home.wait_for_function("() => localStorage['conflicto.admin'] === undefined")
        assert ADMIN not in reachable(home), path
    assert len(context.pages) == 1


def test_a_new_session_opens_without_the_token(live: LiveSession) -> None:
    home, _ = home_of(live)
    home.get_by_label("Title", exact=True).fill("Lunch")
    home.get_by_role("button", name="Create").click()
    home.wait_for_url("**/host/s/*")
    home.get_by_text("+ Add an activity").wait_for()
    assert ADMIN not in reachable(home)


def test_a_token_that_an_earlier_version_stored_moves_to_the_tab(live: LiveSession) -> None:
    home = live.window("/host", **LAPTOP)
    home.get_by_label("Admin token").wait_for()
    home.evaluate("(token) => localStorage.setItem('conflicto.admin', token)", ADMIN)
    home.reload()
    home.get_by_role("heading", name="Sessions").wait_for()
    assert home.evaluate("localStorage.getItem('conflicto.admin')") is None
    assert home.evaluate("sessionStorage.getItem('conflicto.admin')") == ADMIN
    other = live.tab(home.context, "/host")
    other.get_by_label("Admin token").wait_for()
