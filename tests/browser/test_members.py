"""Members with names of the config in the generated form, and charts of pairs and percentiles."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot
from tests.support.processes import served

pytestmark = pytest.mark.browser

NAMES = {"type": "object", "propertyNames": {"x-in": "/words/*"}}
FILES: dict[str, Any] = {
    "activity.json": {
        "type": "match", "version": "1", "title": "Match", "icon": "🔗", "sdk": "1",
        "fresh": {"config": {"question": "", "words": ["dog", "cat"]}, "secret": {}},
    },
    "config.schema.json": {
        "type": "object", "additionalProperties": False, "required": ["question", "words"],
        "properties": {
            "question": {"type": "string", "minLength": 1}, "words": {"type": "array", "items": {"type": "string"}},
            "meanings": {"type": "array", "items": {"type": "string"}, "default": ["Hund", "Katze"]},
        },
    },
    "response.schema.json": NAMES | {"additionalProperties": {"x-in": "/meanings/*"}},
    "secret.schema.json": {
        "type": "object", "additionalProperties": False,
        "properties": {
            "weights": NAMES | {"additionalProperties": {"type": "integer", "minimum": 0}, "x-sum": 10},
        },
    },
    "aggregate.json": {"pairs": {"path": "", "op": "pairs", "of": "/words/*", "with": ["Hund", "Katze"]}},
    "examples/one.json": {
        "config": {"question": "?", "words": ["dog"], "meanings": ["Hund"]},
        "secret": {"weights": {"dog": 10}}, "responses": [{"dog": "Hund"}],
    },
    "i18n/en.json": {
        "title": "Match", "description": "Match words", "config.question": "Question", "config.words": "Words",
        "config.meanings": "Meanings", "secret.weights": "Weights",
    },
}  # fmt: skip


@pytest.fixture
def matching(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    for path, content in FILES.items():
        file = tmp_path / "types/match" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    with (
        served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=str(tmp_path / "types")) as server,
        new_session(server, browser) as made,
    ):
        yield made


def test_a_form_has_a_field_for_each_name_of_the_config(matching: LiveSession) -> None:
    host = matching.host()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="Match").click()
    host.get_by_label("Question").fill("Which is which?")
    group = host.get_by_role("group", name="Weights")
    group.get_by_label("dog").fill("7")
    host.get_by_text("must add up to 10").wait_for()
    screenshot(host, "host-editor-named-members")
    group.get_by_label("cat").fill("3")
    host.get_by_text("must add up to 10").wait_for(state="detached")
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Start: Which is which?").wait_for()

    assert matching.call("GET", "/activities")["items"][0]["secret"] == {"weights": {"dog": 7, "cat": 3}}


def test_pairs_and_percentiles_are_drawn_with_their_figures(matching: LiveSession) -> None:
    seats = [_join(matching, each) for each in range(4)]
    match = matching.activity("match", {"question": "Which is which?", "words": ["dog", "cat"]}, results_visibility="always")
    screen = matching.screen()
    for index, seat in enumerate(seats):
        answer = {"dog": "Hund" if index else "Katze", "cat": "Katze"}
        _submit(matching, match, seat, answer)
    screen.get_by_role("row", name="dog – Hund").get_by_text("3").wait_for()
    screen.get_by_role("row", name="cat – Katze").get_by_text("4").wait_for()
    screenshot(screen, "screen-pairs")

    median = {"middle": {"path": "/value", "op": "median", "percentiles": [10, 90]}}
    guess = matching.activity("estimate", {"question": "How heavy?"}, results_visibility="always", aggregate=median)
    for seat, value in zip(seats, (0, 10, 20, 30), strict=True):
        _submit(matching, guess, seat, {"value": value})
    screen.locator(".of-median table").get_by_role("row", name="90 %").wait_for(state="attached")
    assert screen.locator(".of-median table tbody tr").all_inner_texts() == [
        "0 %\t0", "10 %\t3", "25 %\t7.5", "50 %\t15", "75 %\t22.5", "90 %\t27", "100 %\t30",
    ]  # fmt: skip
    screenshot(screen, "screen-percentiles")


def _join(live: LiveSession, number: int) -> dict[str, Any]:
    body = {"nickname": f"P{number}", "code": live.session["join_code"]}
    return dict(live.server.call("POST", "/join", body, key=f"phone-{number}-joins-now"))


def _submit(live: LiveSession, activity: dict[str, Any], seat: dict[str, Any], answer: Any) -> None:
    path = f"{live.path}/activities/{activity['id']}/responses"
    live.server.call("POST", path, {"response_data": answer}, token=seat["participant_token"])
