"""Facts that a database keeps about itself in `meta`: written once, read at every start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from conflicto.platform.db.errors import IntegrityError
from conflicto.platform.db.tables import metadata_table
from conflicto.platform.db.transaction import ReadTx

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.db.engine import Database

EPOCH = "epoch"
ISSUER = "issuer"
SERVER = "server"
LINKS_SINCE = "links_since_s"
SIGNING_KEY = "signing_key"
RECEIPT_KEY = "receipt_key"
RECEIPT_PUBLIC_KEY = "receipt_public_key:"
"""Beginning of a fact's name; the key's name follows. A public key stays for good: receipts outlive the key that signed them."""
ADMIN_TOKEN_HASH = "admin_token_hash"  # noqa: S105 - the name of a fact


def read_metadata(tx: ReadTx, key: str) -> str | None:
    """Return a fact in a transaction that is open already, None if it was never written."""
    found: str | None = tx.scalar(select(metadata_table.c.value).where(metadata_table.c.key == key))
    return found


def read_metadata_with_prefix(tx: ReadTx, beginning: str) -> dict[str, str]:
    """Return the facts whose names begin so, by the rest of the name."""
    rows = tx.all(
        select(metadata_table.c.key, metadata_table.c.value).where(metadata_table.c.key.startswith(beginning, autoescape=True))
    )
    return {row.key.removeprefix(beginning): row.value for row in rows}


def write_metadata(tx: ReadTx, key: str, value: str | None) -> None:
    """Write a fact anew in a transaction that is open already; None takes it away."""
    tx.connection.execute(delete(metadata_table).where(metadata_table.c.key == key))
    if value is not None:
        tx.connection.execute(insert(metadata_table), {"key": key, "value": value})


def load_metadata(db: Database, key: str) -> str | None:
    """Return a fact, None if it was never written."""
    with db.writer_connection() as connection, connection.begin():
        return read_metadata(ReadTx(connection), key)


def ensure_metadata(db: Database, key: str, make: Callable[[], str]) -> tuple[str, bool]:
    """Return a fact and whether it was made now; of two processes that start together, one makes it."""
    found = load_metadata(db, key)
    if found is not None:
        return found, False
    made = make()
    try:
        with db.writer_connection() as connection, connection.begin():
            connection.execute(insert(metadata_table), {"key": key, "value": made})
    except IntegrityError:
        return load_metadata(db, key) or made, False
    return made, True


def replace_metadata(db: Database, key: str, value: str) -> None:
    """Write a fact anew."""
    with db.writer_connection() as connection, connection.begin():
        write_metadata(ReadTx(connection), key, value)
