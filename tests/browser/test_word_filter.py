"""The word filter as people meet it: set on the host's page, at work on screen and phones."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LiveSession, screenshot

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WALL = {"question": "What is on your mind?"}
OPEN = {"results_visibility": "always", "responses_visibility": "participants"}


def _set(host: "Page", mode: str, words: str = "") -> None:
    host.locator("summary", has_text="People").click()
    host.get_by_role("button", name="Word filter").click()
    host.get_by_label("Offensive words").select_option(mode)
    host.get_by_label("More words").fill(words)


def _submit(phone: "Page", text: str) -> None:
    phone.get_by_label("Your text").fill(text)
    phone.get_by_role("button", name="Send").click()


def test_a_host_masks_words_and_reads_them(live: LiveSession) -> None:
    live.activity("wall", WALL, **OPEN)
    host, screen = live.host(), live.screen()
    _set(host, "mask", "plonk\nbig deal")
    host.get_by_label("English").uncheck()
    screenshot(host, "host-word-filter")
    host.get_by_role("button", name="Save").click()
    host.get_by_role("button", name="Word filter: replaces").wait_for()
    assert live.call("GET", "")["word_filter"] == {"mode": "mask", "languages": [], "words": ["plonk", "big deal"]}

    phone = live.phone()
    _submit(phone, "What a PLONK this is")

    screen.get_by_text("What a *** this is").wait_for()
    host.get_by_text("What a PLONK this is").first.wait_for()
    assert "PLONK" not in screen.content()


def test_held_answers_wait_for_the_host_and_names_are_refused(live: LiveSession) -> None:
    live.activity("wall", WALL, **OPEN)
    host, screen = live.host(), live.screen()
    _set(host, "hold", "plonk")
    host.get_by_role("button", name="Save").click()
    host.get_by_role("button", name="Word filter: holds").wait_for()

    phone = live.window(f"/j/{live.session['join_code'].replace('-', '')}")
    phone.locator("#nickname").fill("Plonk Anna")
    phone.locator("form[data-door] button").click()
    phone.get_by_text("This nickname cannot be used here.").wait_for()
    phone.get_by_role("button", name="Anna", exact=True).click()
    phone.wait_for_url("**/p/*")
    _submit(phone, "a plonk")
    phone.get_by_text("waits for the host").wait_for()
    assert screen.get_by_text("a plonk").count() == 0

    host.get_by_role("button", name="Approve").click()

    screen.get_by_text("a plonk").wait_for()


def test_a_filter_that_finds_nothing_is_not_kept(live: LiveSession) -> None:
    host = live.host()
    _set(host, "mask")
    host.get_by_label("English").uncheck()
    host.get_by_role("button", name="Save").click()

    host.get_by_text("Choose a language or write a word.").wait_for()
    host.get_by_role("button", name="Cancel").click()
    assert live.call("GET", "")["word_filter"]["mode"] == "off"
