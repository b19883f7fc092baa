"""Validation of request bodies: strict I-JSON (RFC 7493) in, compact text out.

Start at `compact`. Its result is stored and served byte for byte. Every JSON parser and
PostgreSQL's `jsonb` must read it alike: no duplicate keys, no lone surrogates, no NUL, no number
that rounds or overflows. No Python parser guarantees that alone.

There are two paths to the same result. `_quick` proves the common body valid by a round trip
through msgspec. `_exact` checks every other body and raises the reasons for refusals.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

import msgspec

from conflicto.platform.problems import DomainError, Kind
from conflicto.platform.sizes import KIB

_MAX_INTEGER = 2**53 - 1
_MAX_INTEGER_CHARS = len(str(-_MAX_INTEGER))
# PostgreSQL's numeric has at most 16,383 digits after the point; these two bounds stay below that
# together.
_MAX_NUMBER_CHARS = 1_000
_MAX_EXPONENT_CHARS = 5

_DIGITS_AS_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_SIXTEEN_DIGITS = b"0" * len(str(_MAX_INTEGER))

_decode_quick = msgspec.json.Decoder().decode
_encode_quick = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """Limits on the size of a JSON body.

    `max_depth` counts nested arrays and objects; a bare scalar has depth 0. `max_nodes` counts
    values (containers and scalars, not keys). `max_key_bytes` and `max_string_bytes` count UTF-8
    bytes after unescaping.
    """

    max_bytes: int
    max_depth: int = 32
    max_nodes: int = 5_000
    max_key_bytes: int = 128
    max_string_bytes: int = 8_192


RESPONSE_LIMITS = JsonLimits(max_bytes=16 * KIB)
CONFIG_LIMITS = JsonLimits(max_bytes=256 * KIB)


class BodyTooLarge(DomainError):
    """The body has more bytes than the route accepts. The server did not parse it."""

    code = "body-too-large"
    title = "The body is too large"
    kind = Kind.TOO_LARGE


class JsonInvalid(DomainError):
    """The body is empty, not UTF-8, or not one JSON text (RFC 8259)."""

    code = "json-invalid"
    title = "The body is not valid JSON"
    kind = Kind.MALFORMED


class JsonNumber(DomainError):
    """Some readers would round, overflow or refuse this number."""

    code = "json-number"
    title = "The body holds a number out of range"
    kind = Kind.MALFORMED


class JsonDuplicateKey(DomainError):
    """One object contains a key twice, maybe in different spellings.

    Parsers disagree on the value of such a key.
    """

    code = "json-duplicate-key"
    title = "The body names a key twice"
    kind = Kind.MALFORMED


class JsonText(DomainError):
    """A key or string holds a lone surrogate or U+0000. UTF-8 or PostgreSQL cannot hold them."""

    code = "json-text"
    title = "The body holds text that cannot be stored"
    kind = Kind.MALFORMED


class JsonTooDeep(DomainError):
    """Arrays and objects are nested deeper than `JsonLimits.max_depth`."""

    code = "json-too-deep"
    title = "The body is nested too deeply"
    kind = Kind.MALFORMED


class JsonTooLarge(DomainError):
    """The body has too many values, or a key or string is too long."""

    code = "json-too-large"
    title = "The body holds too many or too long values"
    kind = Kind.MALFORMED


def compact(body: bytes, limits: JsonLimits) -> bytes:
    """Check that `body` is strict I-JSON within `limits`, and return it without white space.

    The order of keys and the spelling of every token (escapes, numbers) stay. The time is linear in
    the size of the body.

    Raises:
        BodyTooLarge: more than `limits.max_bytes` bytes.
        JsonInvalid: not UTF-8, a BOM, not JSON, more than one value.
        JsonNumber: NaN, ±Infinity, or a float beyond a double. An integer literal (no `.`, `e`,
            `E`) beyond ±(2^53−1). A literal beyond PostgreSQL's numeric: over 1,000 characters, or
            a zero with an exponent of over 5 characters.
        JsonDuplicateKey: a key twice in one object, compared after unescaping.
        JsonText: a lone surrogate or U+0000.
        JsonTooDeep: deeper than `limits.max_depth`.
        JsonTooLarge: too many values, or a key or string too long.
    """
    if len(body) > limits.max_bytes:
        raise BodyTooLarge(f"The body may have at most {limits.max_bytes} bytes.")
    return _quick(body, limits) or _exact(body, limits)


def pointer_escape(segment: str) -> str:
    """Return `segment` as one reference token of a JSON pointer (RFC 6901 §3)."""
    return segment.replace("~", "~0").replace("/", "~1")


def _quick(body: bytes, limits: JsonLimits) -> bytes | None:
    """Return the compact text if a round trip proves it valid, or None if it does not.

    An encoder writes valid JSON with finite numbers and, from a dict, without duplicate keys. If
    its output equals the body, the body is valid too. Without a backslash there are no escapes, so
    no hidden NUL or surrogate, and each piece between two quotes is a whole string. Sixteen digits
    in a row may be too large an integer.
    """
    opens = body.count(b"{") + body.count(b"[")
    if b"\\" in body or opens > limits.max_depth or opens + body.count(b",") >= limits.max_nodes:
        return None
    try:
        text = _encode_quick(_decode_quick(body))
        if text != body and text != msgspec.json.format(body, indent=-1):
            return None
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None
    long_integer = _SIXTEEN_DIGITS in text.translate(_DIGITS_AS_ZERO)
    if long_integer or _long_piece_finder(min(limits.max_key_bytes, limits.max_string_bytes))(text):
        return None
    return text


@lru_cache(maxsize=16)
def _long_piece_finder(max_bytes: int) -> Callable[[bytes], object]:
    """Return a search for more than `max_bytes` bytes after a quote, in linear time."""
    return re.compile(rb'"[^"]{%d}' % (max_bytes + 1)).search


def _exact(body: bytes, limits: JsonLimits) -> bytes:
    """Return the compact text, or raise the problem of `body`."""
    try:
        tree = _DECODER.decode(body.decode())
        _measure(tree, limits)
        return msgspec.json.format(body, indent=-1)
    except RecursionError:
        raise JsonTooDeep(f"The body may have at most {limits.max_depth} levels.") from None
    except ValueError:
        raise JsonInvalid("Send one JSON text in UTF-8, without a byte order mark.") from None


def _measure(tree: object, limits: JsonLimits) -> None:
    """Check depth, number of values and texts level by level, without recursion."""
    level = [tree]
    nodes = depth = 0
    while level:
        nodes += len(level)
        if nodes > limits.max_nodes:
            raise JsonTooLarge(f"The body may have at most {limits.max_nodes} values.")
        below: list[object] = []
        nested = False
        for value in level:
            if isinstance(value, str):
                _check_text(value, limits.max_string_bytes, "string")
            elif isinstance(value, (dict, list)):
                nested = True
                below += _inside(value, limits)
        depth += nested
        if depth > limits.max_depth:
            raise JsonTooDeep(f"The body may have at most {limits.max_depth} levels.")
        level = below


def _inside(container: dict[str, object] | list[object], limits: JsonLimits) -> Iterable[object]:
    if isinstance(container, list):
        return container
    for key in container:
        _check_text(key, limits.max_key_bytes, "key")
    return container.values()


def _check_text(text: str, max_bytes: int, kind: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise JsonText(f"A {kind} contains a lone surrogate.") from None
    if "\0" in text:
        raise JsonText(f"A {kind} contains the character U+0000.")
    if size > max_bytes:
        raise JsonTooLarge(f"A {kind} may have at most {max_bytes} bytes of UTF-8.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonDuplicateKey("Each key of an object must be unique.")
    return members


def _integer(literal: str) -> int:
    # The length is checked first: int() is quadratic and raises beyond 4,300 digits.
    if len(literal) > _MAX_INTEGER_CHARS or abs(int(literal)) > _MAX_INTEGER:
        raise JsonNumber("Integers must lie within ±(2^53−1); send larger ones as strings.")
    return int(literal)


def _float(literal: str) -> float:
    if len(literal) > _MAX_NUMBER_CHARS:
        raise JsonNumber(f"A number may have at most {_MAX_NUMBER_CHARS} characters.")
    value = float(literal)
    if math.isinf(value) or (not value and len(literal.lower().partition("e")[2]) > _MAX_EXPONENT_CHARS):
        raise JsonNumber("Numbers must fit a double.")
    return value


def _constant(_: str) -> NoReturn:
    raise JsonNumber("NaN and Infinity are not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
