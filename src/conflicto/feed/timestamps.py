"""The `{timestamp}` in the feed's paths: the position after which a client reads changes.

Unknown forms are refused. Digits finer than a microsecond are rounded down. A cursor that is read
too early repeats a change; one that is read too late loses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from conflicto.platform.instants import US_PER_S
from conflicto.platform.problems import DomainError, Kind

_EXAMPLE = "2026-11-23T07:32:00.123456Z"

# Seconds, milliseconds and microseconds of the years 2001 to 2286 differ in their number of digits.
_US_PER_UNIT = {10: US_PER_S, 13: 1_000, 16: 1}

_DIGITS = re.compile(r"[0-9]{10}|[0-9]{13}|[0-9]{16}")
_RFC3339 = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt ]"
    r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9])(?:\.(?P<fraction>[0-9]{1,9}))?"
    # Many clients write the + of an offset into the path as a form would: as a space.
    r"(?:[Zz]|(?P<sign>[-+ ])(?P<offset_hour>[01][0-9]|2[0-3]):(?P<offset_minute>[0-5][0-9]))",
    re.ASCII,
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class InvalidTimestamp(DomainError):
    """The timestamp has none of the forms that `parse` accepts."""

    code = "invalid-timestamp"
    title = "The timestamp cannot be read"
    kind = Kind.MALFORMED


@dataclass(frozen=True, slots=True)
class Since:
    """Position to read after: strictly after `us`, in microseconds since 1970 UTC.

    `beginning` means all changes, `now` only a cursor; both have `us` 0.
    """

    us: int
    kind: Literal["beginning", "now", "position"]


_WORDS = {"0": Since(0, "beginning"), "beginning": Since(0, "beginning"), "now": Since(0, "now")}


def parse(text: str) -> Since:
    """Parse a position.

    Forms: `0` and `beginning`; `now`; 16, 13 or 10 digits for microseconds, milliseconds or
    seconds. RFC 3339 needs an offset, accepts `T`, `t` or a space before the time, and up to nine
    digits of a second.

    An instant before 1970 becomes position 0, because no change is as old. One in the far future is
    returned unchanged; only a head can judge it.

    Raises:
        InvalidTimestamp: any other text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _DIGITS.fullmatch(text):
        return Since(int(text) * _US_PER_UNIT[len(text)], "position")
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise _invalid()
    return Since(max(0, _instant(match)), "position")


def _instant(match: re.Match[str]) -> int:
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"])).toordinal() - _EPOCH_DAY
    except ValueError:
        raise _invalid() from None
    minutes = (day * 24 + int(match["hour"])) * 60 + int(match["minute"]) - _offset_minutes(match)
    return (minutes * 60 + int(match["second"])) * US_PER_S + int((match["fraction"] or "")[:6].ljust(6, "0"))


def _offset_minutes(match: re.Match[str]) -> int:
    if match["sign"] is None:
        return 0
    minutes = int(match["offset_hour"]) * 60 + int(match["offset_minute"])
    return -minutes if match["sign"] == "-" else minutes


def _invalid() -> InvalidTimestamp:
    return InvalidTimestamp(f"Use 0, now, the cursor of a page, or an instant with an offset, such as {_EXAMPLE}.")
