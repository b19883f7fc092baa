"""Activities of several versions of a type, each with the view and data of its version."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot
from tests.support.processes import served

pytestmark = pytest.mark.browser

BACK_MS = 60_000
LACKS = "This activity’s type is missing on the server"


def _put_version(folder: Path, version: str, member: str) -> None:
    """Write a version whose configs have their question in `member`, and a view that names both."""
    (folder / "ui").mkdir(parents=True, exist_ok=True)
    manifest = {"type": "wave", "version": version, "title": "Wave", "icon": "👋", "sdk": "1"}
    config = {"type": "object", "additionalProperties": False, "required": [member], "properties": {member: {"type": "string"}}}
    answer = {"type": "object", "additionalProperties": False, "required": ["n"], "properties": {"n": {"type": "integer"}}}
    (folder / "activity.json").write_text(json.dumps(manifest))
    (folder / "config.schema.json").write_text(json.dumps(config))
    (folder / "response.schema.json").write_text(json.dumps(answer))
    (folder / "ui/participant.js").write_text(
        'import { ActivityElement, h } from "../../sdk/v1.js";\n'
        "export default class extends ActivityElement {\n"
        f'  view() {{ return h("p", {{}}, `view {version} of ${{this.config.{member}.toUpperCase()}}`); }}\n'
        "}\n"
    )


def _sees_version(phone: Any, question: str, text: str) -> None:
    phone.get_by_role("heading", name=question).wait_for(timeout=BACK_MS)
    phone.frame_locator("iframe.view-frame").get_by_text(text).wait_for(timeout=BACK_MS)


def _ask(made: LiveSession, version: str, member: str) -> Any:
    return made.activity("wave", {member: f"Question {version}"}, type_version=version)


def test_each_activity_has_the_view_of_its_version(tmp_path: Path, browser: Any) -> None:
    types, data = tmp_path / "types", tmp_path / "data"
    _put_version(types / "wave", "2", "prompt")
    _put_version(types / "wave/versions/1", "1", "question")
    with served(data, CONFLICTO_ACTIVITY_TYPES=str(types)) as first, new_session(first, browser) as made:
        phone = made.phone()
        _ask(made, "1", "question")
        _sees_version(phone, "Question 1", "view 1 of QUESTION 1")
        _ask(made, "2", "prompt")
        _sees_version(phone, "Question 2", "view 2 of QUESTION 2")
        _ask(made, "1", "question")
        _sees_version(phone, "Question 1", "view 1 of QUESTION 1")
        port = int(first.url.rsplit(":", 1)[1])
        first.stop()

        shutil.rmtree(types / "wave/versions")
        with served(data, at_port=port, CONFLICTO_ACTIVITY_TYPES=str(types)) as later:
            made.server = later
            phone.reload()
            phone.get_by_text(LACKS).wait_for(timeout=BACK_MS)
            screenshot(phone, "phone-version-missing")
            assert phone.get_by_role("button", name="Send").count() == 0, "no answer can be sent"
            assert phone.locator("iframe.view-frame").count() == 0
            assert made.violations() == []
            made.close_windows()


def test_a_phone_loads_the_newest_page_for_a_version_that_it_does_not_know(tmp_path: Path, browser: Any) -> None:
    types, data = tmp_path / "types", tmp_path / "data"
    _put_version(types / "wave", "1", "question")
    with served(data, CONFLICTO_ACTIVITY_TYPES=str(types)) as first, new_session(first, browser) as made:
        made.activity("wall", {"question": "What is missing?"})
        phone = made.phone()
        phone.get_by_role("textbox").fill("More tea, and")
        port = int(first.url.rsplit(":", 1)[1])
        first.stop()

        (types / "wave").rename(tmp_path / "old")
        _put_version(types / "wave", "2", "prompt")
        (types / "wave/versions").mkdir()
        (tmp_path / "old").rename(types / "wave/versions/1")
        with served(data, at_port=port, CONFLICTO_ACTIVITY_TYPES=str(types)) as newer:
            made.server = newer
            phone.get_by_text("There is a newer version of this page.").first.wait_for(timeout=BACK_MS)
            assert phone.get_by_role("textbox").input_value() == "More tea, and"
            _ask(made, "2", "prompt")
            _sees_version(phone, "Question 2", "view 2 of QUESTION 2")
            assert "More tea, and" in phone.evaluate("JSON.stringify({ ...sessionStorage })"), "the draft outlives it"
            made.close_windows()
