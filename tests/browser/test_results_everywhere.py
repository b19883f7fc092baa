"""One picture of results in five places: screen, host's page, phone, report and exports."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot, wait_until
from tests.browser.test_accessibility import barriers
from tests.support.processes import PLAIN, served

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples/types"
OPTIONS = [{"id": "a", "text": "Dark mode"}, {"id": "b", "text": "Offline maps"}]
SPOT = {"question": "Where is the heart?", "picture": "figure", "columns": 2, "rows": 2, "names": ["Head", "Air", "Heart", "Arm"]}
BARE = {
    "activity.json": {"type": "bare", "version": "1", "title": "Bare", "icon": "🙂", "sdk": "1"},
    "config.schema.json": {
        "type": "object",
        "properties": {
            "question": {"type": "string"},
            "options": {"type": "array", "items": {"properties": {"id": {"type": "string"}, "text": {"type": "string"}}}},
        },
    },
    "response.schema.json": {
        "type": "object",
        "properties": {"n": {"type": "integer", "title": "Number"}, "o": {"type": "string", "x-in": "/options/*/id"}},
    },
    "aggregate.json": {"spots": {"path": "", "op": "count"}},
    "examples/one.json": {"config": {"question": "?", "options": OPTIONS}, "responses": [{"n": 26, "o": "b"}]},
    "i18n/en.json": {"response.o": "Option", "results.spots": "Spots"},
}
SECRETS: dict[str, dict[str, Any]] = {"hotspot": {"secret": {"column": 2, "row": 2}}}
ACTIVITIES: dict[str, tuple[dict[str, Any], Any, list[list[str]]]] = {
    "bare": ({"question": "What?", "options": OPTIONS}, {"n": 26, "o": "b"}, [["Number: 26 · Option: Offline maps", "1 · 100 %"]]),
    "points": (
        {"question": "What first?", "options": OPTIONS},
        {"points": {"a": 60, "b": 40}},
        [["Dark mode", "Ø 60 · 60 %"], ["Offline maps", "Ø 40 · 40 %"]],
    ),
    "hotspot": (SPOT, {"column": 1, "row": 2}, [["Heart", "1"]]),
}
COLUMNS = {
    "bare": ["Number", "Option"],
    "points": ["Points: Dark mode", "Points: Offline maps"],
    "hotspot": ["Column", "Row"],
}
ROWS = """(place) => [...document.querySelectorAll(`${place} tbody tr:has(th)`)].map((row) =>
  [row.querySelector("th").textContent, row.lastElementChild.textContent])"""


def make_type(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = folder / files["activity.json"]["type"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


@pytest.fixture
def everywhere(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    make_type(tmp_path / "types", BARE)
    named = {"activity.json": BARE["activity.json"] | {"type": "thrower"}}
    view = "export default class extends HTMLElement { connectedCallback() { throw new TypeError('no picture'); } }"
    make_type(tmp_path / "types", BARE | named | {"ui/results.js": view})
    folders = f"{tmp_path / 'types'}:{EXAMPLES}:{EXAMPLES / 'hotspot/src/conflicto_hotspot'}"
    with served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=folders) as server, new_session(server, browser) as made:
        yield made


def answered(live: LiveSession, type_name: str, config: dict[str, Any], data: Any) -> dict[str, Any]:
    activity = live.activity(type_name, config, results_visibility="always", **SECRETS.get(type_name, {}))
    seat = live.server.call("POST", "/join", {"nickname": "Bert", "code": live.session["join_code"]})
    path = f"{live.path}/activities/{activity['id']}/responses"
    live.server.call("POST", path, {"response_data": data}, token=seat["participant_token"])
    return activity


def exported(live: LiveSession, shape: str) -> list[list[str]]:
    address = f"{live.server.url}/api/v1{live.path}/export?format=csv&shape={shape}"
    found = httpx2.get(address, headers={"authorization": f"Bearer {live.session['host_token']}"}, **PLAIN)
    return list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("type_name", ACTIVITIES)
def test_a_result_has_the_same_names_and_numbers_everywhere(everywhere: LiveSession, type_name: str) -> None:
    config, data, rows = ACTIVITIES[type_name]
    answered(everywhere, type_name, config, data)
    pages = {
        ".display": everywhere.screen(),
        ".results": everywhere.host(),
        ".results.card": everywhere.phone(),
        ".card .stack": everywhere.host("/report"),
    }

    for place, page in pages.items():
        wait_until(lambda page=page, place=place: page.evaluate(ROWS, place) == rows)
        screenshot(page, f"everywhere-{type_name}-{place.strip('.').replace(' .', '-')}")
    assert [name.rpartition("?: ")[2] for name in exported(everywhere, "wide")[0][4:]][: len(COLUMNS[type_name])] == COLUMNS[
        type_name
    ]


@pytest.mark.parametrize(("locale", "scheme"), [("de", "light"), ("ar", "dark")])
@pytest.mark.parametrize("type_name", ["points", "hotspot"])
def test_results_are_drawn_in_every_look(everywhere: LiveSession, type_name: str, locale: str, scheme: Any) -> None:
    config, data, rows = ACTIVITIES[type_name]
    answered(everywhere, type_name, config, data)
    look = {"locale": locale, "color_scheme": scheme}
    pages = {
        ".display": everywhere.screen(**look), ".results": everywhere.host(**look),
        ".results.card": everywhere.phone(**look), ".card .stack": everywhere.host("/report", **look),
    }  # fmt: skip

    for place, page in pages.items():
        wait_until(lambda page=page, place=place: [row[0] for row in page.evaluate(ROWS, place)] == [row[0] for row in rows])
        if type_name == "hotspot":
            page.frame_locator("act-hotspot-results iframe").locator("svg text", has_text="1").wait_for()
        page.locator(place).first.scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert barriers(page) == []
        screenshot(page, f"everywhere-{type_name}-{locale}-{place.strip('.').replace(' .', '-')}")


def test_a_view_of_results_is_the_picture_of_all_pages(everywhere: LiveSession) -> None:
    config, data, _ = ACTIVITIES["hotspot"]
    answered(everywhere, "hotspot", config, data)
    pages = [everywhere.screen(), everywhere.host(), everywhere.phone(), everywhere.host("/report")]

    for page in pages:
        frame = page.frame_locator("act-hotspot-results iframe")
        frame.locator("svg text", has_text="1").wait_for()
        assert page.locator("act-hotspot-results").count() == 1
        assert page.locator(".of-grid").count() == 0


def test_a_screen_that_the_host_opens_shows_the_view(everywhere: LiveSession) -> None:
    """The new tab begins with a copy of the host's storage."""
    config, data, _ = ACTIVITIES["hotspot"]
    answered(everywhere, "hotspot", config, data)
    host = everywhere.host()
    host.frame_locator("act-hotspot-results iframe").locator("svg text", has_text="1").wait_for()
    with host.expect_popup() as popup:
        host.get_by_role("button", name="Open screen").click()
    popup.value.frame_locator("act-hotspot-results iframe").locator("svg text", has_text="1").wait_for()
    assert popup.value.locator(".of-grid").count() == 0


def test_a_long_report_has_a_bounded_number_of_views(everywhere: LiveSession) -> None:
    config, data, _ = ACTIVITIES["hotspot"]
    activity = answered(everywhere, "hotspot", config, data)
    for _ in range(21):
        everywhere.call("POST", f"/activities/{activity['id']}/rounds")

    report = everywhere.host("/report")
    report.get_by_role("heading", name="Round 22").wait_for()

    wait_until(lambda: report.locator("act-hotspot-results").count() == 20)
    assert report.locator(".of-grid").count() == 2


def test_charts_stand_in_for_a_view_of_results_that_throws(everywhere: LiveSession) -> None:
    config, data, rows = ACTIVITIES["bare"]
    answered(everywhere, "thrower", config, data)
    pages = {
        ".results": everywhere.host(), ".results.card": everywhere.phone(), ".display": everywhere.screen(),
        ".card .stack": everywhere.host("/report"),
    }  # fmt: skip

    for place, page in pages.items():
        page.locator(f"{place} .of-count .bars").wait_for()
        assert page.evaluate(ROWS, place) == rows
    assert pages[".results.card"].get_by_text("can't be shown").count() == 0
    everywhere.errors.clear()  # each page tells the fault


def test_hosts_read_responses_in_words(everywhere: LiveSession) -> None:
    config, data, _ = ACTIVITIES["bare"]
    activity = answered(everywhere, "bare", config, data)
    everywhere.call("PATCH", f"/activities/{activity['id']}", {"moderation": "after"})

    everywhere.host().locator("section li", has_text="Number: 26 · Option: Offline maps").wait_for()
