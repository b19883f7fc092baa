"""Language, theme and text size: chosen on any page, stored, and rendered by the server."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LAPTOP, PHONE, LiveSession, screenshot, wait_until
from tests.browser.test_accessibility import barriers
from tests.support.processes import ADMIN

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

DARK = "rgb(16, 20, 24)"
APPEARANCE = "Language and display"


def _background(page: "Page") -> str:
    return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


def test_the_language_is_chosen_on_the_page_and_kept(live: LiveSession) -> None:
    page = live.window("/", **PHONE)
    page.locator("summary", has_text=APPEARANCE).click()
    screenshot(page, "phone-appearance")
    page.get_by_label("Language", exact=True).select_option("ar")
    page.wait_for_function("() => document.documentElement.lang === 'ar' && document.documentElement.dir === 'rtl'")

    page.goto(f"{live.server.url}/j/{live.session['join_code']}")
    assert page.evaluate("document.documentElement.lang") == "ar"


def test_an_address_brings_a_language_that_stays(live: LiveSession) -> None:
    page = live.window(f"/j/{live.session['join_code']}?lang=de", **PHONE)
    page.locator("#nickname").fill("Anna")
    page.locator("form[data-door] button").click()
    page.get_by_text("Du bist dabei, Anna.").wait_for()

    page.reload()
    page.get_by_text("Du bist dabei, Anna.").wait_for()
    page.locator("summary", has_text="Anna").click()
    page.get_by_label("Sprache").select_option("fr")
    page.wait_for_function("() => document.documentElement.lang === 'fr'")


@pytest.mark.parametrize("where", ["home", "control", "report", "phone"])
def test_every_page_is_dark_or_light_as_is_wished(live: LiveSession, where: str) -> None:
    opened = {
        "home": lambda: live.window(f"/#admin={ADMIN}", **LAPTOP, color_scheme="light"),
        "control": lambda: live.host(color_scheme="light"),
        "report": lambda: live.host("/report", color_scheme="light"),
        "phone": lambda: live.phone(color_scheme="light"),
    }
    page = opened[where]()
    page.locator("summary", has_text="Anna" if where == "phone" else APPEARANCE).click()

    page.get_by_label("Colours").select_option("dark")
    wait_until(lambda: _background(page) == DARK)  # what heeds a choice is fetched with the first one
    page.get_by_label("Text size").select_option("largest")
    page.wait_for_function("() => document.documentElement.dataset.size === 'largest'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(page) == []
    screenshot(page, f"appearance-{where}")

    page.reload(wait_until="commit")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.locator("main").wait_for()
    assert _background(page) == DARK


def test_without_scripts_the_form_requests_the_page_again(live: LiveSession) -> None:
    page = live.window("/", **PHONE, java_script_enabled=False)
    page.locator("summary", has_text=APPEARANCE).click()
    page.get_by_label("Language", exact=True).select_option("es")
    page.get_by_label("Colours").select_option("dark")
    page.get_by_role("button", name="Apply").click()

    page.wait_for_url("**/?lang=es&theme=dark&size=normal")
    assert page.locator("html").get_attribute("lang") == "es"
    page.goto(live.server.url)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    live.contexts.remove(page.context)
    page.context.close()


@pytest.mark.parametrize("size", ["large", "largest"])
def test_large_text_fits_on_a_small_phone(live: LiveSession, size: str) -> None:
    live.activity(
        "ranking",
        {
            "question": "In which order, all things considered?",
            "options": [{"id": "a", "text": "Curry " * 9}, {"id": "b", "text": "Soup"}],
        },
    )
    page = live.phone(viewport={"width": 320, "height": 640})
    page.evaluate("(size) => (document.cookie = `size=${size}; Path=/`)", size)
    page.reload()
    page.locator("button.square").first.wait_for()
    screenshot(page, f"phone-{size}")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
