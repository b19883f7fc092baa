"""What can be wrong with following along.

DomainError
└── TooManyStreams   this server has as many streams as it may
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class TooManyStreams(DomainError):
    """Poll instead, or come back in a moment."""

    code = "too-many-streams"
    title = "No more streams can be opened now"
    kind = Kind.UNAVAILABLE
