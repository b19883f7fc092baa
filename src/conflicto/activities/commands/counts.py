"""Counts of rounds; `responses` calls these commands in the transaction of its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.activities.events import CountsChanged
    from conflicto.activities.model import Activity
    from conflicto.platform.db.transaction import WriteTx


def change_counts(tx: WriteTx, changed: Sequence[CountsChanged]) -> None:
    """Store the current counts of rounds."""
    store.save_counts(tx, changed)
    for each in changed:
        tx.emit(each)


def save_release_us(tx: WriteTx, activity: Activity, at_us: int) -> None:
    """Store the instant of the current round's last release."""
    store.save_release_us(tx, activity, at_us)
