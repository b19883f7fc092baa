"""Places of faults that a process logged of late, with a share for each page and session."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from conflicto.activities.view_faults.model import FaultPlace
    from conflicto.platform.clock import Clock

MAX_LOGGED = 500
"""Maximum places that a process logs within `MAX_LOGGED_AGE_S`, so that no client fills a log."""

MAX_LOGGED_OF_SESSION = 50
"""Maximum places of one session among them, so that it leaves room for others."""

MAX_LOGGED_OF_PAGE = 10
"""Maximum places of one page among them, so that it leaves room for others in its session."""

MAX_LOGGED_AGE_S = 3_600
"""Age at which a place is forgotten: with the next report it is logged again."""


class _Entry(NamedTuple):
    """The time at which a place was logged, and who reported it."""

    logged_s: float
    session_id: int
    reporter: str


class LoggedPlaces:
    """The places that were logged, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[FaultPlace, _Entry] = OrderedDict()

    def add(self, place: FaultPlace, session_id: int, reporter: str) -> bool:
        """Return whether a place is to be logged, and note it."""
        self._forget_old()
        if place in self._entries or len(self._entries) >= MAX_LOGGED:
            return False
        of_session = [each.reporter for each in self._entries.values() if each.session_id == session_id]
        if len(of_session) >= MAX_LOGGED_OF_SESSION or of_session.count(reporter) >= MAX_LOGGED_OF_PAGE:
            return False
        self._entries[place] = _Entry(self._clock.monotonic_s(), session_id, reporter)
        return True

    def _forget_old(self) -> None:
        oldest_s = self._clock.monotonic_s() - MAX_LOGGED_AGE_S
        while self._entries and next(iter(self._entries.values())).logged_s < oldest_s:
            self._entries.popitem(last=False)
