"""Equality of JSON values: numbers by value, texts in NFC, objects regardless of key order."""

from __future__ import annotations

from typing import Any

import msgspec

from conflicto.platform.normalization import normalized

MAX_VALUE_BYTES = 1_024
"""Bytes of a value listed in results. Results go to every phone, and a response has up to 16
KiB."""

MAX_ELEMENTS = 200
"""Elements of a usable array. Longer arrays are left out, so a few absurd responses cannot keep
the server busy."""

MAX_EXACT_INTEGER = 2**53
"""The largest integer up to which a double holds every integer exactly."""

_encode = msgspec.json.Encoder(order="sorted").encode


def normalize(value: object) -> object:
    """Return a value with texts in NFC and whole numbers as integers, so 1.0 becomes 1."""
    if isinstance(value, str):
        return value if value.isascii() else normalized("NFC", value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= MAX_EXACT_INTEGER else value
    if isinstance(value, list):
        return [normalize(each) for each in value]
    if isinstance(value, dict):
        return _normalize_object(value)
    return value


def _normalize_object(value: dict[str, Any]) -> dict[Any, object]:
    """Return an object with its names in NFC, unless two names would become equal."""
    named = {normalize(key): normalize(each) for key, each in value.items()}
    return named if len(named) == len(value) else {key: normalize(each) for key, each in value.items()}


def canonical(value: object) -> bytes:
    """Return the canonical JSON text of a value.

    Two values are equal if and only if their texts are.

    >>> canonical({"b": 1.0, "a": "x"}), canonical(True), canonical("e\u0301") ==
        canonical("\u00e9")
    (b'{"a":"x","b":1}', b'true', True)
    """
    return _encode(normalize(value))


def elements(value: object) -> list[object] | None:
    """Return the elements of an array, None for too many; any other value as a list of one."""
    if not isinstance(value, list):
        return [value]
    return value if len(value) <= MAX_ELEMENTS else None


def listable_text(value: object) -> bytes | None:
    """Return the canonical JSON text of a value, None if it is too long for results."""
    text = canonical(value)
    return text if len(text) <= MAX_VALUE_BYTES else None


def as_number(value: object) -> int | float | None:
    """Return a number, whole numbers as integers; None for any other value, booleans included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    found: Any = normalize(value)
    number: int | float = found
    return number
