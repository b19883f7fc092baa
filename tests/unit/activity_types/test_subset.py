"""The subset of JSON Schema, and the place of everything outside it."""

import re
import socket
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conflicto.activity_types.errors import UnsupportedSchema
from conflicto.activity_types.json_schema.subset import FORMATS, KEYWORDS, MAX_DEPTH, MAX_SCHEMAS, subset_errors
from conflicto.activity_types.json_schema.validator import compile_schema

PAGE = Path(__file__).parents[3] / "docs/activity-types-reference.md"


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    """Return a schema whose definitions double at each level: it expands to 2^levels schemas."""
    names = [f"d{level}" for level in range(levels)]
    twice = {a: {"allOf": [{"$ref": f"#/$defs/{b}"}] * 2} for a, b in pairwise(names)}
    return {"$defs": twice | {names[-1]: {}}, "$ref": "#/$defs/d0"}


REFUSED: list[tuple[Any, str, str]] = [
    (True, "", "a schema is an object"),
    ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "must be https"),
    ({"if": {}}, "/if", "not part of the subset"),
    ({"patternProperties": {"(a+)+$": {}}}, "/patternProperties", "not part of the subset"),
    ({"unevaluatedProperties": False}, "/unevaluatedProperties", "not part of the subset"),
    ({"$id": "https://example.org/a"}, "/$id", "not part of the subset"),
    ({"$dynamicRef": "#a"}, "/$dynamicRef", "not part of the subset"),
    ({"properties": {"a/b": {"x-typo": 1}}}, "/properties/a~1b/x-typo", "not part of the subset"),
    ({"properties": {"a": {"$defs": {}}}}, "/properties/a/$defs", "at the root only"),
    ({"properties": {"a": True}}, "/properties/a", "a schema is an object"),
    ({"items": 3}, "/items", "a schema is an object"),
    ({"$ref": "https://example.org/schema"}, "/$ref", "of this file"),
    ({"$ref": "#"}, "/$ref", "of this file"),
    ({"$ref": "#/properties/a", "properties": {"a": {}}}, "/$ref", "of this file"),
    ({"$ref": "#/$defs/missing"}, "/$ref", "of this file"),
    ({"$ref": 7}, "/$ref", "of this file"),
    ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, "/$defs/a/items/$ref", "must not refer to itself"),
    (doubling(16), "/$defs/", "expands to more than"),
    (nested(MAX_DEPTH + 1), "/items" * (MAX_DEPTH + 1), "nested 12 deep"),
    ({"properties": {str(place): {} for place in range(MAX_SCHEMAS)}}, "/properties/499", "500 schemas"),
    ({"oneOf": {}}, "/oneOf", "a list of at most 16"),
    ({"anyOf": [{}] * 17}, "/anyOf", "a list of at most 16"),
    ({"pattern": "a" * 201}, "/pattern", "at most 200 characters"),
    ({"format": "hostname"}, "/format", "must be one of date"),
    ({"format": ["date"]}, "/format", "must be one of date"),
    ({"x-in": "options"}, "/x-in", "a JSON pointer into the config"),
    ({"x-in": "/options/*", "enum": [1]}, "/x-in", "cannot be combined with enum"),
    ({"x-max": "/options/*"}, "/x-max", "without *"),
    ({"x-max-items": 3}, "/x-max-items", "without *"),
    ({"x-unique": "id"}, "/x-unique", "into each element"),
    ({"x-sum": "100"}, "/x-sum", "a number or a JSON pointer into the config"),
    ({"x-max-sum": True}, "/x-max-sum", "a number or a JSON pointer into the config"),
    ({"x-min-sum": "/limits/*"}, "/x-min-sum", "without *"),
    ({"x-sum-of": "/n"}, "/x-sum-of", "beside one of x-max-sum, x-min-sum, x-sum"),
    ({"x-sum": 1, "x-sum-of": "n"}, "/x-sum-of", "into each element"),
    ({"x-required": "options"}, "/x-required", "a JSON pointer into the config"),
    ({"x-multiple-of": "/step", "multipleOf": 2}, "/x-multiple-of", "cannot be combined with multipleOf"),
    ({"propertyNames": {"x-typo": 1}}, "/propertyNames/x-typo", "not part of the subset"),
    ({"x-ui": "text"}, "/x-ui", "must be an object"),
    ({"properties": {"a": {"x-scope": "everyone"}}}, "/properties/a/x-scope", "must be one of after_reveal, host, public"),
    ({"x-scope": "host"}, "/x-scope", "properties of the root only"),
    ({"properties": {"a": {"properties": {"b": {"x-scope": "host"}}}}}, "/properties/a/properties/b/x-scope", "of the root only"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "pointer", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_the_subset_does_not_hold_is_refused_where_it_stands(schema: Any, pointer: str, reason: str) -> None:
    first = next(subset_errors(schema))

    assert first.pointer.startswith(pointer)
    assert reason in first.reason


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        ({"type": "text"}, "/type", "no sound value"),
        ({"minLength": -1}, "/minLength", "no sound value"),
        ({"properties": {"a": {"required": "a"}}}, "/properties/a/required", "no sound value"),
        ({"pattern": "("}, "/pattern", "linear time"),
        ({"pattern": r"(a)\1"}, "/pattern", "linear time"),
        ({"pattern": "(?=a)a"}, "/pattern", "linear time"),
        ({"properties": {"a": {"pattern": "(?:[a-z]{1,900}){900}"}}}, "/properties/a/pattern", "linear time"),
    ],
)
def test_values_that_make_no_sense_are_refused_where_they_stand(schema: dict[str, Any], pointer: str, reason: str) -> None:
    assert not [*subset_errors(schema)]
    with pytest.raises(UnsupportedSchema) as refused:
        compile_schema(schema)

    assert refused.value.pointer == pointer
    assert reason in refused.value.reason


