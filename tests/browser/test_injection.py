"""Two hundred injection texts in every input, on every page that shows them."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import LiveSession
from tests.support.vectors import NAMES, VECTORS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

OURS = "script[src^='/s/'], script#boot"
FOREIGN = (
    "iframe, object, embed, base, main style, main link, meta[http-equiv], math, "
    "[onerror], [onload], [ontoggle], [onfocus], [onmouseover]"
)
ADDRESSES = "a[href^='javascript'], [action*='foe'], [src*='foe'], [href*='foe'], img[src='x']"


def acted(page: "Page") -> list[str]:
    """Return what on a page is not ours."""
    return page.evaluate(
        """([ours, foreign, addresses]) => [
            ...[...document.querySelectorAll('script')].filter((each) => !each.matches(ours)),
            ...document.querySelectorAll(foreign), ...document.querySelectorAll(addresses),
        ].map((each) => each.outerHTML)""",
        [OURS, FOREIGN, ADDRESSES],
    )


def watched(live: LiveSession, page: "Page") -> "Page":
    page.on("dialog", lambda dialog: live.errors.append(f"{page.url}: {dialog.message}"))
    page.expose_function("hit", lambda: live.errors.append(f"{page.url}: something ran"))
    return page


def seats(live: LiveSession) -> list[str]:
    """Let people in whose names are vectors, and return their tokens."""
    made = [{"nickname": name, "code": live.session["join_code"]} for name in NAMES]
    return [live.server.call("POST", f"{live.path}/join", each)["participant_token"] for each in made]


def answer(live: LiveSession, activity: dict[str, Any], tokens: list[str], texts: list[Any]) -> None:
    """Let people answer, each text once."""
    path = f"{live.path}/activities/{activity['id']}/responses"
    with ThreadPoolExecutor(8) as several:
        sent = [
            several.submit(live.server.call, "POST", path, {"response_data": text}, token=tokens[number % len(tokens)])
            for number, text in enumerate(texts)
        ]
        assert all(each.result()["id"] for each in sent)


@pytest.mark.catalogue("W-01")
def test_two_hundred_texts_that_are_script_elsewhere_are_text_on_every_page(live: LiveSession) -> None:
    live.call("PATCH", "", {"title": VECTORS[12], "description": VECTORS[1]})
    tokens = seats(live)
    host, screen, phone = (watched(live, page) for page in (live.host(), live.screen(), live.phone("Anna")))
    by_type = {
        "wall": ({"question": VECTORS[13]}, [{"text": each} for each in VECTORS]),
        "words": ({"question": VECTORS[14]}, [{"words": [each[:40]]} for each in VECTORS[:60]]),
        "questions": ({"prompt": VECTORS[15]}, [{"text": each} for each in VECTORS[:60]]),
        "poll": (
            {
                "question": VECTORS[16],
                "options": [{"id": f"o{number}", "text": each} for number, each in enumerate(VECTORS[20:30])],
            },
            [],
        ),
        "nobody-knows-this": ({each: each for each in VECTORS[::9]}, [{each: [each, {each: each}]} for each in VECTORS[::5]]),
    }
    for name, (config, texts) in by_type.items():
        shown = live.activity(name, config, title=VECTORS[11], response_policy="many", results_visibility="always",
                              responses_visibility="participants")  # fmt: skip
        answer(live, shown, tokens, texts)
        live.call("POST", "/show", {"activity_id": shown["id"]})
        texts_shown = [VECTORS[11], *(each for each in config.values() if isinstance(each, str))]
        for page in (host, screen, phone):
            page.wait_for_function("(texts) => texts.some((each) => document.body.textContent.includes(each))", arg=texts_shown)
            page.wait_for_timeout(700)
            assert acted(page) == [], (name, page.url)
        live.call("POST", f"/activities/{shown['id']}/transition", {"target_status": "expired"})
    live.call("POST", "/overlay", {"overlay": "leaderboard"})
    report = watched(live, live.host("/report"))
    report.wait_for_function("(text) => document.body.innerText.includes(text)", arg=VECTORS[3])
    for page in (host, screen, phone, report):
        assert acted(page) == [], page.url
