"""What can be wrong with following along.

DomainError
├── CursorExpired    the position belongs to a future that a restore or a failover took back
└── TooManyStreams   this server has as many streams as it may
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class CursorExpired(DomainError):
    """The database lost commits in a restore or a failover, and the position may belong to them.

    Discard all state and begin at 0.
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
