"""Requests that are counted after their response: anonymous answers, at their release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conflicto.platform.ids import secret_number

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TIMES = 1_000
"""Times in memory; beyond this number a random one is dropped."""


class ResponseCounter(Protocol):
    """Counts of responses."""

    def count_responses(self, route: str, method: str, status: int, amount: int, seconds: Sequence[float]) -> None:
        """Count `amount` earlier responses, with the times of some of them."""


class DeferredRequests:
    """Times of requests that are not counted yet.

    Each time leaves alone and in random order, so it does not reveal whose request it was.
    """

    def __init__(self, requests: ResponseCounter) -> None:
        self._requests = requests
        self._times_s: list[float] = []

    def add(self, seconds: float) -> None:
        """Store the time of one request."""
        if len(self._times_s) >= MAX_TIMES:
            self._draw()
        self._times_s.append(seconds)

    def release(self, route: str, method: str, status: int, amount: int) -> None:
        """Count `amount` requests of a route, with at most as many stored times."""
        if amount:
            drawn = [self._draw() for _ in range(min(amount, len(self._times_s)))]
            self._requests.count_responses(route, method, status, amount, drawn)

    def _draw(self) -> float:
        """Remove and return a random time."""
        place = secret_number(len(self._times_s) - 1)
        self._times_s[place], self._times_s[-1] = self._times_s[-1], self._times_s[place]
        return self._times_s.pop()
