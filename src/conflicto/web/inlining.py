"""Inlining of schemas: replace every reference by its definition, for pages that resolve none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activity_types.json_schema.subset import map_children

if TYPE_CHECKING:
    from conflicto.activity_types.json_schema.subset import Schema

_REF = "#/$defs/"


def inlined(schema: Schema, definitions: Schema | None = None) -> Schema:
    """Return a schema with every reference replaced by its definition."""
    definitions = schema.get("$defs", {}) if definitions is None else definitions
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix(_REF)] | {key: value for key, value in schema.items() if key != "$ref"}
    copied = map_children(schema, lambda part: inlined(part, definitions))
    return {key: value for key, value in copied.items() if key not in {"$schema", "$defs"}}
