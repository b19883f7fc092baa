"""Parts of an answer that can be read on their own, with the options that a config offers for them and their words.

They follow from the schemas of a type, so that a table of answers shows words where an answer holds ids. Everything here is pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from conflicto.activity_types.binding import EVERY_ELEMENT, ConfigValues, defaults_of
from conflicto.activity_types.flattening import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.subset import Schema

RANK = "rank"
"""The operation that makes an array a ranking: its order is the answer."""

VOTES = "votes"
"""The operation whose targets are other answers."""

MAX_DEPTH = 2
"""Levels of objects that are taken apart: an answer, and an object of statements in it."""

_decode = msgspec.json.Decoder().decode


class PartKind(StrEnum):
    """How a part is read: one option, several, several in order, the id of another answer, or a plain value."""

    CHOICE = "choice"
    CHOICES = "choices"
    RANKING = "ranking"
    ANSWER = "answer"
    VALUE = "value"


class Option(NamedTuple):
    """A value that an answer may hold, and its words."""

    value: object
    text: str


@dataclass(frozen=True, slots=True)
class ResponsePart:
    """One part of an answer. `steps` lead to it from the root; `name` is its title, else the name of its property."""

    steps: tuple[str, ...]
    name: str
    kind: PartKind
    options: tuple[Option, ...] = ()


def response_parts(activity_type: ActivityType, config: str) -> tuple[ResponsePart, ...]:
    """Return the parts of answers to an activity with this config, a gated JSON text; none if the config does not fit the type."""
    schema = activity_type.bound_response_schema(config)
    return () if schema is None else tuple(_PartReader(activity_type, _decode(config), schema).parts())


def label_property(rows: Schema, key: str) -> str | None:
    """Return which property says in words what the id `key` of a listed object stands for: the first text beside it."""
    return next((name for name, schema in rows.items() if schema.get("type") == "string" and name != key), None)


def _paths(known: ActivityType, operation: str) -> Iterator[str]:
    for spec in _decode(known.aggregate or "{}").values():
        if spec["op"] == operation:
            yield spec["path"]


class _PartReader:
    """Reads the parts of one activity: names and places from the type's schema, limits from the schema bound to the config."""

    def __init__(self, known: ActivityType, config: object, schema: Schema) -> None:
        self._known = known
        self._root = known.response_schema
        self._bound = schema
        self._facts = ConfigValues(config, defaults_of(known.config_schema))
        self._ranked = frozenset(_paths(known, RANK))
        self._refers = any(True for _ in _paths(known, VOTES))

    def parts(self) -> Iterator[ResponsePart]:
        return self._below(self._root, self._bound, (), "", MAX_DEPTH)

    def _below(self, given: Schema, bound: Schema, steps: tuple[str, ...], name: str, depth: int) -> Iterator[ResponsePart]:
        below = self._properties(self._root, given)
        if not below or not depth:
            yield self._part(flatten(self._root, given), flatten(self._bound, bound), steps, name)
            return
        limits = self._properties(self._bound, bound)
        for step, schema in below.items():
            title = flatten(self._root, schema).get("title") or step
            yield from self._below(schema, limits.get(step, {}), (*steps, step), title, depth - 1)

    def _properties(self, root: Schema, given: Schema) -> dict[str, Schema]:
        """Return the properties of an object; the branches of a choice give theirs together."""
        part = flatten(root, given)
        found: dict[str, Schema] = dict(part.get("properties", {}))
        for branch in part.get("oneOf") or part.get("anyOf") or ():
            found = flatten(root, branch).get("properties", {}) | found
        return found

    def _part(self, part: Schema, bound: Schema, steps: tuple[str, ...], name: str) -> ResponsePart:
        if self._refers and part.get("format") == "uuid":
            return ResponsePart(steps, name, PartKind.ANSWER)
        items = flatten(self._root, part["items"]) if "items" in part else part
        if "x-in" not in items:
            return ResponsePart(steps, name, PartKind.VALUE)
        kind = PartKind.CHOICE
        if "items" in part and bound.get("maxItems") != 1:
            kind = PartKind.RANKING if "".join(f"/{step}" for step in steps) in self._ranked else PartKind.CHOICES
        return ResponsePart(steps, name, kind, tuple(self._options(items["x-in"])))

    def _options(self, pointer: str) -> Iterator[Option]:
        place, _, key = pointer.rpartition(f"/{EVERY_ELEMENT}/")
        if not place:
            yield from (Option(value, str(value)) for value in self._facts.at(pointer))
            return
        label = label_property(_rows_schema(self._known.config_schema, place), key)
        for row in self._facts.at(f"{place}/{EVERY_ELEMENT}"):
            if isinstance(row, dict) and key in row:
                text = row.get(label) if label else None
                yield Option(row[key], text if isinstance(text, str) else str(row[key]))


def _rows_schema(root: Schema, place: str) -> Schema:
    """Return the properties of the objects that are listed at a place of the config."""
    part = root
    for step in place.split("/")[1:]:
        part = flatten(root, flatten(root, part).get("properties", {}).get(step, {}))
    rows: Schema = flatten(root, flatten(root, part).get("items", {})).get("properties", {})
    return rows
