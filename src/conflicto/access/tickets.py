"""Tickets open a stream once: the names of those that were used, for as long as they would still be good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.access.errors import TokenInvalid
from conflicto.access.tokens import TICKET_LIFE_S

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock

MARGIN_S = 5
"""Wall clocks that mint and monotonic ones that forget need not agree to the second."""


class UsedTickets:
    """Remembers in this process; a ticket is meant for whoever asked for it, and its address is not shown anywhere."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    def use(self, name: str) -> None:
        """Use a ticket up.

        Raises:
            TokenInvalid: it was used before.
        """
        now_s = self._clock.monotonic_s()
        while self._used and next(iter(self._used.values())) < now_s:
            del self._used[next(iter(self._used))]
        if name in self._used:
            raise TokenInvalid
        self._used[name] = now_s + TICKET_LIFE_S + MARGIN_S
