"""Errors of reading a feed.

DomainError
├── CursorExpired    the cursor points to changes lost in a restore or a failover.
└── TooManyStreams   this server has reached its limit of open streams.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class CursorExpired(DomainError):
    """The cursor may point to commits that the database lost in a restore or a failover.

    Discard the local state and start at 0.
    """

    code = "cursor-expired"
    title = "The cursor points to changes lost in a restore"
    kind = Kind.GONE
    has_start = True


class TooManyStreams(DomainError):
    """Poll instead, or try again in a moment."""

    code = "too-many-streams"
    title = "No more streams can be opened now"
    kind = Kind.UNAVAILABLE
