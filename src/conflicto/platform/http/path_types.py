"""Types of path parameters: `{session_id:int}`, `{activity_id:uuid}`, `{type:name}`, `{rest:path}`.

A parameter without a type is any text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conflicto.platform.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_ID = 10**15 - 1
"""Largest id of sessions and participants: 15 digits."""

_INTEGER = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PathType:
    """A type of path parameters.

    `parse` returns the value of a segment, or raises `NotFound`. `spans_segments`: the parameter
    takes all remaining segments.
    """

    parse: Callable[[str], Any]
    schema: Mapping[str, Any]
    spans_segments: bool = False


def _integer(segment: str) -> int:
    if not _INTEGER.fullmatch(segment):
        raise NotFound
    return int(segment)


def _uuid(segment: str) -> UUID:
    if not _UUID.fullmatch(segment):
        raise NotFound
    return UUID(segment)


def _name(segment: str) -> str:
    if not segment:
        raise NotFound
    return segment


PATH_TYPES = {
    "": PathType(str, {"type": "string"}),
    "int": PathType(_integer, {"type": "integer", "minimum": 1, "maximum": MAX_ID}),
    "uuid": PathType(_uuid, {"type": "string", "format": "uuid"}),
    "name": PathType(_name, {"type": "string"}),
    "path": PathType(str, {"type": "string"}, spans_segments=True),
}
"""Types by the name after the colon. Without one, a parameter is any text, empty text too."""
