"""Barriers on pages: contrast, names, sizes and languages, in every state and theme."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from conflicto.web.languages import CATALOGS, NAMES
from tests.browser.live_session import LAPTOP, PHONE, LiveSession, screenshot
from tests.browser.samples import SAMPLES
from tests.support.processes import ADMIN

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MIN_TARGET_PX = 44
CLIPPED = """() => [...document.querySelectorAll('button, label, summary, .chip, h1, h2')]
  .filter((each) => each.offsetParent && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline')
  .map((each) => each.textContent)"""


def barriers(page: "Page") -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_activity_type_keeps_anybody_out(live: LiveSession, name: str, theme: str) -> None:
    config, answer, _, more = SAMPLES[name]
    live.activity(name, config, **more)
    phone = live.phone(color_scheme=theme)
    phone.get_by_role("heading", level=1, name=next(iter(config.values()))).wait_for()
    found = barriers(phone)
    answer(phone)
    found += barriers(phone)
    if name != "pulse":
        phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()

    assert found + barriers(phone) == []
    small = phone.evaluate(
        f"""() => [...document.querySelectorAll('main button, main label:has(input), main summary')]
          .map((each) => [each.textContent, each.getBoundingClientRect()])
          .filter(([, box]) => box.width > 0 && (box.width < {MIN_TARGET_PX} || box.height < {MIN_TARGET_PX})).map(([text]) => text)"""
    )
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_keeps_anybody_out(live: LiveSession, theme: str) -> None:
    activity = live.activity("poll", SAMPLES["poll"][0], duration_seconds=90)
    found: dict[str, list[str]] = {}
    door = live.window("/", **PHONE, color_scheme=theme)
    found["door"] = barriers(door)
    door.get_by_label("Code on the screen").fill("BBBB-BBBB")
    door.get_by_role("button", name="Continue").click()
    door.get_by_role("alert").get_by_text("There is no session").wait_for()
    found["wrong code"] = barriers(door)
    phone = live.phone(color_scheme=theme)
    phone.get_by_text("Anna").click()
    found["menu"] = barriers(phone)
    screenshot(phone, f"phone-menu-{theme}")
    home = live.window(f"/#admin={ADMIN}", **LAPTOP, color_scheme=theme)
    home.get_by_text("Town hall").first.wait_for()
    found["home"] = barriers(home)
    screenshot(home, f"host-home-{theme}")
    host = live.host(color_scheme=theme)
    host.get_by_text("+ Add an activity").click()
    found["host"] = barriers(host)
    screenshot(host, f"host-control-{theme}")
    for button in ("Code and links", "Keyboard shortcuts", "Edit: Where do we eat?"):
        host.get_by_role("button", name=button).click()
        host.locator("dialog h2").wait_for()
        found[button] = barriers(host)
        host.keyboard.press("Escape")
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    screen, report = live.screen(color_scheme=theme), live.host("/report", color_scheme=theme)
    screen.get_by_role("heading", name="Where do we eat?").wait_for()
    report.get_by_role("heading", name="Where do we eat?").wait_for()
    found["screen"], found["report"] = barriers(screen), barriers(report)

    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("locale", [*NAMES, "en-XA"])
def test_every_language_fits(live: LiveSession, locale: str) -> None:
    live.activity("ranking", SAMPLES["ranking"][0])
    words = json.loads((CATALOGS / "en.json").read_text(encoding="utf-8")) if locale == "en-XA" else None
    phone = live.phone(locale=locale)
    phone.locator("button.square").first.wait_for()
    host = live.host(locale=locale)
    host.locator(".next").wait_for()
    for page in (phone, host):
        _lengthen(page, words)
        assert page.evaluate(CLIPPED) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.lang") == (locale if locale in NAMES else "en")
        assert page.evaluate("getComputedStyle(document.body).direction") == ("rtl" if locale == "ar" else "ltr")
    screenshot(phone, f"phone-{locale}")
    screenshot(host, f"host-{locale}")


def _lengthen(page: "Page", words: Any) -> None:
    """Make every text of a page's own 40 % longer, as a language may that nobody has thought of."""
    if words:
        page.evaluate(
            """(known) => {
              const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (walk.nextNode()) {
                const node = walk.currentNode;
                if (known.includes(node.data)) node.data += ' ' + 'ẍ'.repeat(Math.ceil(node.data.length * 0.4));
              }
            }""",
            list(words.values()),
        )
