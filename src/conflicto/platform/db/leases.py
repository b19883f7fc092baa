"""Leases in the database, for work that one process does for all.

A holder renews its lease in the transaction of each piece of work. A holder that overslept finds
the lease gone and writes nothing. After a holder died, another follows once its time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text, update

from conflicto.platform.db.tables import metadata_table
from conflicto.platform.instants import US_PER_S

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import WriteTx

_CREATE = text("INSERT INTO meta (key, value) VALUES (:key, '0 nobody') ON CONFLICT DO NOTHING")


def claim(tx: WriteTx, name: str, holder: str, lifetime_s: float) -> bool:
    """Claim or renew a lease for `lifetime_s` seconds from now, by the clock that orders the feed.

    Returns False if another process has it.
    """
    key = f"lease:{name}"
    tx.write(_CREATE, {"key": key})
    found = tx.scalar(select(metadata_table.c.value).where(metadata_table.c.key == key).with_for_update())
    until, _, present = str(found).partition(" ")
    if present != holder and int(until) > tx.now_us:
        return False
    tx.write(
        update(metadata_table)
        .where(metadata_table.c.key == key)
        .values(value=f"{tx.now_us + round(lifetime_s * US_PER_S)} {holder}")
    )
    return True


def release(tx: WriteTx, name: str, holder: str) -> None:
    """Release a lease, so that another process may claim it at once."""
    if claim(tx, name, holder, 0):
        tx.write(update(metadata_table).where(metadata_table.c.key == f"lease:{name}").values(value="0 nobody"))
