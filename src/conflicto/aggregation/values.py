"""Equality of JSON values: numbers by value, texts by their characters (NFC), objects whatever the order of their keys."""

from __future__ import annotations

from typing import Any

import msgspec

from conflicto.platform.normalization import normalized

MAX_VALUE_BYTES = 1_024
"""Bytes of a value that is told back in results: they go to every phone, and an answer has up to 16 KiB."""

MAX_ELEMENTS = 200
"""Elements of an array that are looked at; one with more is of no use, so that a few absurd answers cannot keep the server busy."""

MAX_EXACT_INTEGER = 2**53
"""Beyond it a double is a whole number only because it has no digits left."""

_encode = msgspec.json.Encoder(order="sorted").encode


def normalize(value: object) -> object:
    """Return a value in one spelling: texts in NFC, whole numbers as integers, so that 1.0 is 1."""
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
    """Return an object with its names in NFC, unless two of them would become one."""
    named = {normalize(key): normalize(each) for key, each in value.items()}
    return named if len(named) == len(value) else {key: normalize(each) for key, each in value.items()}


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: two values are the same exactly if their texts are.

    >>> canonical({"b": 1.0, "a": "x"}), canonical(True), canonical("e\u0301") == canonical("\u00e9")
    (b'{"a":"x","b":1}', b'true', True)
    """
    return _encode(normalize(value))


def elements(value: object) -> list[object] | None:
    """Return the elements of an array, the value alone if it is none; None if they are too many."""
    if not isinstance(value, list):
        return [value]
    return value if len(value) <= MAX_ELEMENTS else None


def listable_text(value: object) -> bytes | None:
    """Return the one JSON text of a value, None if it is too long to be told."""
    text = canonical(value)
    return text if len(text) <= MAX_VALUE_BYTES else None


def raw_json(text: bytes) -> msgspec.Raw:
    """Return a JSON text as a value that is encoded as it is."""
    return msgspec.Raw(text)


def as_number(value: object) -> int | float | None:
    """Return a value that is a number, whole ones as integers; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    found: Any = normalize(value)
    number: int | float = found
    return number
