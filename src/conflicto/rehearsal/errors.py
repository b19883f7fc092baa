"""What can be wrong with a rehearsal.

DomainError
├── RehearsalThere      scripted participants are in the session already
└── TooManyRehearsals   this server plays as many as it may
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class RehearsalExists(DomainError):
    """Scripted participants are in the session already; remove them before others come."""

    code = "rehearsal-there"
    title = "A rehearsal is in this session already"
    kind = Kind.CONFLICT


class TooManyRehearsals(DomainError):
    """This server plays as many rehearsals as it may; come back when another one has ended."""

    code = "too-many-rehearsals"
    title = "No more rehearsals can be played now"
    kind = Kind.UNAVAILABLE
