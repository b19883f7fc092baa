"""Errors of activity types.

The errors of folders are for operators and authors, and not for participants.

DomainError
└── TypeUnavailable     this server cannot check the JSON of an activity any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable


class TypeUnavailable(DomainError):
    """The server lacks the activity's type or version, or the config does not fit it.

    Nothing is lost and answers stay readable, but no new ones are accepted. `versions` lists the
    versions of the type (`activity_type`) on this server. The operator installs the missing version
    again or runs `conflicto types upgrade`. The host may give the activity another `type` or
    `type_version`.

    New activities are refused too while no version of the type is registered. This holds for types
    that were left out at start, and for types whose version stored activities have.
    `GET /rejected-activity-types` lists the faults of types that were left out. Only types that
    were never registered accept any JSON.
    """

    code = "type-unavailable"
    title = "The activity's type is not available in its version"
    kind = Kind.CONFLICT


class TypeFault(NamedTuple):
    """One fault of a type's folder, and its remedy.

    `file` begins with the folder's name. `line` counts from 1, None if unknown. `pointer` is a JSON
    pointer into the file, empty for the whole file and for files of other formats.
    """

    file: str
    pointer: str
    message: str
    remedy: str
    line: int | None = None

    def __str__(self) -> str:
        """Return one sentence with the place, and the remedy.

        >>> str(TypeFault("mood/activity.json", "/sdk", "is not allowed", 'Write "1".', 5))
        'mood/activity.json:5 at /sdk: is not allowed. Write "1".'
        """
        line = "" if self.line is None else f":{self.line}"
        at = f" at {self.pointer}" if self.pointer else ""
        return f"{self.file}{line}{at}: {self.message.rstrip('.')}. {self.remedy}"


class InvalidActivityType(ValueError):
    """A folder cannot be registered; `faults` has at least one entry, in the order of the files."""

    def __init__(self, faults: Iterable[TypeFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class UnsupportedSchema(ValueError):
    """A schema uses a keyword or value outside the subset; the loader adds the file's name."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason
