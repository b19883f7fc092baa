"""An activity type from elsewhere: a folder is put beside the server, and everything works without a line of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.stage import Room, picture, room
from tests.support.processes import served

pytestmark = pytest.mark.browser

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
PLAIN = """export default class extends HTMLElement {
  set activity(activity) {
    if (this.firstChild) return;
    const button = document.createElement("button");
    button.textContent = `Wave at ${activity.config.question}`;
    button.onclick = () => this.dispatchEvent(new CustomEvent("answer", { detail: { response: { waved: true } }, bubbles: true }));
    this.append(button);
  }
}
"""
BROKEN = """import { ActivityElement } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    throw new Error("not today");
  }
}
"""


@pytest.fixture
def elsewhere(tmp_path: Path, browser: Any) -> Iterator[Room]:
    for name, view in {"wave": PLAIN, "broken-wave": BROKEN}.items():
        _put(tmp_path / "types" / name, name, view)
    with served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=str(tmp_path / "types")) as server, room(server, browser) as made:
        yield made


def _put(folder: Path, name: str, view: str) -> None:
    config = {
        "type": "object",
        "additionalProperties": False,
        "required": ["question"],
        "properties": {"question": {"type": "string"}},
    }
    response = {
        "type": "object",
        "additionalProperties": False,
        "required": ["waved"],
        "properties": {"waved": {"type": "boolean"}},
    }
    files = {
        "activity.json": {"type": name, "version": "1", "title": f"A {name}", "icon": "👋", "sdk": "1"},
        "config.schema.json": {"$schema": SCHEMA} | config,
        "response.schema.json": {"$schema": SCHEMA} | response,
        "aggregate.json": {"waves": {"path": "/waved", "op": "count"}},
        "examples/one.json": {"config": {"question": "us"}, "responses": [{"waved": True}]},
        "i18n/en.json": {"title": f"A {name}", "description": "Wave", "config.question": "Whom at"},
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content), encoding="utf-8")
    (folder / "ui").mkdir()
    (folder / "ui/participant.js").write_text(view, encoding="utf-8")


def test_a_folder_is_all_it_takes(elsewhere: Room) -> None:
    host, phone, screen = elsewhere.host(), elsewhere.phone(), elsewhere.screen()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="A wave").click()
    host.get_by_label("Question").fill("the back row")
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Start: the back row").click()

    phone.get_by_role("button", name="Wave at the back row").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    host.locator(".next", has_text="Close answering").click()
    host.locator(".next", has_text="Show results").click()

    screen.get_by_role("row", name="true 1 · 100 %").wait_for()
    picture(phone, "phone-own-type")


def test_a_view_that_throws_leaves_the_page_alive(elsewhere: Room) -> None:
    phone = elsewhere.phone()
    elsewhere.activity("broken-wave", {"question": "Well?"}, duration_seconds=300)
    phone.get_by_text("This activity cannot be shown here.").wait_for()
    assert phone.get_by_role("timer").is_visible()

    elsewhere.activity("wave", {"question": "us"})

    phone.get_by_role("button", name="Wave at us").click()
    phone.get_by_text("Your answer is in ·").wait_for()
