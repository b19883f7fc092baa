"""Joining by the link of the QR code, by a code of any length, and after a retry."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot
from tests.browser.test_screen import _read

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

WAITS = "This page retries in 1 second."


def refuse(page: "Page", path: str, *, times: int, server: str, status: int = 429, **more: Any) -> list[str | None]:
    """Refuse the first requests to a path like a busy `server`, and return all link keys."""
    seen: list[str | None] = []

    def answer(route: "Route") -> None:
        seen.append(route.request.headers.get("link-key"))
        if len(seen) > times:
            route.continue_()
            return
        body = {
            "type": "x",
            "title": "x",
            "status": status,
            "detail": "x",
            "instance": "/",
            "code": "too-many-guesses",
            "request_id": "x",
            "server": server,
        }
        headers = {"retry-after": "1", "content-type": "application/problem+json"}
        route.fulfill(status=status, headers=headers, body=json.dumps(body | more))

    page.route(path, answer)
    return seen


def test_the_link_in_the_picture_admits_and_its_key_is_in_no_sent_address(live: LiveSession) -> None:
    screen = live.screen()
    screen.get_by_role("img", name="QR code to join").wait_for()
    (link,) = _read(screen, 960)
    page = live.window(**PHONE)
    sent: list[tuple[str, dict[str, str]]] = []
    page.on("request", lambda request: sent.append((request.url.partition("#")[0], request.headers)))
    page.goto(link)
    page.get_by_label("Your nickname").fill("Anna")
    page.reload()
    page.get_by_label("Your nickname").fill("Anna")
    page.get_by_role("button", name="Join").click()
    page.get_by_text("You are in, Anna.").wait_for()

    key = live.session["link_key"]
    assert link.endswith(f"#key={key}")
    keys = [headers.get("link-key") for url, headers in sent if "/by-code/" in url or url.endswith("/join")]
    assert keys == [key, key, key]
    assert not any(key in url for url, _ in sent)
    assert page.url.endswith(f"/p/{live.session['id']}")


@pytest.mark.parametrize("status", [429, 503])
def test_a_page_that_must_wait_shows_it_and_retries_by_itself(live: LiveSession, status: int) -> None:
    page = live.window(**PHONE)
    looked = refuse(page, "**/by-code/*", times=2, server=live.session["server"], status=status, retry_after_s=1)
    joined = refuse(page, "**/api/v1/join", times=1, server="", status=status)  # as from a proxy: the header alone tells the time
    page.goto(f"{live.server.url}/j/{live.session['join_code'].replace('-', '')}")
    page.get_by_text(WAITS).wait_for()
    page.get_by_label("Your nickname").fill("Anna")
    page.get_by_role("button", name="Join").click()
    page.get_by_text(WAITS).wait_for()
    screenshot(page, "phone-waits")
    page.get_by_text("You are in, Anna.").wait_for()

    assert (len(looked), len(joined)) == (3, 2)


def test_a_refusal_without_a_delay_is_shown_and_not_retried(live: LiveSession) -> None:
    page = live.window("/", **PHONE)
    looked = refuse(page, "**/by-code/*", times=1, server=live.session["server"], status=404, code="code-unknown")
    page.get_by_label("Code on the screen").fill(live.session["join_code"])
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("There is no session with this code.").wait_for()
    page.clock.install()
    page.clock.run_for(60_000)
    assert len(looked) == 1


def test_a_link_of_an_older_code_counts_as_typed(live: LiveSession) -> None:
    """The key belongs to its code alone. After a refusal or a change the code counts as typed."""
    code = live.session["join_code"].replace("-", "")
    page = live.window(**PHONE)
    looked = refuse(page, "**/by-code/*", times=0, server=live.session["server"])
    page.goto(f"{live.server.url}/j/{code}#key=AAAAAAAAAAAA")
    page.get_by_text("There is no session with this code.").wait_for()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your nickname").wait_for()
    assert looked == ["AAAAAAAAAAAA", None]

    page.goto("about:blank")
    page.goto(f"{live.server.url}/j/BBBBBBBB#key={live.session['link_key']}")
    page.get_by_text("There is no session with this code.").wait_for()
    page.get_by_label("Code on the screen").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your nickname").wait_for()
    assert looked[2:] == [live.session["link_key"], None]


def test_a_seat_that_must_wait_arrives_by_itself(live: LiveSession) -> None:
    seat = live.server.call("POST", "/join", {"nickname": "Anna", "code": live.session["join_code"]})
    link = live.server.call("POST", "/participants/me/seat-link", token=seat["participant_token"])
    page = live.window(**PHONE)
    requests = refuse(page, "**/seats/redeem", times=2, server=live.session["server"])
    page.goto(f"{live.server.url}/p/{live.session['id']}#move={link['seat_token']}")
    page.locator("button.primary").click()
    page.get_by_text(WAITS).wait_for()
    page.get_by_text("You are in, Anna.").wait_for()
    assert len(requests) == 3


@pytest.mark.parametrize(("letters", "others", "shown"), [(9, 48, [3, 3, 3]), (10, 973, [3, 3, 4])])
def test_longer_codes_are_shown_in_groups_fit_and_are_taken(own: LiveSession, letters: int, others: int, shown: list[int]) -> None:
    for _ in range(others - 1):
        own.server.call("POST", "/sessions", {"title": "Another"})
    own.session = own.server.call("POST", "/sessions", {"title": "Town hall"})
    own.call("PATCH", "", {"status": "active"})
    code = own.session["join_code"]
    assert [len(group) for group in code.split("-")] == shown
    assert len(code.replace("-", "")) == letters

    for width, height in ((1920, 1080), (1024, 768), (1280, 1024)):
        screen = own.screen(viewport={"width": width, "height": height})
        screen.get_by_text(code).wait_for()
        assert fits(screen)
        (link,) = _read(screen, 384)
        assert link.endswith(f"/j/{code.replace('-', '')}#key={own.session['link_key']}")
        own.call("POST", "/overlay", {"overlay": "join"})
        screen.locator(".cover .big-code").wait_for()
        assert fits(screen)
        screenshot(screen, f"screen-code-{letters}-{width}")
        own.call("POST", "/overlay", {"overlay": None})
        own.activity(
            "poll", {"question": "Where?", "options": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}], "multiple": False}
        )
        screen.get_by_text("Where?").wait_for()
        assert fits(screen)

    page = own.window("/", **PHONE)
    field = page.get_by_label("Code on the screen")
    field.fill(code.lower().replace("-", " "))
    assert field.evaluate("(field) => field.scrollWidth <= field.clientWidth")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your nickname").wait_for()
    host = own.host()
    host.locator(".head .code").click()
    host.locator(".invitation .big-code").wait_for()
    assert host.locator(".invitation .big-code").inner_text() == code


FITS = """() => {
  const code = document.querySelector('.big-code'), box = code.parentElement.getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(code);
  const { left, right } = range.getBoundingClientRect();
  return [left >= box.left - 1, right <= box.right + 1, right <= innerWidth, document.documentElement.scrollWidth <= innerWidth];
}"""


def fits(page: "Page") -> bool:
    found: list[bool] = page.evaluate(FITS)
    assert found == [True] * 4, (page.viewport_size, found)
    return True
