"""Identity of an installation: epoch, token issuer, keys, and the hash of the admin token."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt.utils import base64url_decode

from conflicto.access.receipts import kid_of, public_text
from conflicto.access.tokens import MIN_KEY_BYTES, Tokens, digest
from conflicto.platform.db.metadata import (
    ADMIN_TOKEN_HASH,
    EPOCH,
    ISSUER,
    LINKS_SINCE,
    RECEIPT_KEY,
    RECEIPT_PUBLIC_KEY,
    SERVER,
    SIGNING_KEY,
    ensure_metadata,
    load_metadata,
    read_metadata,
    read_metadata_with_prefix,
    replace_metadata,
    write_metadata,
)
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.files import sync_directory
from conflicto.platform.ids import epoch_name, opaque_secret
from conflicto.platform.instants import US_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.platform.cache_budget import CacheBudget
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database

KEY_FILE = "signing.key"
RECEIPT_KEY_FILE = "receipt.key"
KEY_FILES = {SIGNING_KEY: KEY_FILE, RECEIPT_KEY: RECEIPT_KEY_FILE}
"""Key files beside an embedded database, by the metadata key that other databases use."""

SIGNING_KEY_BYTES = 48
RECEIPT_KEY_BYTES = 32

ADMIN_FILE = "admin-token"


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of an installation.

    `admin_token` is known only when it is created or configured.
    """

    epoch: str
    issuer: str
    signing_key: bytes
    receipt_key: bytes
    admin_hash: str
    admin_token: str | None


def load_identity(db: Database, *, data_dir: Path, secret_key: str | None, admin_token: str | None) -> Identity:
    """Return the installation's identity, and create its missing parts.

    The signing key is `secret_key` if given. Otherwise it is a file in the data directory (embedded
    database) or a row that all machines share.

    Raises:
        ValueError: `secret_key` is shorter than 32 bytes.
    """
    issuer, key = signing_identity(db, data_dir=data_dir, secret_key=secret_key)
    epoch, _ = ensure_metadata(db, EPOCH, epoch_name)
    receipts = receipt_key(db, data_dir=data_dir)
    if admin_token is not None:
        return Identity(epoch, issuer, key, receipts, digest(admin_token), admin_token)
    token = opaque_secret()
    stored, is_new = ensure_metadata(db, ADMIN_TOKEN_HASH, lambda: digest(token))
    return Identity(epoch, issuer, key, receipts, stored, token if is_new else None)


def receipt_key(db: Database, *, data_dir: Path, renew: bool = False) -> bytes:
    """Return the private key that signs receipts, created if missing.

    Its public key is stored for good.

    It is stored like the signing key: in a file beside an embedded database, else in a row that all
    machines share. `renew` replaces it.
    """
    if db.is_shared:
        if renew:
            replace_metadata(db, RECEIPT_KEY, opaque_secret(RECEIPT_KEY_BYTES))
        text, _ = ensure_metadata(db, RECEIPT_KEY, lambda: opaque_secret(RECEIPT_KEY_BYTES))
    else:
        move_keys_to_files(db, data_dir)
        if renew:
            (data_dir / RECEIPT_KEY_FILE).unlink(missing_ok=True)
        text = _key_file(data_dir, RECEIPT_KEY_FILE, RECEIPT_KEY_BYTES).decode()
    key = base64url_decode(text)
    public = public_text(key)
    ensure_metadata(db, RECEIPT_PUBLIC_KEY + kid_of(public), lambda: public)
    return key


def receipt_public_keys(tx: ReadTx) -> dict[str, str]:
    """Return the public keys of all receipts of this installation, by key id."""
    return read_metadata_with_prefix(tx, RECEIPT_PUBLIC_KEY)


def signing_identity(db: Database, *, data_dir: Path, secret_key: str | None) -> tuple[str, bytes]:
    """Return the issuer and the signing key of tokens; raises as `load_identity` does.

    The issuer is the first epoch. Tokens stay valid after a restore if the key is the same.
    """
    epoch, _ = ensure_metadata(db, EPOCH, epoch_name)
    return load_metadata(db, ISSUER) or epoch, _signing_key(db, data_dir, secret_key)


