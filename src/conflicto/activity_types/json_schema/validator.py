"""Compiled JSON Schemas. Error messages never contain the values that were sent."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import jsonschema_rs

from conflicto.activity_types.errors import UnsupportedSchema
from conflicto.activity_types.json_schema.keywords import KEYWORD_CLASSES
from conflicto.activity_types.json_schema.subset import ASSERTIONS, Schema, walk
from conflicto.platform.problems import FieldError
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_ERRORS = 20

MAX_VALUES_FOR_ALL_ERRORS = 300
"""JSON values up to which all errors are reported; of larger JSON, only the first one.

The library formats all messages before it returns the first, at 6 µs each and more for long
enumerations. One hostile answer of 16 KiB blocked the server for 30 ms.
"""

MAX_COMPARISONS = 20_000
"""As above: the product of JSON values and enumerated options."""

MAX_PATTERN_BYTES = 100_000
"""Size limit of a compiled pattern in bytes; nested counts can grow to gigabytes."""

_PATTERNS = jsonschema_rs.RegexOptions(size_limit=MAX_PATTERN_BYTES, dfa_size_limit=MAX_PATTERN_BYTES)
"""Options of Rust's regex engine: linear time, no look-around, no back-references."""

UNKNOWN_MEMBER = "holds a field that is not known here"
_MESSAGES = {
    "type": "has the wrong type",
    "enum": "is not one of the allowed values",
    "const": "is not the allowed value",
    "pattern": "does not have the required format",
    "format": "does not have the required format",
    "additionalProperties": UNKNOWN_MEMBER,
    "required": "is required",
    "uniqueItems": "has duplicate items",
    "oneOf": "must match exactly one of the allowed forms",
    "anyOf": "matches none of the allowed forms",
    "minimum": "must be at least {limit}",
    "exclusiveMinimum": "must be more than {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "multipleOf": "must be a multiple of {limit}",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
    "minItems": "must have at least {limit} items",
    "maxItems": "must have at most {limit} items",
    "minProperties": "must have at least {limit} fields",
    "maxProperties": "must have at most {limit} fields",
    "propertyNames": "holds a field with a name that is not allowed",
}


def _fetch(uri: str) -> NoReturn:
    message = f"{uri} is not fetched: references to other documents are not supported"
    raise ValueError(message)


class SchemaValidator:
    """A compiled schema; `prefix` is the pointer of the validated value in the request body."""

    __slots__ = ("_compiled", "_max_values", "is_valid", "prefix")

    def __init__(self, schema: Schema, prefix: str) -> None:
        self._compiled = compile_schema(schema)
        choices = sum(len(part.get("enum", ())) for _, part, _ in walk(schema))
        self._max_values = min(MAX_VALUES_FOR_ALL_ERRORS, MAX_COMPARISONS // (choices + 1))
        self.is_valid = self._compiled.is_valid
        self.prefix = prefix

    def errors(self, value: Any) -> tuple[FieldError, ...]:  # noqa: ANN401 - any JSON
        """Return up to `MAX_ERRORS` errors, empty if the value is valid.

        Large values yield only the first error.
        """
        if self.is_valid(value):
            return ()
        if _has_more_values(value, self._max_values):
            try:
                self._compiled.validate(value)
            except jsonschema_rs.ValidationError as first:
                return (self._field_error(first),)
        return tuple(self._field_error(error) for error in islice(self._compiled.iter_errors(value), MAX_ERRORS))

    def _field_error(self, error: jsonschema_rs.ValidationError) -> FieldError:
        kind = jsonschema_rs.ValidationErrorKind
        if isinstance(error.kind, kind.Custom):
            return FieldError(self.prefix + pointer_of(error.instance_path), error.message)
        keyword = "propertyNames" if isinstance(error.kind, kind.PropertyNames) else str((error.schema_path or [""])[-1])
        path: Sequence[str | int] = error.instance_path
        if keyword == "required":
            path = [*path, str(getattr(error.kind, "property", ""))]
        message = _MESSAGES.get(keyword, "does not fit").format(
            limit=getattr(error.kind, "limit", getattr(error.kind, "multiple_of", ""))
        )
        return FieldError(self.prefix + pointer_of(path), message)


def _has_more_values(value: object, limit: int) -> bool:
    """Return whether a JSON holds more than `limit` values."""
    level, seen = [value], 0
    while level and seen <= limit:
        seen += len(level)
        lists = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [child for inner in lists for child in inner]
    return seen > limit


def compile_schema(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema of the subset.

    Raises:
        UnsupportedSchema: a keyword has an invalid value, or a pattern cannot be matched in linear
            time.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, pattern_options=_PATTERNS, validate_formats=True, retriever=_fetch, keywords=KEYWORD_CLASSES
        )
    except jsonschema_rs.ValidationError as error:
        pattern = error.instance_path[-1:] == ["pattern"]
        reason = "is no pattern that can be matched in linear time" if pattern else "is no sound value for this keyword"
        raise UnsupportedSchema(pointer_of(error.instance_path), reason) from None


def compile_errors(schema: Schema) -> list[UnsupportedSchema]:
    """Return an error for each keyword with an invalid value, empty if the schema compiles."""
    try:
        compile_schema(schema)
    except UnsupportedSchema as first:
        return list(_keyword_errors(schema)) or [first]
    return []


def _keyword_errors(schema: Schema) -> Iterator[UnsupportedSchema]:
    for pointer, part, _ in walk(schema):
        for keyword in sorted(part.keys() & ASSERTIONS - {"$ref"}):
            try:
                compile_schema({keyword: part[keyword]})
            except UnsupportedSchema as error:
                yield UnsupportedSchema(pointer + error.pointer, error.reason)


def pointer_of(path: Sequence[str | int]) -> str:
    """Return a path as a JSON pointer."""
    return "".join("/" + pointer_escape(str(part)) for part in path)
