"""JSON pointers (RFC 6901) into responses and configs."""

from __future__ import annotations

import re
from typing import Final

MISSING: Final = object()
"""Result of a pointer to no value. A JSON null is a value."""

MAX_POINTER_CHARS = 500
MAX_POINTER_STEPS = 32
"""The maximum depth of a response."""

EVERY_ELEMENT = "*"
"""Step of `find_all` that selects every element of a list."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
_ESCAPE = re.compile(r"~(?![01])")


def parse(text: str) -> tuple[str, ...] | None:
    """Return the steps of a pointer, None if invalid. The empty pointer selects the whole value."""
    if not text:
        return ()
    steps = text.split("/")[1:]
    if not text.startswith("/") or len(text) > MAX_POINTER_CHARS or len(steps) > MAX_POINTER_STEPS or _ESCAPE.search(text):
        return None
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def find(value: object, steps: tuple[str, ...]) -> object:
    """Return the value at a pointer, or `MISSING`.

    >>> find({"a": [7, None]}, ("a", "0")), find({"a": [7]}, ("a", "1")) is MISSING
    (7, True)
    """
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def find_all(value: object, steps: tuple[str, ...]) -> list[object]:
    """Return all values at a pointer, in order.

    >>> find_all({"options": [{"id": "a"}, {"id": "b"}, 7]}, ("options", "*", "id"))
    ['a', 'b']
    """
    found = [value]
    for step in steps:
        lists = step == EVERY_ELEMENT and any(isinstance(each, list) for each in found)
        below = (
            (inner for each in found if isinstance(each, list) for inner in each)
            if lists
            else (find(each, (step,)) for each in found)
        )
        found = [each for each in below if each is not MISSING]
    return found
