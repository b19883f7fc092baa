"""A copy of the whole database while it is in use: complete and checked before it gets its name, and readable by its owner alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pysqlite3.dbapi2 as driver

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx


class BackupFailed(RuntimeError):
    """There is no copy, and nothing that was there before has been touched."""


def back_up(db: Database, target: Path) -> None:
    """Write a copy to `target`, which is replaced only once the copy is whole, checked and on the disk.

    SQLite: a database file, by the online backup API, of one snapshot. PostgreSQL: an archive for `pg_restore`, made by `pg_dump`.

    Raises:
        BackupFailed: says why.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if db.dialect == "sqlite":
            db.query(_copy, partial)
        else:
            _dump(db.url, partial)
        _sync(partial)
        partial.replace(target)
        _sync(target.parent)
    except (OSError, driver.Error) as error:
        raise BackupFailed(f"{target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(tx: ReadTx, partial: Path) -> None:
    """Copy this transaction's snapshot; writers go on meanwhile. The copy is one file: it leaves WAL mode until a server opens it."""
    source = tx.connection.connection.driver_connection
    with closing(driver.connect(str(partial))) as copy:
        source.backup(copy)  # type: ignore[union-attr]
        copy.execute("PRAGMA journal_mode=DELETE").close()
        found = [row[0] for row in copy.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise BackupFailed(f"The copy is damaged, and so, it seems, is the database: {'; '.join(found)}")


def _dump(url: URL, partial: Path) -> None:
    """Run `pg_dump` and let `pg_restore` read what it wrote; the password goes by the environment, where `ps` does not show it."""
    if shutil.which("pg_dump") is None:
        raise BackupFailed("pg_dump is not on PATH. Install the client tools of PostgreSQL, of the server's version or newer.")
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    _run(["pg_dump", "--format=custom", f"--file={partial}", f"--dbname={address}", "--no-password"], password)
    if shutil.which("pg_restore"):
        _run(["pg_restore", "--list", str(partial)], {})


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)  # noqa: S603 - two fixed programs
    if done.returncode:
        raise BackupFailed(f"{command[0]} failed: {done.stderr.strip()}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
