"""The supported subset of JSON Schema 2020-12, with a few own keywords (`x-*`).

Validation takes time linear in the size of a value and fetches nothing. References stay within the
file and do not recurse, patterns do not backtrack, and the expanded size is bounded.
`docs/activity-types-reference.md` lists the keywords; a test compares the list with these sets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.errors import UnsupportedSchema
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

ASSERTIONS = frozenset({
    "type", "enum", "const", "required", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems", "minLength",
    "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format", "$ref",
})  # fmt: skip
"""Keywords without subschemas."""

ANNOTATIONS = frozenset({"title", "description", "default", "examples", "$comment", "x-ui"})
"""Keywords that check nothing: notes for people and hints for forms."""

SCHEMA_KEYWORDS = frozenset({"items", "additionalProperties", "propertyNames"})
SCHEMA_LIST_KEYWORDS = frozenset({"oneOf", "anyOf", "allOf", "prefixItems"})
SCHEMA_MAP_KEYWORDS = frozenset({"properties", "$defs"})
SUMS = frozenset({"x-sum", "x-min-sum", "x-max-sum"})
"""Keywords that limit a sum: by a number, or by a JSON pointer to one in the config."""

NAME_POINTERS = frozenset({"x-in", "x-required"})
"""Keywords whose value is a JSON pointer to values in the config; `*` is every element."""

CONFIG_POINTERS = SUMS | NAME_POINTERS | {
    "x-min", "x-max", "x-min-items", "x-max-items", "x-min-length", "x-max-length", "x-multiple-of",
}  # fmt: skip
"""Keywords whose value is a JSON pointer to a limit in the activity's config."""

UNIQUE = "x-unique"
SUM_OF = "x-sum-of"
SCOPE = "x-scope"
SCOPES = frozenset({"public", "host", "after_reveal"})
ROOT_KEYWORDS = frozenset({"$schema", "$defs"})
KEYWORDS = (
    ASSERTIONS
    | ANNOTATIONS
    | SCHEMA_KEYWORDS
    | SCHEMA_LIST_KEYWORDS
    | SCHEMA_MAP_KEYWORDS
    | CONFIG_POINTERS
    | ROOT_KEYWORDS
    | {UNIQUE, SUM_OF, SCOPE}
)

FORMATS = frozenset({"date", "date-time", "time", "email", "uri", "uuid"})

MAX_DEPTH = 12
MAX_SCHEMAS = 500
"""Schemas in one file; the largest built-in type has 14."""

MAX_EXPANDED_SCHEMAS = 1_000
"""Schemas after all references are expanded: a short file can expand to any size."""

MAX_BRANCHES = 16
MAX_PATTERN_CHARS = 200

_REFERENCE = re.compile(r"#/\$defs/[A-Za-z0-9_-]{1,64}", re.ASCII)
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*){0,8}")


def subset_errors(schema: object) -> Iterator[UnsupportedSchema]:
    """Yield an error for each place where a schema leaves the subset.

    Compiling checks the values of standard keywords.
    """
    if not isinstance(schema, dict):
        yield UnsupportedSchema("", "a schema is an object")
        return
    if schema.get("$schema", DIALECT) != DIALECT:
        yield UnsupportedSchema("/$schema", f"must be {DIALECT}")
    is_sound = True
    for seen, (pointer, part, depth) in enumerate(walk(schema), 1):
        if depth > MAX_DEPTH:
            yield UnsupportedSchema(pointer, f"schemas may be nested {MAX_DEPTH} deep")
            return
        if seen > MAX_SCHEMAS:
            yield UnsupportedSchema(pointer, f"a file may hold {MAX_SCHEMAS} schemas")
            return
        for error in _part_errors(schema, part, pointer):
            is_sound = False
            yield error
    if is_sound:
        yield from _expansion_errors(schema)


def _expansion_errors(schema: Schema) -> Iterator[UnsupportedSchema]:
    try:
        _expanded_size(schema, schema, "", {}, ())
    except UnsupportedSchema as error:
        yield error


def walk(schema: Schema, pointer: str = "", depth: int = 0) -> Iterator[tuple[str, Schema, int]]:
    """Yield a schema and all its subschemas with pointer and depth, parents first."""
    yield pointer, schema, depth
    for below, part in children(schema):
        yield from walk(part, pointer + below, depth + 1)