def test_what_the_subset_holds_is_taken() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$", "format": "date"}},
        "type": "object", "required": ["a"], "additionalProperties": False, "minProperties": 1, "maxProperties": 3,
        "properties": {
            "a": {"$ref": "#/$defs/name", "title": "A", "description": "D", "default": "x", "examples": ["x"], "x-scope": "host"},
            "b": {"type": ["array", "null"], "prefixItems": [{"const": 1}], "items": False, "uniqueItems": True, "x-unique": "/id"},
            "d": {"propertyNames": {"x-in": "/a/*"}, "x-required": "/a/*", "x-sum": 1, "x-max-sum": "/a", "x-sum-of": ""},
            "e": {"x-min-items": "/a", "x-min-length": "/a", "x-multiple-of": "/a"},
            "c": {"oneOf": [{"multipleOf": 2}, {"enum": [3]}], "allOf": [{"x-min": "/a~1b", "x-max": ""}], "x-ui": {"widget": "number"}},
        },
    }  # fmt: skip

    assert not [*subset_errors(schema)]
    compile_schema(schema)


@pytest.mark.catalogue("J-20")
def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is opened, by Python or by a library: a real listener checks the address."""
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        monkeypatch.setattr(socket.socket, "connect", lambda *address: connections.append(address))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
        watch = threading.Thread(target=_note_visitors, args=(listener, connections))
        watch.start()
        for schema in ({"$ref": address}, {"$defs": {"a": {"$ref": address + "#/a"}}, "$ref": "#/$defs/a"}):
            assert [*subset_errors(schema)]
            with pytest.raises(UnsupportedSchema):
                compile_schema(schema)
        watch.join()

    assert connections == []


def _note_visitors(listener: socket.socket, connections: list[object]) -> None:
    try:
        connections.append(listener.accept())
    except TimeoutError:
        return


def test_the_page_lists_the_subset() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## The subset of JSON Schema")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`([$a-z][\w$-]*)`", section, re.IGNORECASE))

    assert listed >= KEYWORDS
    assert listed >= FORMATS
