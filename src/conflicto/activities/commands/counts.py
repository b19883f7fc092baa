"""Keep the counts of a round. The room that changes responses calls this in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities import store
from conflicto.activities.events import CountsChanged

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.activities.model import Counts
    from conflicto.platform.db.transaction import WriteTx


def change_counts(tx: WriteTx, session_id: int, activity_id: UUID, nth: int, counts: Counts) -> None:
    """Store the counts of a round as they are now."""
    store.save_counts(tx, activity_id, nth, counts)
    tx.emit(CountsChanged(session_id, activity_id, nth, counts))