def children(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the direct subschemas of a schema, each with its relative pointer."""
    yield from ((below, part) for below, part in _child_values(schema) if isinstance(part, dict))


def _child_values(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield each value that should be a subschema, with its relative pointer."""
    for key, value in schema.items():
        if key in SCHEMA_KEYWORDS and not isinstance(value, bool):
            yield f"/{key}", value
        elif key in SCHEMA_LIST_KEYWORDS and isinstance(value, list):
            yield from ((f"/{key}/{place}", each) for place, each in enumerate(value))
        elif key in SCHEMA_MAP_KEYWORDS and isinstance(value, dict):
            yield from ((f"/{key}/{pointer_escape(name)}", each) for name, each in value.items())


def map_children(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Return a copy of a schema with `change` applied to each direct subschema."""
    copy = dict(schema)
    for key, value in schema.items():
        if key in SCHEMA_KEYWORDS and isinstance(value, dict):
            copy[key] = change(value)
        elif key in SCHEMA_LIST_KEYWORDS:
            copy[key] = [change(each) for each in value]
        elif key in SCHEMA_MAP_KEYWORDS:
            copy[key] = {name: change(each) for name, each in value.items()}
    return copy


def reference_target(root: Schema, reference: object) -> Schema | None:
    """Return the target of a `$ref`, None if it is not a definition of the same file."""
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        return None
    definitions = root.get("$defs")
    target = definitions.get(reference.removeprefix("#/$defs/")) if isinstance(definitions, dict) else None
    return target if isinstance(target, dict) else None


def is_pointer(value: object) -> bool:
    """Return whether a value is a JSON pointer of at most 8 segments."""
    return isinstance(value, str) and _POINTER.fullmatch(value) is not None


def _part_errors(root: Schema, part: Schema, pointer: str) -> Iterator[UnsupportedSchema]:
    for key, value in part.items():
        here = f"{pointer}/{pointer_escape(key)}"
        if key not in KEYWORDS:
            yield UnsupportedSchema(here, "this keyword is not part of the subset")
        elif key in ROOT_KEYWORDS and pointer:
            yield UnsupportedSchema(here, "is allowed at the root only")
        elif (reason := _keyword_error(root, part, key, value)) is not None:
            yield UnsupportedSchema(here, reason)
        elif key == SCOPE and not re.fullmatch(r"/properties/[^/]+", pointer):
            yield UnsupportedSchema(here, "is allowed on properties of the root only")
    for below, value in _child_values(part):
        if not isinstance(value, dict):
            yield UnsupportedSchema(pointer + below, "a schema is an object")


def _keyword_error(root: Schema, part: Schema, key: str, value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return the error of a keyword's value as far as compiling does not find it, else None."""
    if key == "$ref":
        return None if reference_target(root, value) is not None else "must name a definition of this file, such as #/$defs/name"
    other = _EXCLUSIVE.get(key)
    if other in part:
        return f"cannot be combined with {other}"
    if key == SUM_OF and SUMS.isdisjoint(part):
        return f"is allowed beside one of {', '.join(sorted(SUMS))} only"
    fits, reason = _VALUE_CHECKS.get(key, _ANYTHING)
    return None if fits(value) else reason


_EXCLUSIVE = {"x-in": "enum", "x-multiple-of": "multipleOf"}
"""Keywords that become a plain one, which must not stand beside them."""

_ANYTHING: tuple[Callable[[Any], bool], str] = (lambda _: True, "")
_BRANCHES = (
    lambda value: isinstance(value, list) and len(value) <= MAX_BRANCHES,
    f"must be a list of at most {MAX_BRANCHES} schemas",
)
_ONE_PLACE = (lambda value: is_pointer(value) and "*" not in value, "must be a JSON pointer into the config, without *")
_VALUE_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(SCHEMA_LIST_KEYWORDS, _BRANCHES),
    **dict.fromkeys(SCHEMA_MAP_KEYWORDS, (lambda value: isinstance(value, dict), "must be an object of schemas")),
    **dict.fromkeys(CONFIG_POINTERS, _ONE_PLACE),
    **dict.fromkeys(NAME_POINTERS, (is_pointer, "must be a JSON pointer into the config")),
    **dict.fromkeys(
        SUMS,
        (lambda value: _is_number(value) or _ONE_PLACE[0](value), "must be a number or a JSON pointer into the config, without *"),
    ),
    "pattern": (
        lambda value: isinstance(value, str) and len(value) <= MAX_PATTERN_CHARS,
        f"must have at most {MAX_PATTERN_CHARS} characters",
    ),
    "format": (lambda value: isinstance(value, str) and value in FORMATS, f"must be one of {', '.join(sorted(FORMATS))}"),
    SCOPE: (lambda value: isinstance(value, str) and value in SCOPES, f"must be one of {', '.join(sorted(SCOPES))}"),
    **dict.fromkeys((UNIQUE, SUM_OF), (is_pointer, "must be a JSON pointer into each element")),
    "x-ui": (lambda value: isinstance(value, dict), "must be an object"),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _expanded_size(root: Schema, part: Schema, pointer: str, known: dict[str, int], inside: tuple[str, ...]) -> int:
    """Return the number of schemas that a part expands to; reject recursion and excessive size."""
    count = 1
    for below, each in children(part):
        if not below.startswith("/$defs/"):
            count += _expanded_size(root, each, pointer + below, known, inside)
    name = part.get("$ref")
    if name is not None:
        if name in inside:
            raise UnsupportedSchema(pointer + "/$ref", "a definition must not refer to itself")
        if name not in known:
            known[name] = _expanded_size(root, reference_target(root, name) or {}, name.removeprefix("#"), known, (*inside, name))
        count += known[name]
    if count > MAX_EXPANDED_SCHEMAS:
        raise UnsupportedSchema(pointer, f"expands to more than {MAX_EXPANDED_SCHEMAS} schemas")
    return count
