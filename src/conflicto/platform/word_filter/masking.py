"""Masking of the strings in a JSON value; numbers and member names stay byte for byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Container

    from conflicto.platform.word_filter.matcher import Matcher

# In compact JSON a string stands right before a colon if, and only if, it is the name of a member.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(:?)')
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_decode = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class Masked(NamedTuple):
    """The result for a JSON text: `text` has masked values, or is None if no value needs a mask.

    `in_names`: the name of a member contains a listed word. Names are not masked, because two of
    them might become equal.
    """

    text: str | None = None
    in_names: bool = False

    @property
    def is_clean(self) -> bool:
        """True if no listed word was found."""
        return self.text is None and not self.in_names


CLEAN = Masked()


def mask_json(text: str, matcher: Matcher, known: Container[str] = ()) -> Masked:
    """Mask listed words in the strings of a compact JSON text.

    Strings in `known` pass unchanged: they are the host's own, such as an option of a poll. Ids of
    responses pass too.
    """
    if "\\" not in text and not matcher.may_match(text):
        return CLEAN
    pieces: list[str] = []
    at, in_names = 0, False
    for found in _STRING.finditer(text):
        is_name = bool(found.group(1))
        literal = found.group()[:-1] if is_name else found.group()
        string = _decode(literal) if "\\" in literal else literal[1:-1]
        if string in known or _ID.fullmatch(string):
            continue
        if is_name:
            in_names = in_names or bool(matcher.spans(string))
            continue
        masked = matcher.masked(string)
        if masked is not None:
            pieces += [text[at : found.start()], _encode(masked).decode()]
            at = found.end()
    if not pieces and not in_names:
        return CLEAN
    return Masked("".join([*pieces, text[at:]]) if pieces else None, in_names)


def strings_in(text: str) -> frozenset[str]:
    """Return every string and member name of a JSON text.

    >>> sorted(texts_in('{"options":[{"id":"a","text":"Dick Turpin"}]}'))
    ['Dick Turpin', 'a', 'id', 'options', 'text']
    """
    found = _STRING.finditer(text)
    return frozenset(_decode(each.group().removesuffix(":")) for each in found)
