"""Errors of activity types.

The errors of folders are for operators and authors, and never sent over HTTP.

DomainError
└── TypeUnavailable     this server cannot check the JSON of an activity any more.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class TypeUnavailable(DomainError):
    """The server lacks the activity's type or version, or the config does not fit it.

    Nothing is lost and answers stay readable, but no new ones are accepted. `versions` lists the
    versions of the type on this server. The operator installs the missing version again or runs
    `conflicto types upgrade`. The host may give the activity another `type` or `type_version`.
    """

    code = "type-unavailable"
    title = "The activity's type is not available in its version"
    kind = Kind.CONFLICT


class InvalidActivityType(ValueError):
    """A folder cannot be registered; names the file, the JSON pointer in it and the reason."""

    def __init__(self, file: str, pointer: str, reason: str) -> None:
        super().__init__(f"{file}{' at ' + pointer if pointer else ''}: {reason}")
        self.file = file
        self.pointer = pointer
        self.reason = reason


class UnsupportedSchema(ValueError):
    """A schema uses a keyword or value outside the subset; the loader adds the file's name."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason
