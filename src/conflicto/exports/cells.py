"""Cells of an export: text, numbers, instants and booleans.

A cell is always a `str`, as CSV writes it; its class selects its type in a spreadsheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = str

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


class NumberCell(str):
    """A JSON number with its original digits."""

    __slots__ = ()


class InstantCell(str):
    """An instant in RFC 3339, UTC, with microseconds."""

    __slots__ = ()


class BooleanCell(str):
    """`true` or `false`, as in JSON."""

    __slots__ = ()


def instant_cell(us: int) -> InstantCell:
    """Return µs since 1970 as a cell."""
    return InstantCell(rfc3339(us))


def boolean_cell(value: bool) -> BooleanCell:  # noqa: FBT001 - it is the value
    """Return a boolean as a cell."""
    return BooleanCell("true" if value else "false")


def responses_cell(texts: Sequence[str], *, many: bool) -> Cell:
    """Return the cell of one participant's answers in a round, given as JSON texts.

    A plain value stays as it is. An object with one member becomes that member, a list of plain
    values becomes `a; b`. Anything else stays JSON.

    >>> responses_cell(['{"choice":"Curry"}'], many=False), responses_cell(["1.50"], many=False)
    ('Curry', '1.50')
    >>> responses_cell(['{"words":["a","b"]}'], many=False)
    'a; b'
    >>> responses_cell(['[1,{}]'], many=False), responses_cell(["1", "2"], many=True)
    ('[1,{}]', '[1,2]')
    """
    if many or len(texts) > 1:
        return f"[{','.join(texts)}]"
    text = texts[0]
    if text.startswith("{"):
        members = list(_members(text).values())
        shown = plain_cell(bytes(members[0]).decode()) if len(members) == 1 else None
    else:
        shown = plain_cell(text)
    return text if shown is None else shown


def plain_cell(text: str) -> Cell | None:
    """Return the cell of a plain JSON value or of a list of plain values, else None."""
    if not text.startswith(("{", "[")):
        return _plain(text)
    parts = [bytes(each).decode() for each in _elements(text)] if text.startswith("[") else []
    return "; ".join(map(_plain, parts)) if parts and not any(part.startswith(("{", "[")) for part in parts) else None


def _plain(text: str) -> Cell:
    if text.startswith('"'):
        return _string(text)
    if text in {"true", "false"}:
        return BooleanCell(text)
    return text if text == "null" else NumberCell(text)


def member_text(text: str, steps: Sequence[str]) -> str | None:
    """Return the JSON text of the member at a path, byte for byte; None if it is missing.

    >>> member_text('{"a":{"b":1.50}}', ("a", "b")), member_text('{"a":1}', ("b",))
    ('1.50', None)
    >>> member_text("7", ())
    '7'
    """
    for step in steps:
        found = _members(text).get(step) if text.startswith("{") else None
        if found is None:
            return None
        text = bytes(found).decode()
    return text
