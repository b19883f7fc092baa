"""Give a schema the limits that stand in an activity's config: `x-in` becomes `enum`, `x-max` becomes `maximum`, and so on.

What comes out is a plain schema of that one activity, so that one compiled check says everything about an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.subset import CONFIG_POINTERS, Schema, map_children, walk

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_ELEMENT = "*"

_LIMIT_KEYWORDS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "x-min": ("minimum", max),
    "x-max": ("maximum", min),
    "x-max-items": ("maxItems", min),
    "x-max-length": ("maxLength", min),
}


_WHOLE_NUMBER_KEYWORDS = frozenset({"maxItems", "maxLength"})


@dataclass(frozen=True, slots=True)
class ConfigValues:
    """An activity's config, and the defaults of what it does not say."""

    config: Any
    defaults: dict[str, Any]

    def at(self, pointer: str) -> list[Any]:
        """Return the values at a JSON pointer, in which `*` stands for every element of a list.

        >>> Facts({"options": [{"id": "a"}, {"id": "b"}]}, {}).at("/options/*/id")
        ['a', 'b']
        """
        said = self.config if isinstance(self.config, dict) else {}
        found: list[Any] = [self.defaults | said]
        for segment in pointer.split("/")[1:]:
            name = segment.replace("~1", "/").replace("~0", "~")
            found = [below for value in found for below in _members_at(value, name)]
        return found


def _members_at(value: object, name: str) -> list[Any]:
    if isinstance(value, list) and name == EVERY_ELEMENT:
        return value
    if isinstance(value, dict) and name in value:
        return [value[name]]
    return []


def defaults_of(config_schema: Schema) -> dict[str, Any]:
    """Return the defaults that a config's schema gives to its properties."""
    properties = config_schema.get("properties", {})
    return {name: schema["default"] for name, schema in properties.items() if "default" in schema}


def has_config_limits(schema: Schema) -> bool:
    """Whether anything in a schema takes limits from the config."""
    return any(not CONFIG_POINTERS.isdisjoint(part) for _, part, _ in walk(schema))


def bind(schema: Schema, facts: ConfigValues) -> Schema:
    """Return a schema with the limits of one activity's config."""
    made = map_children(schema, lambda part: bind(part, facts))
    if "x-in" in made:
        made["enum"] = [value for value in facts.at(made.pop("x-in")) if isinstance(value, str | int | float)]
    for keyword, (plain, narrower) in _LIMIT_KEYWORDS.items():
        if keyword in made:
            limit = _limit(facts.at(made.pop(keyword)), whole=plain in _WHOLE_NUMBER_KEYWORDS)
            if limit is not None:
                made[plain] = narrower(limit, made[plain]) if plain in made else limit
    return made


def _limit(values: list[Any], *, whole: bool) -> float | None:
    """Return the number that stands in the config. `false` means one, and `true`, like nothing, that there is no limit."""
    value = values[0] if values else None
    if isinstance(value, bool):
        return None if value else 1
    if not isinstance(value, int | float) or (whole and (value < 0 or value != int(value))):
        return None
    return int(value) if whole else value
