"""A host whose session is flooded: told before no further answer is taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.stage import Room, room
from tests.support.processes import served

pytestmark = pytest.mark.browser

CAP = 5


@pytest.fixture
def capped(tmp_path: Path, browser: Any) -> Iterator[Room]:
    with served(tmp_path / "data", CONFLICTO_MOST_ANSWERS=str(CAP)) as running, room(running, browser) as made:
        yield made


@pytest.mark.catalogue("S-04")
def test_a_host_is_warned_before_a_phone_is_refused(capped: Room) -> None:
    wall = capped.activity("wall", {"question": "What is on your mind?"}, response_policy="many")
    host, phone = capped.host(), capped.phone()
    field, send = phone.get_by_label("Your text"), phone.get_by_role("button", name="Send")
    for nth in range(CAP):
        if nth == CAP - 2:
            assert host.get_by_text("almost as many answers").count() == 0
        field.fill(f"text {nth}")
        send.click()
        host.get_by_text(f"text {nth}").first.wait_for()

    host.get_by_text("almost as many answers").wait_for()
    field.fill("one too many")
    send.click()
    phone.get_by_text("keeps no more answers").wait_for()
    assert len(capped.answers(wall)) == CAP
