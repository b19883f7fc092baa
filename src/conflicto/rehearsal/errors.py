"""Problems of rehearsals.

DomainError
├── RehearsalExists     the session has scripted participants already.
└── TooManyRehearsals   the server runs the maximum number of rehearsals.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class RehearsalExists(DomainError):
    """The session has scripted participants. Remove them before you start another rehearsal."""

    code = "rehearsal-there"
    title = "A rehearsal is in this session already"
    kind = Kind.CONFLICT


class TooManyRehearsals(DomainError):
    """The server runs as many rehearsals as it allows. Try again when another one has ended."""

    code = "too-many-rehearsals"
    title = "No more rehearsals can run now"
    kind = Kind.UNAVAILABLE
