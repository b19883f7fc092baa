"""A seat and what it holds: name, answers, points, and the way to another phone."""

import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot
from tests.browser.samples import OPTIONS, SAMPLES
from tests.browser.test_accessibility import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where do we eat?", "options": OPTIONS, "multiple": False}


def _menu(page: "Page", entry: str, name: str = "Anna") -> None:
    page.locator("summary", has_text=name).click()
    page.get_by_role("button", name=entry, exact=True).click()


def _read(page: "Page") -> list[str]:
    """Return what another phone reads off this one."""
    import zxingcpp
    from PIL import Image

    return [each.text for each in zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())))]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_seat_moves_to_another_phone_with_all_that_it_holds(live: LiveSession, theme: str) -> None:
    activity = live.activity("poll", POLL)
    first = live.phone(color_scheme=theme)
    first.get_by_label("Curry").check()
    first.get_by_role("button", name="Send").click()
    first.get_by_text("Your answer is in ·").wait_for()

    _menu(first, "Continue on another phone")
    first.get_by_text("It works once").wait_for()
    screenshot(first, f"phone-move-{theme}")
    assert barriers(first) == []
    link = first.get_by_label("Link", exact=True).input_value()
    assert _read(first) == [link]
    second = live.window(link.removeprefix(live.server.url), **PHONE, color_scheme=theme)
    second.get_by_role("heading", name="Continue on this phone?").wait_for()
    screenshot(second, f"phone-arrival-{theme}")
    assert barriers(second) == []
    second.get_by_role("button", name="Continue here").click()

    second.get_by_text("Your answer is in ·").wait_for()
    assert second.get_by_label("Curry").is_checked()
    first.get_by_role("heading", name="Your seat is on another phone now").wait_for()
    first.get_by_role("dialog").wait_for(state="hidden")
    screenshot(first, f"phone-moved-{theme}")
    assert barriers(first) == []
    assert live.call("GET", "/participants")["total"] == len(live.answers(activity)) == 1

    _once_more(live, link)


def _once_more(live: LiveSession, link: str) -> None:
    late = live.window(link.removeprefix(live.server.url), **PHONE)
    late.get_by_role("button", name="Continue here").click()
    late.get_by_text("This link was used already or has expired.").wait_for()
    assert late.get_by_role("button", name="Continue here").count() == 0
    late.get_by_role("button", name="Join as a new participant").click()
    late.get_by_label("Code on the screen").wait_for()


def test_a_phone_with_a_seat_of_its_own_may_keep_it(live: LiveSession) -> None:
    first, second = live.phone("Anna"), live.phone("Bert")
    _menu(first, "Continue on another phone")
    link = first.get_by_label("Link", exact=True)
    link.wait_for()

    second.goto("about:blank")
    second.goto(link.input_value())
    second.get_by_role("button", name="Keep this phone’s seat").click()

    second.get_by_text("You are in, Bert.").wait_for()
    assert live.call("GET", "/participants")["total"] == 2


@pytest.mark.parametrize("length", [30, 181, 400, 660, 1_500])
def test_codes_of_every_length_can_be_read(live: LiveSession, length: int) -> None:
    page = live.window("/", **PHONE)
    text = ("https://venue.example/p/1#move=" + "aZ0-_." * 250)[: length - 20]

    page.evaluate(
        """async (text) => {
          const { base } = JSON.parse(document.getElementById('boot').textContent);
          const { drawCode } = await import(`${base}/elements/qr.js`);
          const made = (each) => {
            const node = document.createElementNS('http://www.w3.org/2000/svg', each.tag);
            for (const [name, value] of Object.entries(each.props)) node.setAttribute(name, value);
            node.append(...each.children.map(made));
            return node;
          };
          document.body.replaceChildren(made(drawCode(text, 'code')));
        }""",
        text,
    )

    assert _read(page) == [text]


def test_answers_and_points_are_shown_to_whoever_has_the_seat(live: LiveSession) -> None:
    config, _, _, more = SAMPLES["quiz"]
    activity = live.activity("quiz", config, **more, aggregate={"score": {"path": "/choice", "op": "score", "key": "/correct"}})
    page = live.phone()
    page.get_by_label("Curry").check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()
    assert page.get_by_text("1,000 points").count() == 0, "no point leaks before the reveal"

    _end(live, activity)
    page.get_by_text("1,000 points", exact=True).wait_for()
    _menu(page, "My answers")
    page.get_by_role("dialog").get_by_text("Which is hottest?").wait_for()
    screenshot(page, "phone-own-answers")

    text = page.get_by_role("dialog").inner_text()
    assert "Curry" in text
    assert "Your score: 1,000 points" in text
    assert barriers(page) == []


def _end(live: LiveSession, activity: dict[str, Any]) -> None:
    path = f"/activities/{activity['id']}"
    live.call("POST", f"{path}/transition", {"target_status": "expired"})
    live.call("POST", f"{path}/reveal", {"results": True})


@pytest.mark.parametrize(("entry", "kept"), [("Leave, keep my answers", 1), ("Leave and delete my answers", 0)])
def test_whoever_leaves_decides_what_becomes_of_their_answers(live: LiveSession, entry: str, kept: int) -> None:
    activity = live.activity("poll", POLL, duration_seconds=60)
    page = live.phone()
    page.get_by_label("Curry").check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())

    _menu(page, entry)
    page.get_by_label("Code on the screen").wait_for()
    page.wait_for_timeout(1_200)  # the question's clock ticks each second
    assert page.get_by_label("Code on the screen").is_visible(), "the room does not come back"

    assert live.call("GET", "/participants")["total"] == 0
    assert len(live.answers(activity)) == kept


def test_a_name_that_the_host_gave_is_on_the_phone_at_once(live: LiveSession) -> None:
    page = live.phone()
    page.get_by_text("You are in, Anna.").wait_for()
    person = live.call("GET", "/participants")["items"][0]

    live.server.call("PATCH", f"/participants/{person['id']}", {"nickname": "Anna Lena"}, token=live.session["host_token"])

    page.get_by_text("You are in, Anna Lena.").wait_for(timeout=5_000)
