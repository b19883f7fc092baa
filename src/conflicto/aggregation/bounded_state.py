"""Base of states whose size is bounded by the spec, so that they stay in memory."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from conflicto.aggregation.spill.store import SpillStore

MAX_BOUNDED_ENTRIES = 80_000
"""Entries at which bounded states reach the memory of a tally, 8 MiB at 100 bytes each."""


class BoundedState:
    """A state with a number of entries that the spec fixes.

    It keeps all its responses when the tally moves to disk, so it stores nothing there.
    """

    max_entries = MAX_BOUNDED_ENTRIES
    answers: int

    def result(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        raise NotImplementedError

    def detach(self) -> Self:
        """Return a copy of this moment."""
        return deepcopy(self)

    def store(self, spill: SpillStore, state: int) -> None:
        """Store nothing."""

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:  # noqa: ARG002 - State's signature
        """Return the result of the copy."""
        return self.result()
