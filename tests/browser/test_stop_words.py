"""A wall that is made on a host's page leaves out the small words of the page's language."""

import pytest

from tests.browser.live_session import LiveSession, screenshot

pytestmark = pytest.mark.browser


def test_a_new_wall_has_the_language_of_the_page_until_the_host_changes_it(live: LiveSession) -> None:
    host = live.host(locale="de-DE")
    host.locator(".adding summary").click()
    host.locator(".types button", has_text="Freitext").click()
    host.get_by_label("Frage").fill("Was hilft?")
    host.get_by_text("Weitere Einstellungen").click()
    language = host.get_by_label("Kleine W\u00f6rter")
    assert language.locator("option:checked").inner_text() == "Deutsch"
    screenshot(host, "host-wall-language")
    host.get_by_role("button", name="Speichern").click()
    host.locator("dialog[open]").wait_for(state="detached")
    (wall,) = live.call("GET", "/activities")["items"]
    assert wall["config"]["language"] == "de"

    host.get_by_role("button", name="Bearbeiten: Was hilft?").click()
    host.get_by_text("Weitere Einstellungen").click()
    host.get_by_label("Kleine W\u00f6rter").select_option(label="–")
    host.get_by_role("button", name="Speichern").click()
    host.locator("dialog[open]").wait_for(state="detached")
    (wall,) = live.call("GET", "/activities")["items"]
    assert "language" not in wall["config"]
