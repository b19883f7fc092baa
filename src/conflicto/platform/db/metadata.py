"""Key/value metadata of the database (table `meta`): written once, read at every start."""

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
"""Prefix of a key, followed by the id of a receipt key. Public keys are never deleted, because
receipts outlive the key that signed them."""
ADMIN_TOKEN_HASH = "admin_token_hash"  # noqa: S105 - a key, no password


def read_metadata(tx: ReadTx, key: str) -> str | None:
    """Return a value within an open transaction, None if it was never written."""
    found: str | None = tx.scalar(select(metadata_table.c.value).where(metadata_table.c.key == key))
    return found


def read_metadata_with_prefix(tx: ReadTx, prefix: str) -> dict[str, str]:
    """Return the values whose keys begin with `prefix`, by the rest of the key."""
    rows = tx.all(
        select(metadata_table.c.key, metadata_table.c.value).where(metadata_table.c.key.startswith(prefix, autoescape=True))
    )
    return {row.key.removeprefix(prefix): row.value for row in rows}


def write_metadata(tx: ReadTx, key: str, value: str | None) -> None:
    """Replace a value within an open transaction; None deletes it."""
    tx.connection.execute(delete(metadata_table).where(metadata_table.c.key == key))
    if value is not None:
        tx.connection.execute(insert(metadata_table), {"key": key, "value": value})


def load_metadata(db: Database, key: str) -> str | None:
    """Return a value, None if it was never written."""
    with db.writer_connection() as connection, connection.begin():
        return read_metadata(ReadTx(connection), key)


def ensure_metadata(db: Database, key: str, create: Callable[[], str]) -> tuple[str, bool]:
    """Return a value and whether it was created now.

    Of two processes that start together, one creates it.
    """
    found = load_metadata(db, key)
    if found is not None:
        return found, False
    value = create()
    try:
        with db.writer_connection() as connection, connection.begin():
            connection.execute(insert(metadata_table), {"key": key, "value": value})
    except IntegrityError:
        return load_metadata(db, key) or value, False
    return value, True


def replace_metadata(db: Database, key: str, value: str) -> None:
    """Replace a value in a transaction of its own."""
    with db.writer_connection() as connection, connection.begin():
        write_metadata(ReadTx(connection), key, value)
