"""Who this installation is: the database's epoch, the key that signs tokens, and the hash of the admin token."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.tokens import SHORTEST_KEY_BYTES, digest
from conflicto.platform.db.facts import ADMIN_TOKEN_HASH, EPOCH, SIGNING_KEY, ensure_fact, replace_fact
from conflicto.platform.ids import epoch_name, opaque_secret

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.platform.db.engine import Database

KEY_FILE = "signing.key"


@dataclass(frozen=True, slots=True)
class Identity:
    """`admin_token` is known only in the moment in which it is made, and where the operator gave it."""

    epoch: str
    signing_key: bytes
    admin_hash: str
    admin_token: str | None


def establish(db: Database, *, data_dir: Path, secret_key: str | None, admin_token: str | None) -> Identity:
    """Return this installation's identity, making what is missing.

    The key: `secret_key` if given; else a file in the data directory (embedded database), or a row that all machines share (PostgreSQL).

    Raises:
        ValueError: `secret_key` is shorter than 32 bytes.
    """
    epoch, _ = ensure_fact(db, EPOCH, epoch_name)
    key = _signing_key(db, data_dir, secret_key)
    if admin_token is not None:
        return Identity(epoch, key, digest(admin_token), admin_token)
    fresh = opaque_secret()
    stored, made = ensure_fact(db, ADMIN_TOKEN_HASH, lambda: digest(fresh))
    return Identity(epoch, key, stored, fresh if made else None)


def renew_admin_token(db: Database) -> str:
    """Make a new admin token; the old one is dead from the next start on."""
    fresh = opaque_secret()
    replace_fact(db, ADMIN_TOKEN_HASH, digest(fresh))
    return fresh


def _signing_key(db: Database, data_dir: Path, secret_key: str | None) -> bytes:
    if secret_key is not None:
        key = secret_key.encode()
    elif db.dialect == "sqlite":
        key = _key_file(data_dir)
    else:
        key = ensure_fact(db, SIGNING_KEY, lambda: opaque_secret(48))[0].encode()
    if len(key) < SHORTEST_KEY_BYTES:
        message = f"The signing key has {len(key)} bytes; it needs at least {SHORTEST_KEY_BYTES}."
        raise ValueError(message)
    return key


def _key_file(data_dir: Path) -> bytes:
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    key = opaque_secret(48).encode()
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    return key
