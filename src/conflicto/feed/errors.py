"""What can be wrong with following along.

DomainError
├── CursorExpired    the position belongs to a future that a restore or a failover took back
└── TooManyStreams   this server has as many streams as it may
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class CursorExpired(DomainError):
    """The database lost commits, by a restore or a failover, and the position may be of one of those. Forget what you know, begin at 0."""

    code = "cursor-expired"
    title = "The position lies in a time that was taken back"
    kind = Kind.GONE
    has_start = True


class TooManyStreams(DomainError):
    """Poll instead, or come back in a moment."""

    code = "too-many-streams"
    title = "No more streams can be opened now"
    kind = Kind.UNAVAILABLE
