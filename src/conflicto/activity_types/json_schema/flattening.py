"""Flattening of schemas: resolve references and merge `allOf` into one object of keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.activity_types.json_schema.subset import reference_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.activity_types.json_schema.subset import Schema

_MERGE_BY_KEYWORD: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "x-max-sum"), min),
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties", "x-min-sum"), max),
    "enum": lambda one, other: [subschema for subschema in one if subschema in other],
    "required": lambda one, other: [*one, *other],
    "properties": lambda one, other: {**one, **other},
    "propertyNames": lambda one, other: merge(one, other),  # noqa: PLW0108 - defined below
}


def flatten(root: Schema, part: Schema) -> Schema:
    """Return `part` with references resolved and `allOf` merged; `oneOf` and `anyOf` stay."""
    result = {key: value for key, value in part.items() if key not in {"$ref", "allOf", "$defs"}}
    target = reference_target(root, part.get("$ref"))
    for subschema in [*([target] if target else []), *part.get("allOf", ())]:
        result = merge(result, flatten(root, subschema))
    return result


def merge(one: Schema, other: Schema) -> Schema:
    """Return a schema that requires both; where keywords cannot be merged, the second's wins."""
    joined = {
        key: _MERGE_BY_KEYWORD[key](one[key], value) for key, value in other.items() if key in one and key in _MERGE_BY_KEYWORD
    }
    return one | other | joined
