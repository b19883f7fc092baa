"""Schemas of the small files in a type's folder, written in the subset that types use."""

from __future__ import annotations

from typing import Any

from conflicto.activity_types.folder_files.json_format import JsonFormat
from conflicto.activity_types.folder_files.upgrade_steps import MAX_STEPS
from conflicto.platform.instants import S_PER_DAY

NAME = "^[a-z][a-z0-9_-]{0,31}$"
"""Pattern of a type's name, usable in a path, a module and the name of an HTML element."""

VERSION = r"^[0-9]{1,5}(\.[0-9]{1,5}){0,2}$"
"""Pattern of a type's version: up to three numbers, compared one by one."""

SDK = "1"
"""Version of the contract between a type's views and the pages."""

DEFAULT_ORDER = 1000
"""Position in lists of a type without `order`."""

_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": False}
_POINTER = {"type": "string", "pattern": r"^(/([^~/]|~[01])*)*$", "description": "a JSON pointer, such as /answer"}
_PLACE = {
    "type": "string",
    "pattern": r"^(/([^~/]|~[01])*){1,8}$",
    "description": "a JSON pointer of 1 to 8 names, such as /options/*/text",
}
_PAIR = {"type": "array", "minItems": 2, "maxItems": 2, "description": "a pair of the old and the new value"}
_LISTED = {
    "type": "string",
    "pattern": r"^(/([^~/]|~[01])*){1,7}/\*$",
    "description": "a JSON pointer to the elements of a list, such as /options/*",
}
_SHORT = {"type": "string", "minLength": 1, "maxLength": 60, "description": "a text of 1 to 60 characters"}
_ANSWERS = {"type": "array", "minItems": 1, "description": "a list of at least one answer"}

DEFAULTS: dict[str, dict[str, Any]] = {
    "response_policy": {"enum": ["one", "first", "many"]},
    "results_visibility": {"enum": ["after_reveal", "after_answer", "always", "host"]},
    "responses_visibility": {"enum": ["host", "screen", "participants"]},
    "moderation": {"enum": ["off", "after", "before"]},
    "anonymous": {"type": "boolean"},
    "min_group": {"type": "integer", "minimum": 0, "maximum": 20},
    "duration_seconds": {"type": "integer", "minimum": 1, "maximum": S_PER_DAY},
}
"""Activity fields that types may set as defaults, with their values; a test compares them with the
API's.
"""

MANIFEST = JsonFormat(
    _OBJECT | {
        "required": ["type", "version", "title", "icon", "sdk"],
        "properties": {
            "type": {"type": "string", "pattern": NAME, "description": "up to 32 lower-case letters, digits, - and _, letter first"},
            "version": {"type": "string", "pattern": VERSION, "description": "one to three numbers, such as 2 or 1.4.0"},
            "title": _SHORT,
            "icon": {"type": "string", "minLength": 1, "maxLength": 16, "description": "an emoji"},
            "sdk": {"const": SDK},
            "order": {"type": "integer", "minimum": 0, "maximum": DEFAULT_ORDER},
            "authors": {"type": "array", "maxItems": 20, "items": _SHORT, "description": "a list of up to 20 names"},
            "license": {"type": "string", "minLength": 1, "maxLength": 100, "description": "an SPDX expression, such as Apache-2.0"},
            "homepage": {"type": "string", "pattern": "^https?://[^ ]+$", "maxLength": 300, "description": "an address, https://…"},
            "requires": {"type": "string", "maxLength": 100, "description": "a range of versions of Conflicto, such as >=0.1,<2"},
            "fresh": _OBJECT | {"properties": {"config": {"type": "object"}, "secret": {"type": "object"}}},
            "defaults": _OBJECT | {"properties": DEFAULTS},
            "defaults_for_many": _OBJECT | {"properties": DEFAULTS},
        },
    },
)  # fmt: skip

EXAMPLE = JsonFormat(
    _OBJECT | {
        "required": ["config", "responses"],
        "properties": {"config": {"type": "object"}, "secret": {"type": "object"}, "responses": _ANSWERS},
    },
)  # fmt: skip

REHEARSAL = JsonFormat(
    _OBJECT | {
        "properties": {
            "phrases": {
                "type": "object",
                "additionalProperties": {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string", "minLength": 1}},
            },
            "near": _POINTER,
            "always": {"type": "object", "propertyNames": _POINTER},
        },
    },
)  # fmt: skip

_ROW_NAMES = _OBJECT | {"required": ["in"], "properties": {"in": _LISTED, "value": _POINTER, "text": _POINTER}}

DRAWING_MEMBERS: dict[str, dict[str, Any]] = {
    "chart": {"enum": ["bars", "box", "cloud", "figure", "grid", "histogram", "table", "none"]},
    "figure": {"enum": ["mean", "share", "sum"]},
    "names": _ROW_NAMES,
    "unit": _PLACE,
}
"""Members of one drawing; a test compares the charts with those of operations."""

DRAWING = JsonFormat({"type": "object", "additionalProperties": _OBJECT | {"properties": DRAWING_MEMBERS}})
"""Format of `drawing.json`: by name of a result, what is drawn of it."""

_STEP = _OBJECT | {
    "required": ["op", "path"],
    "properties": {
        "op": {"enum": ["rename", "move", "default", "remove", "map"]},
        "path": _PLACE,
        "to": {"type": "string", "minLength": 1, "maxLength": 200, "description": "a name, or for move a JSON pointer"},
        "value": {},
        "values": {
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": _PAIR,
            "description": "a list of pairs of old and new values",
        },
    },
}
_STEPS = {"type": "array", "maxItems": MAX_STEPS, "items": _STEP, "description": f"a list of up to {MAX_STEPS} steps"}

UPGRADE = JsonFormat(_OBJECT | {"properties": dict.fromkeys(("config", "secret", "response", "aggregate"), _STEPS)})

CATALOG = JsonFormat(
    {
        "type": "object",
        "additionalProperties": {
            "type": "string",
            "minLength": 1,
            "maxLength": 500,
            "description": "a text of 1 to 500 characters",
        },
    }
)


def version_key(version: str) -> tuple[int, ...]:
    """Return a key that orders versions by their numbers; missing numbers are 0.

    >>> max("2", "1.10", "1.9", key=version_key)
    '2'
    """
    numbers = [int(each) for each in version.split(".")]
    return (*numbers, *[0] * (3 - len(numbers)))
