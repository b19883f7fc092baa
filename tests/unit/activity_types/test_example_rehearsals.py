"""Rehearsals of the example types: sums that fit, and correct answers of those who know."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conflicto.activity_types.loader import load_type
from conflicto.activity_types.response_generator.generator import ResponseGenerator

EXAMPLES = Path(__file__).parents[3] / "examples/types"
POINTS = load_type(EXAMPLES / "points")
HOTSPOT = load_type(EXAMPLES / "hotspot/src/conflicto_hotspot/hotspot")
OPTIONS = [{"id": each, "text": each} for each in "abcd"]
SPOT = {"question": "?", "picture": "house", "columns": 4, "rows": 3}


def generated(generator: ResponseGenerator | None, skill: float = 0.5) -> list[Any]:
    assert generator is not None
    found = [generator.generate(Random(each), skill=skill) for each in range(100)]
    return [json.loads(text) for text in found if text is not None]


@pytest.mark.parametrize(("total", "step"), [(100, 1), (100, 5), (10, 10), (7, 1), (1000, 250)])
def test_points_add_up_in_steps(total: int, step: int) -> None:
    config = {"question": "?", "options": OPTIONS, "total": total, "step": step}
    answers = generated(ResponseGenerator.for_activity(POINTS, json.dumps(config), '{"best":"b"}'))

    assert len(answers) == 100
    assert {sum(each["points"].values()) for each in answers} == {total}
    assert all(points % step == 0 for each in answers for points in each["points"].values())


def test_those_who_know_tap_the_right_cell() -> None:
    generator = ResponseGenerator.for_activity(HOTSPOT, json.dumps(SPOT), '{"column":4,"row":3}')

    assert generated(generator, 1.0) == [{"column": 4, "row": 3}] * 100
    assert sum(each == {"column": 4, "row": 3} for each in generated(generator, 0.0)) < 50


def test_distances_are_met_member_by_member(tmp_path: Path) -> None:
    folder = tmp_path / "dart"
    numbers = {each: {"type": "number", "minimum": 0, "maximum": 1} for each in "xy"}
    point = {"type": "object", "required": ["x", "y"], "properties": numbers}
    files = {
        "activity.json": {"type": "dart", "version": "1", "title": "Dart", "icon": "🎯", "sdk": "1"},
        "config.schema.json": {"type": "object", "properties": {"question": {"type": "string"}}},
        "response.schema.json": point | {"additionalProperties": False},
        "secret.schema.json": {"type": "object", "properties": {"at": point, "within": {"type": "number"}}},
        "aggregate.json": {"score": {"path": "", "op": "score", "rule": "distance", "key": "/at", "tolerance": "/within"}},
        "examples/one.json": {"config": {}, "secret": {"at": {"x": 0, "y": 0}, "within": 1}, "responses": [{"x": 0.5, "y": 0.5}]},
    }
    (folder / "examples").mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    generator = ResponseGenerator.for_activity(load_type(folder), "{}", '{"at":{"x":0.25,"y":0.75},"within":0.1}')

    assert generated(generator, 1.0) == [{"x": 0.25, "y": 0.75}] * 100
