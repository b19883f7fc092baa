"""Binding: copy limits from an activity's config into a schema.

`x-in` becomes `enum`, `x-max` becomes `maximum`, and so on. The result is a plain schema of one
activity, so one compiled validator checks an answer completely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.json_schema.subset import CONFIG_POINTERS, SUMS, Schema, map_children, walk

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_ELEMENT = "*"

_LIMIT_KEYWORDS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "x-min": ("minimum", max),
    "x-max": ("maximum", min),
    "x-min-items": ("minItems", max),
    "x-max-items": ("maxItems", min),
    "x-min-length": ("minLength", max),
    "x-max-length": ("maxLength", min),
    "x-multiple-of": ("multipleOf", max),
}
"""Plain keyword of each limit, and the narrower one of two limits."""

_WHOLE_NUMBER_KEYWORDS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})


@dataclass(frozen=True, slots=True)
class ConfigValues:
    """An activity's config, and the defaults of the properties that it omits."""

    config: Any
    defaults: dict[str, Any]

    def at(self, pointer: str) -> list[Any]:
        """Return the values at a JSON pointer; `*` stands for every element of a list.

        >>> ConfigValues({"options": [{"id": "a"}, {"id": "b"}]}, {}).at("/options/*/id")
        ['a', 'b']
        """
        given = self.config if isinstance(self.config, dict) else {}
        found: list[Any] = [self.defaults | given]
        for segment in pointer.split("/")[1:]:
            name = segment.replace("~1", "/").replace("~0", "~")
            found = [member for value in found for member in _members_at(value, name)]
        return found


def _members_at(value: object, name: str) -> list[Any]:
    if isinstance(value, list) and name == EVERY_ELEMENT:
        return value
    if isinstance(value, dict) and name in value:
        return [value[name]]
    return []


def defaults_of(config_schema: Schema) -> dict[str, Any]:
    """Return the default of each property in a config's schema."""
    properties = config_schema.get("properties", {})
    return {name: schema["default"] for name, schema in properties.items() if "default" in schema}


def has_config_limits(schema: Schema) -> bool:
    """Return whether any part of a schema takes a limit from the config."""
    return any(not CONFIG_POINTERS.isdisjoint(part) for _, part, _ in walk(schema))


def bind(schema: Schema, facts: ConfigValues) -> Schema:
    """Return a copy of a schema with the limits of one activity's config."""
    result = map_children(schema, lambda part: bind(part, facts))
    if "x-in" in result:
        result["enum"] = [value for value in facts.at(result.pop("x-in")) if isinstance(value, str | int | float)]
    _bind_names(result, facts)
    for keyword, (plain, narrower) in _LIMIT_KEYWORDS.items():
        if keyword in result:
            limit = _limit(facts.at(result.pop(keyword)), is_integer=plain in _WHOLE_NUMBER_KEYWORDS)
            if limit is not None and not (plain == "multipleOf" and limit <= 0):
                result[plain] = narrower(limit, result[plain]) if plain in result else limit
    for keyword in SUMS & result.keys():
        if isinstance(result[keyword], str):
            limit = _limit(facts.at(result.pop(keyword)), is_integer=False)
            result |= {} if limit is None else {keyword: limit}
    return result


def _bind_names(part: Schema, facts: ConfigValues) -> None:
    """Copy names of members from the config; a number stands for the name of its digits."""
    if "enum" in part.get("propertyNames", {}):
        part["propertyNames"] = part["propertyNames"] | {"enum": _names(part["propertyNames"]["enum"])}
    if "x-required" in part:
        part["required"] = _names([*part.get("required", ()), *facts.at(part.pop("x-required"))])


def _names(values: list[Any]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if isinstance(value, str | int | float)))


def _limit(values: list[Any], *, is_integer: bool) -> float | None:
    """Return the limit as a number, None for no limit. `false` means 1, `true` means no limit."""
    value = values[0] if values else None
    if isinstance(value, bool):
        return None if value else 1
    if not isinstance(value, int | float) or (is_integer and (value < 0 or value != int(value))):
        return None
    return int(value) if is_integer else value
