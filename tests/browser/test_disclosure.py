"""The notice before answering: who sees the response, and when it is deleted."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conflicto.web.languages import NAMES, catalogs
from tests.browser.live_session import LiveSession, new_session, screenshot
from tests.browser.samples import OPTIONS
from tests.browser.test_accessibility import barriers
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where do we eat?", "options": OPTIONS, "multiple": False}
PLAIN = {
    "anonymous": False, "responses_visibility": "host", "results_visibility": "after_reveal", "moderation": "off",
}  # fmt: skip
CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "named host results_after_reveal unlimited"),
    ({"responses_visibility": "screen", "results_visibility": "always"}, "named screen results_always unlimited"),
    ({"responses_visibility": "participants", "moderation": "after"}, "named participants results_after_reveal unlimited"),
    ({"responses_visibility": "participants", "moderation": "before"}, "named participants before results_after_reveal unlimited"),
    ({"responses_visibility": "host", "moderation": "before", "results_visibility": "host"}, "named host results_host unlimited"),
    ({"anonymous": True, "min_group": 0, "results_visibility": "after_answer"}, "anonymous host results_after_answer unlimited"),
    ({"anonymous": True, "min_group": 5}, "pool host results_after_reveal unlimited"),
    ({"anonymous": True, "min_group": 1, "responses_visibility": "screen"}, "pool screen results_after_reveal unlimited"),
]


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[LiveSession]:
    """A session on a server that deletes what is 30 days old."""
    folder: Path = tmp_path_factory.mktemp("forgetful")
    with served(folder, CONFLICTO_RETENTION_DAYS="30") as running, new_session(running, browser) as made:
        yield made


def notice(locale: str, keys: str, **values: int) -> str:
    """Return the notice of some keys in a language."""
    words = catalogs()[locale]
    return " ".join(words[f"privacy.{key}"] for key in keys.split()).format(**{"n": "", **values})


def shown(page: "Page", text: str) -> None:
    page.get_by_text(text, exact=True).wait_for()


@pytest.mark.parametrize(("fields", "keys"), CASES, ids=[keys for _, keys in CASES])
def test_the_notice_follows_from_the_settings(live: LiveSession, fields: dict[str, Any], keys: str) -> None:
    live.activity("poll", POLL, **(PLAIN | fields))
    page = live.phone()
    shown(page, notice("en", keys, n=fields.get("min_group", 0)))
    assert barriers(page) == []


def test_the_notice_stands_before_the_activity_opens_and_goes_when_it_closes(live: LiveSession) -> None:
    page = live.phone()
    activity = live.activity("poll", POLL, **PLAIN)
    text = notice("en", "named host results_after_reveal unlimited")
    shown(page, text)
    live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    page.get_by_text("Answering is closed", exact=True).wait_for()
    assert page.get_by_text(text).count() == 0


@pytest.mark.parametrize("locale", NAMES)
def test_the_notice_has_every_language(forgetful: LiveSession, locale: str) -> None:
    forgetful.activity("poll", POLL, **(PLAIN | {"anonymous": True, "min_group": 3}))
    page = forgetful.phone(f"Anna {locale}", locale=locale)
    words = catalogs()[locale]
    shown(page, f"{notice(locale, 'pool host results_after_reveal', n=3)} {words['privacy.days'].format(n=30)}")
    screenshot(page, f"phone-notice-{locale}")


@pytest.mark.parametrize("anonymous", [True, False])
def test_a_leaving_participant_reads_what_stays_first(live: LiveSession, anonymous: bool) -> None:
    live.activity("poll", POLL, anonymous=anonymous)
    page = live.phone()
    page.get_by_label("Curry").wait_for()
    questions: list[str] = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    page.locator("summary", has_text="Anna").click()
    page.get_by_role("button", name="Leave and delete my answers").click()
    (text,) = questions
    assert ("Anonymous answers that were shown already stay" in text) is anonymous
