"""Faults of views in memory: by session, each with the number of pages that reported it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from conflicto.activity_types.model import ActivityType
    from conflicto.platform.clock import Clock

MAX_FAULTS = 10
"""Maximum faults of one session. A further one replaces the fault with the fewest pages."""

MAX_FAULTS_OF_PAGE = 3
"""Maximum faults of one session that a page can report, so that it hides no fault of others."""

MAX_REPORTERS = 20_000
"""Maximum pages that are counted in all sessions, up to 100 bytes each.

Beyond that the session whose last report is oldest is forgotten.
"""

MAX_AGE_S = 12 * 3_600
"""Age at which the faults of a session are forgotten, after its last report."""

OTHER_ERROR = "Error"
"""Name that stands for the name of any other class of errors."""

ERRORS = frozenset({
    OTHER_ERROR, "AggregateError", "EvalError", "InternalError", "RangeError", "ReferenceError", "SuppressedError", "SyntaxError",
    "TypeError", "URIError",
    "AbortError", "ConstraintError", "DataCloneError", "DataError", "EncodingError", "HierarchyRequestError", "InvalidAccessError",
    "InvalidCharacterError", "InvalidModificationError", "InvalidNodeTypeError", "InvalidStateError", "NamespaceError", "NetworkError",
    "NoModificationAllowedError", "NotAllowedError", "NotFoundError", "NotReadableError", "NotSupportedError", "OperationError",
    "QuotaExceededError", "SecurityError", "TimeoutError", "UnknownError", "WrongDocumentError",
    "Stopped",
})  # fmt: skip
"""Names of errors of ECMAScript and of the DOM, and `Stopped` of a view that its page cut off."""


class FaultPlace(NamedTuple):
    """The part of a fault that is logged: no text that a page could have taken from an answer.

    `file` and `line` are in the type's folder `ui`; 0 is an unknown line.
    """

    type: str
    version: str
    view: str
    error: str
    file: str
    line: int


class ViewFault(NamedTuple):
    """A fault of a view. `message` is that of the first report, and `pages` reported its place."""

    place: FaultPlace
    message: str
    pages: int


def place_in(known: ActivityType, view: str, error: str, file: str, line: int) -> FaultPlace:
    """Return the place of a reported fault in a type that has this view.

    An unknown error becomes `Error`, an unknown file the view's own module, and a line that its
    file does not have becomes 0: each value that remains is one of the type's own.
    """
    lines = known.module_lines.get(file)
    if lines is None:
        file, line = f"{view}.js", 0
    elif line > lines:
        line = 0
    return FaultPlace(known.name, known.version, view, error if error in ERRORS else OTHER_ERROR, file, line)


@dataclass(slots=True)
class _Reports:
    """The message of the first report of a fault, and all that reported it."""

    message: str
    reporters: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _SessionFaults:
    """Reports by the place of the fault, and the time of the last one."""

    reports: dict[FaultPlace, _Reports] = field(default_factory=dict)
    reported_s: float = 0.0

    @property
    def size(self) -> int:
        return sum(len(each.reporters) for each in self.reports.values())

    def has_share(self, reporter: str) -> bool:
        """Return whether a page reported as many faults as it may."""
        return sum(reporter in each.reporters for each in self.reports.values()) >= MAX_FAULTS_OF_PAGE

    def forget_rarest(self) -> int:
        """Forget the fault with the fewest pages, the first one of several; return their number."""
        rarest = min(self.reports, key=lambda place: len(self.reports[place].reporters))
        return len(self.reports.pop(rarest).reporters)


class ViewFaults:
    """The faults that pages reported to this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: OrderedDict[int, _SessionFaults] = OrderedDict()
        self._reporters = 0

    def add(self, session_id: int, place: FaultPlace, message: str, reporter: str) -> None:
        """Count a page that reports a fault; the same page counts once."""
        self._forget_old()
        found = self._sessions.setdefault(session_id, _SessionFaults())
        self._sessions.move_to_end(session_id)
        found.reported_s = self._clock.monotonic_s()
        reports = found.reports.get(place)
        if found.has_share(reporter) or (reports is not None and reporter in reports.reporters):
            return
        if reports is None:
            if len(found.reports) >= MAX_FAULTS:
                self._reporters -= found.forget_rarest()
            reports = found.reports[place] = _Reports(message)
        if self._has_room(session_id):
            reports.reporters.add(reporter)
            self._reporters += 1

    def of_session(self, session_id: int) -> list[ViewFault]:
        """Return the faults of a session in the order of arrival."""
        self._forget_old()
        found = self._sessions.get(session_id)
        reports = found.reports.items() if found else ()
        return [ViewFault(place, each.message, len(each.reporters)) for place, each in reports]

    def _has_room(self, session_id: int) -> bool:
        """Return whether one more page can be counted, after forgetting other sessions."""
        while self._reporters >= MAX_REPORTERS and next(iter(self._sessions)) != session_id:
            self._forget_oldest()
        return self._reporters < MAX_REPORTERS

    def _forget_old(self) -> None:
        oldest_s = self._clock.monotonic_s() - MAX_AGE_S
        while self._sessions and next(iter(self._sessions.values())).reported_s < oldest_s:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, found = self._sessions.popitem(last=False)
        self._reporters -= found.size
