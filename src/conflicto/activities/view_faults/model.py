"""Faults of views in memory: by session, each with the number of pages that reported it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock

MAX_FAULTS = 10
"""Maximum faults of one session; further ones only reach the log."""

MAX_REPORTERS = 20_000
"""Maximum pages that are counted in all sessions, up to 100 bytes each.

Beyond that the session whose last report is oldest is forgotten.
"""

MAX_AGE_S = 12 * 3_600
"""Age at which the faults of a session are forgotten, after its last report."""

MAX_LOGGED = 500
"""Maximum places of faults that a process logs, each once, so that no client can fill a log."""


class ViewFault(NamedTuple):
    """A fault of a view. `file` and `line` are in the type's folder `ui`; 0 is an unknown line."""

    type: str
    version: str
    view: str
    error: str
    message: str
    file: str
    line: int


class FaultPlace(NamedTuple):
    """The part of a fault that is logged: no text that a page could have taken from an answer."""

    type: str
    version: str
    view: str
    error: str
    file: str
    line: int


@dataclass(slots=True)
class _SessionFaults:
    """Reporters by fault, and the time of the last report."""

    reporters: dict[ViewFault, set[str]] = field(default_factory=dict)
    reported_s: float = 0.0

    @property
    def size(self) -> int:
        return sum(map(len, self.reporters.values()))


class ViewFaults:
    """The faults that pages reported to this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: OrderedDict[int, _SessionFaults] = OrderedDict()
        self._reporters = 0
        self._logged: set[FaultPlace] = set()

    def add(self, session_id: int, fault: ViewFault, reporter: str) -> None:
        """Count a page that reports a fault; the same page counts once."""
        self._forget_old()
        found = self._sessions.setdefault(session_id, _SessionFaults())
        self._sessions.move_to_end(session_id)
        found.reported_s = self._clock.monotonic_s()
        reporters = found.reporters.get(fault)
        if reporters is None:
            if len(found.reporters) >= MAX_FAULTS:
                return
            reporters = found.reporters[fault] = set()
        if reporter not in reporters and self._has_room(session_id):
            reporters.add(reporter)
            self._reporters += 1

    def of_session(self, session_id: int) -> list[tuple[ViewFault, int]]:
        """Return the faults of a session with their numbers of pages, in the order of arrival."""
        self._forget_old()
        found = self._sessions.get(session_id)
        return [(fault, len(reporters)) for fault, reporters in found.reporters.items()] if found else []

    def is_first(self, fault: ViewFault) -> bool:
        """Return whether a fault has a place that was not logged yet, and note it."""
        place = FaultPlace(fault.type, fault.version, fault.view, fault.error, fault.file, fault.line)
        if place in self._logged or len(self._logged) >= MAX_LOGGED:
            return False
        self._logged.add(place)
        return True

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
