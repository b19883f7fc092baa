"""Parts of answers with labels: options, and lists in a config without labels."""

import json
from pathlib import Path

from conflicto.activity_types.loader import load_type
from conflicto.activity_types.response_parts import MAX_NAMED_PARTS, Option, PartKind, response_parts


def test_options_are_a_list_of_values_or_of_rows_that_name_them(tmp_path: Path) -> None:
    folder = tmp_path / "picks"
    rows = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}, "text": {"type": "string"}}}}
    words = {"type": "array", "items": {"type": "string"}}
    files = {
        "activity.json": {"type": "picks", "version": "1", "title": "Picks", "icon": "🙂", "sdk": "1"},
        "config.schema.json": {"type": "object", "properties": {"rows": rows, "words": words}},
        "response.schema.json": {
            "type": "object",
            "properties": {
                "row": {"type": "string", "x-in": "/rows/*/id"},
                "word": {"type": "string", "x-in": "/words/*"},
                "points": {"title": "Points", "propertyNames": {"x-in": "/rows/*/id"}},
            },
        },
        "examples/one.json": {"config": {"rows": [{"id": "a"}], "words": ["x"]}, "responses": [{"row": "a", "word": "x"}]},
    }
    (folder / "examples").mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))

    config = {"rows": [{"id": "a", "text": "Apple"}, {"text": "no id"}, {"id": "b"}], "words": ["x", "y"]}
    row, word, apple, b = response_parts(load_type(folder), json.dumps(config))

    assert row.options == (Option("a", "Apple"), Option("b", "b"))
    assert word.options == (Option("x", "x"), Option("y", "y"))
    assert [(each.steps, each.name, each.kind) for each in (apple, b)] == [
        (("points", "a"), "Points: Apple", PartKind.VALUE), (("points", "b"), "Points: b", PartKind.VALUE),
    ]  # fmt: skip
    many = {"rows": [{"id": str(each)} for each in range(MAX_NAMED_PARTS + 1)]}
    assert [each.steps for each in response_parts(load_type(folder), json.dumps(many))] == [("row",), ("word",), ("points",)]


def test_members_and_values_have_the_names_that_a_type_declares(tmp_path: Path) -> None:
    folder = tmp_path / "named"
    rows = {"properties": {"key": {"type": "string"}, "note": {"type": "string"}, "name": {"type": "string"}}}
    files = {
        "activity.json": {"type": "named", "version": "1", "title": "Named", "icon": "🙂", "sdk": "1"},
        "config.schema.json": {"type": "object", "properties": {"rows": {"type": "array", "items": rows}}},
        "response.schema.json": {
            "type": "object",
            "properties": {"row": {"type": "string"}, "size": {"enum": ["s", "l", 3]}, "level": {"enum": ["a"]}},
        },
        "aggregate.json": {"rows": {"path": "/row", "op": "count"}},
        "drawing.json": {"rows": {"names": {"in": "/rows/*", "value": "/key", "text": "/name"}}},
        "i18n/en.json": {"response.row": "Row", "response.size.s": "Small"},
        "examples/one.json": {"config": {}, "responses": [{"row": "a"}]},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))

    config = {"rows": [{"key": "a", "note": "first", "name": "Apple"}]}
    row, size, level = response_parts(load_type(folder), json.dumps(config))

    assert (row.name, row.kind, row.options) == ("Row", PartKind.CHOICE, (Option("a", "Apple"),))
    assert (size.kind, size.options) == (PartKind.CHOICE, (Option("s", "Small"), Option("l", "l")))
    assert (level.kind, level.options) == (PartKind.VALUE, ())
