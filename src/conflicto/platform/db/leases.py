"""Work that one process does for all: whoever holds the lease, which the database keeps.

A holder claims anew in the transaction of each piece of its work. One that slept past its time finds the lease gone and writes nothing,
and a holder that died is followed by another as soon as its time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text, update

from conflicto.platform.db.tables import metadata_table
from conflicto.platform.instants import US_PER_S

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import WriteTx

_MAKE = text("INSERT INTO meta (key, value) VALUES (:key, '0 nobody') ON CONFLICT DO NOTHING")


def claim(tx: WriteTx, name: str, holder: str, life_s: float) -> bool:
    """Take or keep a lease for so long from now, by the clock that orders the feed; False: another process has it."""
    key = f"lease:{name}"
    tx.write(_MAKE, {"key": key})
    found = tx.scalar(select(metadata_table.c.value).where(metadata_table.c.key == key).with_for_update())
    until, _, present = str(found).partition(" ")
    if present != holder and int(until) > tx.now_us:
        return False
    tx.write(
        update(metadata_table).where(metadata_table.c.key == key).values(value=f"{tx.now_us + round(life_s * US_PER_S)} {holder}")
    )
    return True


def release(tx: WriteTx, name: str, holder: str) -> None:
    """Let another process have it at once."""
    if claim(tx, name, holder, 0):
        tx.write(update(metadata_table).where(metadata_table.c.key == f"lease:{name}").values(value="0 nobody"))
