"""Pointers of a type's files into its schemas: where they lead, and whether values fit there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conflicto.activity_types.json_schema.binding import EVERY_ELEMENT
from conflicto.activity_types.json_schema.flattening import flatten
from conflicto.activity_types.json_schema.subset import CONFIG_POINTERS, NAME_POINTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.json_schema.subset import Schema

_INDEX = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
_NUMBERS = frozenset({"integer", "number", "boolean"})

USABLE_TYPES: dict[str, frozenset[str]] = {
    **dict.fromkeys(CONFIG_POINTERS - NAME_POINTERS, _NUMBERS),
    **dict.fromkeys(NAME_POINTERS, _NUMBERS | {"string"}),
}
"""JSON types of config values that each keyword can use; of other values it would set no limit."""


def schemas_at(root: Schema, pointer: str, start: Schema | None = None) -> list[Schema]:
    """Return the schemas that values at a pointer may have, empty if it leads nowhere.

    The pointer begins at `start`, a part of `root`; None: at `root` itself. A step into a list is
    `*` or an index. Where a schema describes nothing, anything may be.
    """
    found = [root if start is None else start]
    for segment in pointer.split("/")[1:]:
        step = segment.replace("~1", "/").replace("~0", "~")
        found = [below for part in found for below in _below(root, part, step)]
    return [flatten(root, part) for part in found]


def names_at(root: Schema, pointer: str, start: Schema | None = None) -> list[str]:
    """Return the names of properties beside the last step of a pointer, for messages."""
    parents = schemas_at(root, pointer.rpartition("/")[0], start) if pointer else []
    return sorted({name for part in parents for each in _with_branches(root, part) for name in each.get("properties", ())})


def unusable_type(keyword: str, schemas: list[Schema]) -> str | None:
    """Return the type of config values that a keyword cannot use, None if some value is usable."""
    usable = USABLE_TYPES[keyword]
    types = [part.get("type") for part in schemas]
    named = [each for entry in types for each in ([entry] if isinstance(entry, str) else entry or [])]
    if None in types or not usable.isdisjoint(named):
        return None
    return named[0] if named else None


def _below(root: Schema, part: Schema, step: str) -> Iterator[Schema]:
    for each in _with_branches(root, part):
        yield from _member(each, step)
        if step == EVERY_ELEMENT or _INDEX.fullmatch(step):
            yield from _elements(each)


def _with_branches(root: Schema, part: Schema) -> Iterator[Schema]:
    """Yield a schema without references, and all branches of its choices."""
    flat = flatten(root, part)
    yield flat
    for branch in (*flat.get("oneOf", ()), *flat.get("anyOf", ())):
        yield from _with_branches(root, branch)


def _member(part: Schema, step: str) -> Iterator[Schema]:
    properties, others = part.get("properties", {}), part.get("additionalProperties")
    if step in properties:
        yield properties[step]
    elif isinstance(others, dict):
        yield others
    elif others is not False and not properties and _may_be(part, "object"):
        yield {}


def _elements(part: Schema) -> Iterator[Schema]:
    items = part.get("items")
    if not _may_be(part, "array"):
        return
    yield from part.get("prefixItems", ())
    if items is not False:
        yield items if isinstance(items, dict) else {}


def _may_be(part: Schema, type_name: str) -> bool:
    """Return whether values of a schema can have a type; choices describe it in their branches."""
    if "oneOf" in part or "anyOf" in part:
        return False
    types = part.get("type", type_name)
    return type_name in ([types] if isinstance(types, str) else types)
