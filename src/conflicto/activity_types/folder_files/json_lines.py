"""Lines of a JSON text, for messages to authors of files."""

from __future__ import annotations

import json
import re

from conflicto.platform.strict_json import pointer_escape

_decode_at = json.JSONDecoder().raw_decode
_SEPARATORS = re.compile(r"[\s,:]*")


def line_at(text: str, pointer: str) -> int:
    r"""Return the line of a valid JSON text that holds a value, or the nearest value around it.

    `pointer` is the value's JSON pointer; a member begins at its name. Lines count from 1.

    >>> line_at('{\n "a": [\n  1,\n  2]}', "/a/1"), line_at('{\n "a": 1}', "/a/b/c")
    (4, 2)
    """
    offsets = {"": _skip(text, 0)}
    _find_offsets(text, offsets[""], "", offsets)
    while pointer not in offsets:
        pointer = pointer.rpartition("/")[0]
    return text.count("\n", 0, offsets[pointer]) + 1


def syntax_error_line(text: str) -> int | None:
    """Return the line at which a text stops being JSON, None if it is JSON or cannot be read."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.lineno
    except (ValueError, RecursionError):
        pass
    return None


def _find_offsets(text: str, at: int, pointer: str, offsets: dict[str, int]) -> int:
    """Add the offsets of all values below the one at `at`, and return the offset of its end."""
    opening, index = text[at], 0
    if opening not in "{[":
        return _decode_at(text, at)[1]
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        step, start = str(index), at
        if opening == "{":
            name, at = _decode_at(text, at)
            step, at = pointer_escape(name), _skip(text, at)
        offsets[f"{pointer}/{step}"] = start
        at = _skip(text, _find_offsets(text, at, f"{pointer}/{step}", offsets))
        index += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    """Return the offset of the next value, name or closing bracket."""
    found = _SEPARATORS.match(text, at)
    return found.end() if found else at
