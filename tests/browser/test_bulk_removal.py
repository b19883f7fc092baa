"""A flooded session: a warning before the response limit, and the removal of participants."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot
from tests.support.processes import served

pytestmark = pytest.mark.browser

CAP = 5


@pytest.fixture
def capped(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    with served(tmp_path / "data", CONFLICTO_MAX_RESPONSES=str(CAP)) as running, new_session(running, browser) as made:
        yield made


@pytest.mark.catalogue("S-04")
def test_a_host_is_warned_before_a_phone_is_refused(capped: LiveSession) -> None:
    wall = capped.activity("wall", {"question": "What is on your mind?"}, response_policy="many")
    host, phone = capped.host(), capped.phone()
    field, send = phone.get_by_label("Your text"), phone.get_by_role("button", name="Send")
    for number in range(CAP):
        if number == CAP - 2:
            assert host.get_by_text("close to its answer limit").count() == 0
        field.fill(f"text {number}")
        send.click()
        host.get_by_text(f"text {number}").first.wait_for()

    host.get_by_text("close to its answer limit").wait_for()
    field.fill("one too many")
    send.click()
    phone.get_by_text("reached its answer limit").wait_for()
    assert len(capped.answers(wall)) == CAP


@pytest.mark.catalogue("R-04")
def test_a_host_renews_the_code_and_removes_a_flood(live: LiveSession) -> None:
    live.activity("wall", {"question": "What is on your mind?"}, results_visibility="always")
    host, screen, phone = live.host(), live.screen(), live.phone("Anna")
    for number in range(12):
        live.call("POST", "/join", {"nickname": f"Bot {number}", "code": live.session["join_code"]})
    host.on("dialog", lambda dialog: dialog.accept())
    host.locator("summary", has_text="People").click()
    host.get_by_text("13 joined").wait_for()

    host.get_by_role("button", name="New code").click()
    old = live.session["join_code"]
    host.locator(f"button.code:not(:text-is('{old}'))").wait_for()
    new = live.call("GET", "")["join_code"]
    assert new != old
    screen.get_by_text(new).first.wait_for()
    assert screen.get_by_text(old).count() == 0

    host.locator("summary", has_text="Remove several").click()
    host.get_by_label("Name contains").fill("bot")
    host.get_by_role("button", name="Count matches").click()
    screenshot(host, "host-flood")
    host.get_by_role("button", name="Remove 12").click()

    host.get_by_text("1 joined").wait_for()
    assert [each["nickname"] for each in live.call("GET", "/participants")["items"]] == ["Anna"]
    phone.get_by_label("Your text").fill("still here")
    phone.get_by_role("button", name="Send").click()
    host.get_by_text("still here").first.wait_for()
