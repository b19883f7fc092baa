"""Parts of answers that are shown on their own, with the options that a config offers.

They follow from a type's schemas, so that tables of answers show words instead of ids. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from conflicto.activity_types.json_schema.binding import EVERY_ELEMENT, ConfigValues, defaults_of
from conflicto.activity_types.json_schema.flattening import flatten
from conflicto.activity_types.names import declared_pointer, label_pointer, member_title, value_label
from conflicto.aggregation.pointer import MISSING, find, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

RANK = "rank"
"""Operation that makes an array a ranking, whose order is the answer."""

VOTES = "votes"
"""Operation whose targets are other answers."""

MAX_DEPTH = 2
"""Nesting levels of objects that are split into parts: an answer, and one object in it."""

MAX_NAMED_PARTS = 50
"""Names in an object up to which each is a part; above it, the object is one value."""

_decode = msgspec.json.Decoder().decode


class PartKind(StrEnum):
    """Kind of a part: one option, several, a ranking, another answer's id, or a plain value."""

    CHOICE = "choice"
    CHOICES = "choices"
    RANKING = "ranking"
    ANSWER = "answer"
    VALUE = "value"


class Option(NamedTuple):
    """A value that an answer may hold, and its label."""

    value: object
    text: str


@dataclass(frozen=True, slots=True)
class ResponsePart:
    """One part of an answer; `steps` is its path, `name` its title, else its property's name."""

    steps: tuple[str, ...]
    name: str
    kind: PartKind
    options: tuple[Option, ...] = ()


def response_parts(activity_type: ActivityType, config: str) -> tuple[ResponsePart, ...]:
    """Return the parts of answers under a config, which is canonical JSON.

    The result is empty if the config does not fit the type.
    """
    schema = activity_type.bound_response_schema(config)
    return () if schema is None else tuple(_PartReader(activity_type, _decode(config), schema).parts())


def _paths(activity_type: ActivityType, operation: str) -> Iterator[str]:
    for spec in _decode(activity_type.aggregate or "{}").values():
        if spec["op"] == operation:
            yield spec["path"]


class _PartReader:
    """Reader of the parts of one activity.

    Names come from the type's schema, limits from the schema bound to the config.
    """

    def __init__(self, activity_type: ActivityType, config: object, schema: Schema) -> None:
        self._activity_type = activity_type
        self._root = activity_type.response_schema
        self._bound_schema = schema
        self._config = ConfigValues(config, defaults_of(activity_type.config_schema))
        self._ranked = frozenset(_paths(activity_type, RANK))
        self._refers = any(True for _ in _paths(activity_type, VOTES))

    def parts(self) -> Iterator[ResponsePart]:
        return self._below(self._root, self._bound_schema, (), "", MAX_DEPTH)

    def _below(self, given: Schema, bound_schema: Schema, steps: tuple[str, ...], name: str, depth: int) -> Iterator[ResponsePart]:
        below = self._properties(self._root, given)
        if not below or not depth:
            yield from self._part(flatten(self._root, given), flatten(self._bound_schema, bound_schema), steps, name)
            return
        limits = self._properties(self._bound_schema, bound_schema)
        for step, schema in below.items():
            title = member_title(self._activity_type, (*steps, step), flatten(self._root, schema)) or step
            yield from self._below(schema, limits.get(step, {}), (*steps, step), title, depth - 1)

    def _properties(self, root: Schema, given: Schema) -> dict[str, Schema]:
        """Return the properties of an object, with those of all branches of a choice."""
        part = flatten(root, given)
        found: dict[str, Schema] = dict(part.get("properties", {}))
        for branch in part.get("oneOf") or part.get("anyOf") or ():
            found = flatten(root, branch).get("properties", {}) | found
        return found

    def _part(self, part: Schema, bound_schema: Schema, steps: tuple[str, ...], name: str) -> Iterator[ResponsePart]:
        """Yield the part, or one for each name that the config allows in an object."""
        names = flatten(self._root, part.get("propertyNames", {})).get("x-in")
        if names is not None and len(options := tuple(self._options(names))) <= MAX_NAMED_PARTS:
            yield from (
                ResponsePart((*steps, str(option.value)), f"{name}: {option.text}" if name else option.text, PartKind.VALUE)
                for option in options
            )
            return
        yield self._listed(part, bound_schema, steps, name)

    def _listed(self, part: Schema, bound_schema: Schema, steps: tuple[str, ...], name: str) -> ResponsePart:
        if self._refers and part.get("format") == "uuid":
            return ResponsePart(steps, name, PartKind.ANSWER)
        items = flatten(self._root, part["items"]) if "items" in part else part
        path = "".join(f"/{step}" for step in steps)
        options = self._options_of(items, path, steps)
        if options is None:
            return ResponsePart(steps, name, PartKind.VALUE)
        kind = PartKind.CHOICE
        if "items" in part and bound_schema.get("maxItems") != 1:
            kind = PartKind.RANKING if path in self._ranked else PartKind.CHOICES
        return ResponsePart(steps, name, kind, options)

    def _options_of(self, items: Schema, path: str, steps: tuple[str, ...]) -> tuple[Option, ...] | None:
        """Return the values of a member that have names, None if they have none."""
        pointer = items.get("x-in") or declared_pointer(self._activity_type, path)
        if pointer is not None:
            return tuple(self._options(pointer))
        labels = {
            value: value_label(self._activity_type, steps, value) for value in items.get("enum", ()) if isinstance(value, str)
        }
        return tuple(Option(value, text or value) for value, text in labels.items()) if any(labels.values()) else None

    def _options(self, pointer: str) -> Iterator[Option]:
        place, _, key = pointer.rpartition(f"/{EVERY_ELEMENT}/")
        if not place:
            yield from (Option(value, str(value)) for value in self._config.at(pointer))
            return
        steps, label = parse(f"/{key}") or (), parse(label_pointer(self._activity_type, pointer) or "")
        for row in self._config.at(f"{place}/{EVERY_ELEMENT}"):
            value = find(row, steps)
            if value is not MISSING:
                text = find(row, label) if label else MISSING
                yield Option(value, text if isinstance(text, str) else str(value))
