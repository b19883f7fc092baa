"""A host sees the session full before the day, and empty again with one click."""

import re
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, screenshot
from tests.browser.test_accessibility import barriers

pytestmark = pytest.mark.browser

POLL = {
    "question": "Where do we meet next?",
    "options": [{"id": each.lower(), "text": each} for each in ("Lisbon", "Graz", "Ghent", "Turku")],
}
SLOW_MS = 60_000


def begin(host: Any, people: int) -> None:
    host.get_by_text("Rehearsal", exact=True).click()
    host.get_by_label("How many").fill(str(people))
    host.get_by_role("button", name="Rehearse").click()


def test_a_rehearsal_fills_the_session_and_one_click_empties_it(live: LiveSession) -> None:
    poll = live.activity("poll", POLL)
    phone = live.phone("Anna")
    phone.get_by_label("Graz").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    host, screen = live.host(color_scheme="dark"), live.screen()
    host.get_by_text("Rehearsal", exact=True).click()
    assert barriers(host) == []
    host.get_by_text("Rehearsal", exact=True).click()

    begin(host, 12)

    host.get_by_text("Rehearsal: 12 scripted participants are in this session.").wait_for(timeout=SLOW_MS)
    host.get_by_text(re.compile(r"^(9|1[0-3]) answers$")).first.wait_for(timeout=SLOW_MS)
    screenshot(host, "host-rehearsal")
    host.get_by_text("People ·").click()
    assert barriers(host) == []
    screenshot(screen, "screen-rehearsal")

    report = live.host("/report")
    report.get_by_text("This session includes a rehearsal: the counts contain 12 scripted participants").wait_for()
    assert barriers(report) == []

    host.get_by_role("button", name="Remove them and their answers").click()

    host.get_by_text("1 answer", exact=True).first.wait_for(timeout=SLOW_MS)
    host.get_by_text("Rehearsal: 12").wait_for(state="detached")
    assert live.answers(poll) == [{"choices": ["graz"]}]
    assert [each["nickname"] for each in live.call("GET", "/participants")["items"]] == ["Anna"]
    host.get_by_text("Rehearsal", exact=True).wait_for()


def test_for_an_unregistered_type_bots_repeat_answers(live: LiveSession) -> None:
    host = live.host()
    begin(host, 2)
    host.get_by_text("Rehearsal: 2 scripted").wait_for(timeout=SLOW_MS)

    live.activity("riddle", {"any": "thing"})

    host.get_by_text("This activity’s type is unknown, so they repeat other people’s answers.").wait_for()


def test_an_impossible_rehearsal_has_a_reason(live: LiveSession) -> None:
    host = live.host()
    host.get_by_text("Rehearsal", exact=True).click()
    live.call("PATCH", "", {"status": "completed"})
    host.get_by_text("Rehearsal", exact=True).wait_for(state="detached")
