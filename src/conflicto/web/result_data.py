"""Data of pages about results and responses: charts, titles, units, and names of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.folder_files.drawings import names_pointer
from conflicto.activity_types.json_schema.flattening import flatten
from conflicto.activity_types.names import RESULT_TEXTS, label_pointer, member_title, text_of, value_label
from conflicto.web.inlining import inlined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

MAX_LISTED_VALUES = 100
"""Values of a schema's `enum` that a page lists in a chart."""

Source = dict[str, Any]
"""Place of the values of rows: `in` and `label` are pointers, `values` a list of them."""


def drawings(known: ActivityType, locale: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the drawing of each result that differs from the default of its operation.

    `chart`, `figure` and `unit` are declared, `title` is a text of the catalogs. `shape` describes
    counted values that are objects.
    """
    response = inlined(known.response_schema)
    for name, spec in _aggregate(known).items():
        declared = known.drawings.get(name, {})
        steps = tuple(spec["path"].split("/")[1:])
        counted = _elements(_schema_at(response, spec["path"]))
        shape = _shape(known, counted, steps, locale) if spec["op"] == "count" and _is_object(counted) else {}
        data: dict[str, Any] = {key: declared[key] for key in ("chart", "figure", "unit") if key in declared}
        data |= {"title": text_of(known, RESULT_TEXTS + name, locale), "shape": shape}
        if found := {key: value for key, value in data.items() if value}:
            yield name, found


def value_sources(known: ActivityType, locale: str) -> Iterator[tuple[str, Source]]:
    """Yield the source of each result's values: a list in the config, two bounds, or the values."""
    response = inlined(known.response_schema)
    for name, spec in _aggregate(known).items():
        path = spec["path"] + spec.get("option", "")
        part = _schema_at(response, path)
        part = _elements(part) if spec["op"] == "count" else _names_of(part)
        declared = known.drawings.get(name, {})
        pointer = names_pointer(declared) or part.get("x-in")
        if pointer:
            seconds = _second_source(known, _names_of(_schema_at(response, spec["path"] + "/*"))) if "with" in spec else {}
            yield name, _config_source(known, pointer) | seconds
        elif part.get("type") == "integer" and {"x-min", "x-max"} <= part.keys():
            yield name, {"min": part["x-min"], "max": part["x-max"]}
        elif part.get("type") == "integer" and {"minimum", "maximum"} <= part.keys():
            yield name, {"from": part["minimum"], "to": part["maximum"]}
        elif part.get("enum") and len(part["enum"]) <= MAX_LISTED_VALUES:
            steps = path.split("/")[1:]
            yield name, {"values": [_listed(value, value_label(known, steps, value, locale)) for value in part["enum"]]}


def response_shape(known: ActivityType, locale: str) -> dict[str, Any]:
    """Return the shape of a type's responses: titles of members, and sources of their names."""
    return _shape(known, inlined(known.response_schema), (), locale)


def _aggregate(known: ActivityType) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(known.aggregate or "{}")
    return found


def _shape(known: ActivityType, schema: Schema, steps: tuple[str, ...], locale: str) -> dict[str, Any]:
    """Return the shape of the values of a schema, without what a page needs no words for.

    `members` are shapes by name, `items` that of a list's elements, `others` that of all further
    members, whose `names` come from the config. `texts` are labels of listed values.
    """
    part = flatten(schema, schema)
    members = {name: _shape(known, below, (*steps, name), locale) for name, below in _members(part).items()}
    pointer, names = part.get("x-in"), part.get("propertyNames", {}).get("x-in")
    texts = {str(value): value_label(known, steps, value, locale) for value in part.get("enum", ())}
    others = part.get("additionalProperties")
    data = {
        "title": member_title(known, steps, part, locale) if steps else None,
        "source": _config_source(known, pointer) if pointer else None,
        "texts": {value: text for value, text in texts.items() if text},
        "members": members,
        "items": _shape(known, part["items"], steps, locale) if isinstance(part.get("items"), dict) else None,
        "names": _config_source(known, names) if names else None,
        "others": _shape(known, others, (), locale) if isinstance(others, dict) else None,
    }
    return {key: value for key, value in data.items() if value}


def _members(part: Schema) -> dict[str, Schema]:
    """Return the properties of an object, with those of all branches of a choice."""
    found: dict[str, Schema] = dict(part.get("properties", {}))
    for branch in (*part.get("oneOf", ()), *part.get("anyOf", ())):
        found = flatten(branch, branch).get("properties", {}) | found
    return found


def _is_object(part: Schema) -> bool:
    return bool(_members(part) or "propertyNames" in part or part.get("type") == "object")


def _listed(value: object, text: str | None) -> dict[str, object]:
    return {"value": value} | ({} if text is None else {"text": text})


def _config_source(known: ActivityType, pointer: str) -> Source:
    return {"in": pointer, "label": label_pointer(known, pointer)}


def _second_source(known: ActivityType, values: Schema) -> Source:
    """Return the source of the values that an object's names are paired with, if it is known."""
    return {"second": _config_source(known, values["x-in"])} if "x-in" in values else {}


def _schema_at(schema: Schema, pointer: str) -> Schema:
    """Return the schema at a pointer into a response.

    The step `*` leads to the values of an object whose names come from the config.
    """
    for step in pointer.split("/")[1:]:
        schema = _elements(schema)
        properties = schema.get("properties", {})
        schema = properties.get(step) or (schema.get("additionalProperties") if step == "*" else None) or {}
    return schema


def _elements(schema: Schema) -> Schema:
    """Return the schema of a list's elements, else the schema itself."""
    items: Schema = schema.get("items", schema)
    return items


def _names_of(schema: Schema) -> Schema:
    """Return the schema of what a chart has rows for: elements of a list, or names of an object."""
    items = _elements(schema)
    names: Schema = items.get("propertyNames", items)
    return names
