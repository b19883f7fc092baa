"""Problems of seats (invalid nicknames: `nickname.py`).

DomainError
├── NicknameTaken     another participant has this name.
├── NicknameRefused   the word filter rejects the name.
├── SessionFull       all places are taken.
├── SessionLocked     the host locked the session.
├── NamesHidden       screens may not read the names now.
├── SeatGone          the participant left or was removed.
└── SeatLinkInvalid   the link is unknown, used or expired.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class NicknameTaken(DomainError):
    """Names are compared without case and form. `suggestions` holds up to three free names."""

    code = "nickname-taken"
    title = "Someone here has this name already"
    kind = Kind.CONFLICT


class NicknameRefused(DomainError):
    """The session's word filter is set to `hold` and found a word in the name.

    `suggestions` holds up to three free names.
    """

    code = "nickname-refused"
    title = "This nickname is not allowed here"
    kind = Kind.INVALID


class SessionFull(DomainError):
    """The session has as many participants as the host or the server allows."""

    code = "session-full"
    title = "The session is full"
    kind = Kind.CONFLICT


class SessionLocked(DomainError):
    """Nobody can join until the host opens the session again. Participants who joined stay."""

    code = "session-locked"
    title = "The host has closed the session to new participants"
    kind = Kind.CONFLICT


class NamesHidden(DomainError):
    """A screen may read names only while the host shows the overlay `names`.

    It never may after the end of the session.
    """

    code = "names-hidden"
    title = "The names are not shown to this caller now"
    kind = Kind.FORBIDDEN


class SeatGone(DomainError):
    """The key belongs to a seat that was given up or removed."""

    code = "seat-gone"
    title = "This seat does not exist any more"
    kind = Kind.GONE


class SeatLinkInvalid(DomainError):
    """A link works once, for ten minutes."""

    code = "seat-link-invalid"
    title = "The link does not lead to a seat"
    kind = Kind.MISSING