def build_tokens(db: Database, identity: Identity, clock: Clock, *, max_days: int, budget: CacheBudget | None = None) -> Tokens:
    """Return the token service of this installation."""
    since_s = links_since_s(db, clock.wall_us() // US_PER_S)
    return Tokens(identity.signing_key, identity.issuer, clock, max_days=max_days, links_since_s=since_s, budget=budget)


def links_since_s(db: Database, now_s: int) -> int:
    """Return the start, in seconds since 1970 UTC, of tokens without an absolute end.

    It is the first start of the server after the migration that added links.
    """
    return int(ensure_metadata(db, LINKS_SINCE, lambda: str(now_s))[0])


def begin_epoch(tx: ReadTx) -> str:
    """Begin a new epoch of a database that lost commits, and return it. Tokens stay valid.

    The identity of the database server is removed, because a restore may have moved the database.
    The next start reads it again.
    """
    epoch = read_metadata(tx, EPOCH)
    if epoch is not None and read_metadata(tx, ISSUER) is None:
        write_metadata(tx, ISSUER, epoch)
    new_epoch = epoch_name()
    write_metadata(tx, EPOCH, new_epoch)
    write_metadata(tx, SERVER, None)
    return new_epoch


def read_epoch(tx: ReadTx) -> str:
    """Return the epoch of a snapshot, empty for a database that was never served."""
    return read_metadata(tx, EPOCH) or ""


def read_key_files(db: Database, data_dir: Path) -> dict[str, str]:
    """Return the keys in files as metadata, for copies of the database, which lack the files."""
    if db.is_shared:
        return {}
    found = {name: data_dir / file for name, file in KEY_FILES.items() if (data_dir / file).exists()}
    return {name: path.read_text().strip() for name, path in found.items() if db.query(read_metadata, name) is None}


def move_keys_to_files(db: Database, data_dir: Path) -> Path | None:
    """Move the keys that a restore brought from an embedded database to their files.

    Existing other keys are renamed. The database keeps a key until its file exists, so an
    interruption loses none. Returns the new path of the earlier signing key, or None.
    """
    earlier: dict[str, Path | None] = {}
    for name, file in () if db.is_shared else KEY_FILES.items():
        key = load_metadata(db, name)
        if key is not None:
            earlier[name] = _replace_key_file(data_dir / file, key)
            with db.writer_connection() as connection, connection.begin():
                write_metadata(ReadTx(connection), name, None)
    return earlier.get(SIGNING_KEY)


def _replace_key_file(path: Path, key: str) -> Path | None:
    earlier = None
    if path.exists():
        if path.read_text().strip() == key:
            return None
        earlier = path.rename(path.with_name(f"{path.name}.before_restore_{opaque_secret(6)}"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_key(path, key)
    return earlier


def renew_admin_token(db: Database) -> str:
    """Create a new admin token. The old one is invalid from the next start on."""
    token = opaque_secret()
    replace_metadata(db, ADMIN_TOKEN_HASH, digest(token))
    return token


def write_admin_token(data_dir: Path, token: str) -> Path:
    """Write the admin token to a file that only the owner may read, and return its path.

    Raises:
        OSError: the directory or the file cannot be written.
    """
    path = data_dir / ADMIN_FILE
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _write_temporary(path, token + "\n")
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(data_dir)
    return path


def _signing_key(db: Database, data_dir: Path, secret_key: str | None) -> bytes:
    if secret_key is not None:
        key = secret_key.encode()
    elif db.is_shared:
        key = ensure_metadata(db, SIGNING_KEY, lambda: opaque_secret(SIGNING_KEY_BYTES))[0].encode()
    else:
        move_keys_to_files(db, data_dir)  # an interrupted restore may have left them
        key = _key_file(data_dir, KEY_FILE, SIGNING_KEY_BYTES)
    if len(key) < MIN_KEY_BYTES:
        message = f"The signing key has {len(key)} bytes; it needs at least {MIN_KEY_BYTES}."
        raise ValueError(message)
    return key


def _key_file(data_dir: Path, file: str, size: int) -> bytes:
    path = data_dir / file
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write_key(path, opaque_secret(size))
    return path.read_bytes().strip()


def _write_key(path: Path, key: str) -> None:
    """Write a key file atomically: a kill leaves no partial key, and no process reads one."""
    temporary = _write_temporary(path, key)
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
    sync_directory(path.parent)


def _write_temporary(path: Path, text: str) -> Path:
    """Write a secret durably to a temporary file beside `path`, mode 0600, and return its path."""
    temporary = path.with_name(f"{path.name}.{opaque_secret(6)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    return temporary
