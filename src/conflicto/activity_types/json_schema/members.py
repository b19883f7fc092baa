"""Values at JSON pointers that lead through members of objects."""

from __future__ import annotations

from typing import Any


def member_steps(pointer: str) -> list[str]:
    """Return the names of the members that a JSON pointer leads through."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def value_at(value: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value at a JSON pointer of object members, None if it is missing."""
    for name in member_steps(pointer):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def replace_at(value: Any, pointer: str, replacement: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a copy with the value at a JSON pointer replaced, if the pointer exists."""
    if not pointer:
        return replacement
    name, slash, rest = pointer[1:].partition("/")
    name = name.replace("~1", "/").replace("~0", "~")
    if not isinstance(value, dict) or name not in value:
        return value
    return value | {name: replace_at(value[name], slash + rest, replacement)}
