"""A restore to an earlier state: each page reloads by itself and shows the restored state."""

from typing import Any

import pytest

from tests.browser.live_session import LiveSession
from tests.support.processes import environment, run, served

pytestmark = pytest.mark.browser


def _poll(question: str) -> dict[str, Any]:
    return {"question": question, "options": [{"id": "a", "text": f"{question} yes"}, {"id": "b", "text": "No"}], "multiple": False}


def test_pages_forget_the_future_that_was_taken_back(own: LiveSession) -> None:
    own.activity("poll", _poll("Before?"))
    phone, screen, host = own.phone(), own.screen(), own.host()
    pages = (phone, screen, host)
    for page in pages:
        page.get_by_text("Before?").first.wait_for()
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent
    archive, env = folder.parent / "archive", environment(folder)
    done = run("db", "backup", archive, env=env)
    assert done.exit_code == 0, done.stderr

    own.activity("poll", _poll("Afterwards?"))
    for page in pages:
        page.get_by_text("Afterwards?").first.wait_for()
    own.server.stop()
    done = run("db", "restore", archive, env=env)
    assert done.exit_code == 0, done.stderr
    with served(folder, at_port=int(port)) as back:
        own.server = back
        for page in pages:
            page.get_by_text("Afterwards?").first.wait_for(state="detached", timeout=20_000)
            page.get_by_text("Before?").first.wait_for()
        phone.get_by_label("Before? yes").check()
        phone.get_by_role("button", name="Send").click()
        phone.get_by_text("Your answer is in ·").wait_for()
        for page in pages:
            page.context.close()
