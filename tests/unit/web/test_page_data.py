"""Data of pages: where the values of an aggregation are, with their labels."""

import json
from pathlib import Path
from typing import Any

from conflicto.activity_types.loader import load_type
from conflicto.web.page_data import type_data

ROWS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}, "text": {"type": "string"}}}}
OPTIONS = {"in": "/options/*/id", "label": "text"}


def sources(tmp_path: Path, response: dict[str, Any], aggregate: dict[str, Any]) -> dict[str, Any]:
    folder = tmp_path / "own"
    files = {
        "activity.json": {"type": "own", "version": "1", "title": "Own", "icon": "🙂", "sdk": "1"},
        "config.schema.json": {
            "type": "object",
            "properties": {"options": ROWS, "words": {"type": "array", "items": {"type": "string"}}},
        },
        "response.schema.json": {"type": "object", "properties": response},
        "aggregate.json": aggregate,
        "examples/one.json": {"config": {}, "responses": [{}]},
    }
    (folder / "examples").mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return dict(type_data(load_type(folder), "en")["value_sources"])


def test_names_of_members_and_options_of_elements_have_labels(tmp_path: Path) -> None:
    response = {
        "points": {"type": "object", "propertyNames": {"x-in": "/options/*/id"}, "additionalProperties": {"type": "integer"}},
        "list": {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"x-in": "/options/*/id"}, "n": {"type": "integer"}}},
        },
    }
    aggregate = {
        "points": {"path": "/points", "op": "amounts", "of": "/options/*/id"},
        "list": {"path": "/list", "op": "amounts", "of": "/options/*/id", "option": "/id", "amount": "/n"},
    }

    assert sources(tmp_path, response, aggregate) == {"points": OPTIONS, "list": OPTIONS}


def test_pairs_have_labels_on_both_sides(tmp_path: Path) -> None:
    names = {"type": "object", "propertyNames": {"x-in": "/options/*/id"}}
    response = {
        "match": names | {"additionalProperties": {"x-in": "/words/*"}},
        "free": names | {"additionalProperties": {"type": "string"}},
        "both": {"type": "array", "items": {"x-in": "/options/*/id"}},
    }
    aggregate = {
        name: {"path": f"/{name}", "op": "pairs", "of": "/options/*/id", **({} if name == "both" else {"with": "/words/*"})}
        for name in response
    }

    assert sources(tmp_path, response, aggregate) == {
        "match": OPTIONS | {"second": {"in": "/words/*", "label": None}}, "free": OPTIONS, "both": OPTIONS,
    }  # fmt: skip
