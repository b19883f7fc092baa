"""Who this installation is: the database's epoch, the key that signs tokens, and the hash of the admin token."""

from __future__ import annotations

import os
from contextlib import suppress
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
    epoch, key = signing_identity(db, data_dir=data_dir, secret_key=secret_key)
    if admin_token is not None:
        return Identity(epoch, key, digest(admin_token), admin_token)
    fresh = opaque_secret()
    stored, made = ensure_fact(db, ADMIN_TOKEN_HASH, lambda: digest(fresh))
    return Identity(epoch, key, stored, fresh if made else None)


def signing_identity(db: Database, *, data_dir: Path, secret_key: str | None) -> tuple[str, bytes]:
    """Return the epoch and the signing key, which is what it takes to mint a token; raises as `establish` does."""
    epoch, _ = ensure_fact(db, EPOCH, epoch_name)
    return epoch, _signing_key(db, data_dir, secret_key)


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
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Whole before it has its name: a kill in between must not leave an empty key, nor a second process read half of one.
        partial = data_dir / f"{KEY_FILE}.{opaque_secret(6)}"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(opaque_secret(48).encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink()
    return path.read_bytes().strip()
