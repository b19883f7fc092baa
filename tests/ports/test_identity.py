"""Identity of an installation: created once, stored, and the same for all its processes."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conflicto.access.identity import (
    KEY_FILE,
    RECEIPT_KEY_FILE,
    Identity,
    load_identity,
    move_keys_to_files,
    read_key_files,
    receipt_key,
    receipt_public_keys,
    renew_admin_token,
)
from conflicto.access.receipts import kid_of, public_text
from conflicto.access.tokens import digest
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.metadata import RECEIPT_KEY, SIGNING_KEY, replace_metadata


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = Database(database_url, pool=PoolSize(2, 1))
    yield made
    made.close()


def identity(db: Database, folder: Path, **given: Any) -> Identity:
    return load_identity(db, data_dir=folder, **{"secret_key": None, "admin_token": None} | given)


def test_identity_is_made_once(db: Database, tmp_path: Path) -> None:
    first, second = identity(db, tmp_path / "data"), identity(db, tmp_path / "data")

    assert first.admin_token is not None
    assert first.admin_hash == second.admin_hash == digest(first.admin_token)
    assert second.admin_token is None
    assert (first.epoch, first.signing_key) == (second.epoch, second.signing_key)
    assert len(first.signing_key) >= 32
    if db.dialect.name == "sqlite":
        for file in (KEY_FILE, RECEIPT_KEY_FILE):
            assert stat.S_IMODE((tmp_path / "data" / file).stat().st_mode) == 0o600


def test_operators_own_secrets_win_and_are_not_stored(db: Database, tmp_path: Path) -> None:
    made = identity(db, tmp_path)
    given = identity(db, tmp_path, secret_key="s" * 32, admin_token="the-operator-himself")

    assert (given.signing_key, given.admin_token) == (b"s" * 32, "the-operator-himself")
    assert given.admin_hash == digest("the-operator-himself")
    assert identity(db, tmp_path).admin_hash == made.admin_hash
    with pytest.raises(ValueError, match="31 bytes"):
        identity(db, tmp_path, secret_key="s" * 31)


def test_every_key_of_receipts_leaves_its_public_key(db: Database, tmp_path: Path) -> None:
    first = identity(db, tmp_path).receipt_key
    second = receipt_key(db, data_dir=tmp_path, renew=True)

    assert identity(db, tmp_path).receipt_key == second != first
    assert db.query(receipt_public_keys) == {kid_of(public): public for public in map(public_text, (first, second))}


def test_the_key_of_receipts_travels_in_a_backup_of_an_embedded_database(db: Database, tmp_path: Path) -> None:
    made = identity(db, tmp_path)
    beside = read_key_files(db, tmp_path)
    assert set(beside) == ({SIGNING_KEY, RECEIPT_KEY} if db.dialect.name == "sqlite" else set())
    for name, key in beside.items():
        replace_metadata(db, name, key)
    elsewhere = tmp_path / "elsewhere"
    move_keys_to_files(db, elsewhere)
    moved = identity(db, elsewhere)
    assert (moved.signing_key, moved.receipt_key) == (made.signing_key, made.receipt_key)


def test_new_admin_token_replaces_the_old_one(db: Database, tmp_path: Path) -> None:
    before = renew_admin_token(db)
    after = renew_admin_token(db)

    assert identity(db, tmp_path).admin_hash == digest(after) != digest(before)


def test_processes_that_start_together_agree(database_url: str, tmp_path: Path) -> None:
    databases = [Database(database_url, pool=PoolSize(2, 1)) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda db: identity(db, tmp_path), databases))
    for db in databases:
        db.close()

    assert len({(each.epoch, each.signing_key, each.receipt_key, each.admin_hash) for each in made}) == 1
    assert len([each for each in made if each.admin_token]) == 1
