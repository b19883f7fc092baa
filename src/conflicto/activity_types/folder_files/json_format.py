"""Formats of the small JSON files in a type's folder: a schema, with a remedy for each error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.activity_types.json_schema.validator import SchemaValidator
from conflicto.aggregation.pointer import find, parse
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conflicto.activity_types.json_schema.subset import Schema

_ARTICLES = {"object": "an object", "array": "a list", "string": "a text", "integer": "a whole number", "boolean": "true or false"}


class FormatError(NamedTuple):
    """An error in a value: its JSON pointer, and what to write instead."""

    pointer: str
    message: str
    remedy: str


class JsonFormat:
    """The schema of a file. A `description` in it says what to write."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._validator = SchemaValidator(schema, "")

    def errors(self, value: Any) -> Iterator[FormatError]:  # noqa: ANN401 - any JSON
        """Yield the errors of a value."""
        for error in self._validator.errors(value):
            steps = parse(error.pointer) or ()
            part = self._schema_at(steps)
            unknown = _unknown_members(part, find(value, steps))
            yield from (
                FormatError(f"{error.pointer}/{pointer_escape(name)}", "is not known here", f"Remove it. Allowed: {_names(part)}.")
                for name in unknown
            )
            misnamed = _misnamed_members(part, find(value, steps))
            yield from (
                FormatError(f"{error.pointer}/{pointer_escape(name)}", "has a name of another form", f"Write {words}.")
                for name, words in misnamed
            )
            if not unknown and not misnamed:
                yield FormatError(error.pointer, error.message, f"Write {_description(part)}.")

    def _schema_at(self, steps: Sequence[str]) -> Schema:
        """Return the schema of the value at a pointer, empty if there is none."""
        part = self._schema
        for step in steps:
            below = part.get("properties", {}).get(step) or part.get("additionalProperties") or part.get("items") or {}
            part = below if isinstance(below, dict) else {}
        return part


def _unknown_members(part: Schema, value: object) -> list[str]:
    if part.get("additionalProperties") is not False or not isinstance(value, dict):
        return []
    return sorted(value.keys() - part["properties"].keys())


def _misnamed_members(part: Schema, value: object) -> list[tuple[str, str]]:
    """Return the members whose names do not fit `propertyNames`, each with what to write."""
    names = part.get("propertyNames")
    if names is None or not isinstance(value, dict):
        return []
    fits = SchemaValidator(names, "").is_valid
    return [(name, _description(names)) for name in value if not fits(name)]


def _description(part: Schema) -> str:
    if "const" in part or "enum" in part:
        return " or ".join(json.dumps(value) for value in part.get("enum", [part.get("const")]))
    if {"minimum", "maximum"} <= part.keys():
        return f"a whole number from {part['minimum']} to {part['maximum']}"
    described: str = part.get("description") or _ARTICLES.get(
        part.get("type", ""), "a value as docs/activity-types-reference.md describes"
    )
    return f"{described} with {_names(part)}" if "properties" in part else described


def _names(part: Schema) -> str:
    return ", ".join(part.get("properties", ()))
