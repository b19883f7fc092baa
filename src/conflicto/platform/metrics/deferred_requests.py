"""Requests that are counted after they were answered: anonymous answers, with their release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conflicto.platform.ids import up_to_exactly

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TIMES = 1_000
"""Times that wait to be counted; of more, a random choice is kept."""


class ResponseCounter(Protocol):
    """Counts of answered requests."""

    def count_responses(self, route: str, method: str, status: int, amount: int, seconds: Sequence[float]) -> None:
        """Count answers that were given before, with the times of some of them."""


class DeferredRequests:
    """Times of requests that are not counted yet. They leave one by one, drawn at random, and tell nothing of whose request it was."""

    def __init__(self, requests: ResponseCounter) -> None:
        self._requests = requests
        self._times_s: list[float] = []

    def add(self, seconds: float) -> None:
        """Keep the time of one request."""
        if len(self._times_s) >= MAX_TIMES:
            self._draw()
        self._times_s.append(seconds)

    def release(self, route: str, method: str, status: int, amount: int) -> None:
        """Count requests of a route, with as many times as are held, and never more."""
        if amount:
            drawn = [self._draw() for _ in range(min(amount, len(self._times_s)))]
            self._requests.count_responses(route, method, status, amount, drawn)

    def _draw(self) -> float:
        """Take out one of the times that are held."""
        place = up_to_exactly(len(self._times_s) - 1)
        self._times_s[place], self._times_s[-1] = self._times_s[-1], self._times_s[place]
        return self._times_s.pop()
