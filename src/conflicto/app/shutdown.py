"""Drain of a process: answer waiting requests before the server stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Drain:
    """Closes everything that waits, once. Callable, as the server needs it."""

    def __init__(self) -> None:
        self._closers: list[Callable[[], None]] = []

    def add(self, *closers: Callable[[], None]) -> None:
        """Add closers; they run in this order."""
        self._closers += closers

    def __call__(self) -> None:
        """Run the closers. Only the first call has an effect."""
        closers, self._closers = self._closers, []
        for close in closers:
            close()
