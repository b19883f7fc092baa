"""Instants as whole microseconds since 1970-01-01T00:00:00Z, and their two text forms."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (UTC throughout, and an aware datetime would write an offset)
US_PER_S = 1_000_000
MS_PER_S = 1_000
S_PER_DAY = 86_400
US_PER_DAY = S_PER_DAY * US_PER_S
_POSITION_END = 10**16
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(us: int) -> str:
    """Return `us` as RFC 3339 in UTC, with six digits and `Z`: `2026-11-23T07:32:00.123456Z`.

    Raises:
        OverflowError: outside the years 1 to 9999.
    """
    return f"{_until_second(us // US_PER_S)}{us % US_PER_S:06d}Z"


def parse_rfc3339(text: str) -> int:
    """Return the instant of an RFC 3339 `text`, to the microsecond.

    Raises:
        ValueError: the text has another format, or there is no such instant.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError("is no instant such as 2026-11-23T07:32:00.123456Z")
    at = datetime.fromisoformat(text)
    offset = at.utcoffset() or timedelta()
    return (at.replace(tzinfo=None) - offset - _EPOCH) // timedelta(microseconds=1)


def position(us: int) -> str:
    """Return `us` as a feed position: 16 digits, so that text order is time order.

    Raises:
        ValueError: before 1970, or beyond 16 digits (November 2286).
    """
    if not 0 <= us < _POSITION_END:
        raise ValueError("no position of 16 digits")
    return f"{us:016d}"


@lru_cache(maxsize=4096)  # the rows of a page share few seconds
def _until_second(second: int) -> str:
    return f"{(_EPOCH + timedelta(seconds=second)).isoformat()}."
