"""Online backup of the whole database: one snapshot, in the format of `archive.py`.

It takes no lock that blocks a writer. The file gets its name only after it was completed, verified
and synced to disk. Only its owner may read it.
"""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from conflicto import __version__
from conflicto.platform.db.archive import ArchiveInvalid, ArchiveWriter, Header, Section, open_archive
from conflicto.platform.db.metadata import EPOCH
from conflicto.platform.db.schema import SCHEMA
from conflicto.platform.db.tables import metadata_obj, metadata_table, value_kind
from conflicto.platform.files import sync_directory
from conflicto.platform.instants import rfc3339
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx


class BackupFailed(RuntimeError):
    """No copy was made; existing files are untouched."""


def back_up(db: Database, target: Path, clock: Clock, *, extra_metadata: Mapping[str, str]) -> dict[str, int]:
    """Write an archive to `target`, replaced once the new one is complete; returns rows per table.

    `extra_metadata` is added to the database's own metadata.

    Raises:
        BackupFailed: the text gives the reason.
    """
    unfinished = target.with_name(f"{target.name}.partial")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            rows = db.query(_write_archive, file, clock, extra_metadata)
            file.flush()
            os.fsync(file.fileno())
        with open_archive(unfinished):
            unfinished.replace(target)
        sync_directory(target.parent)
    except (OSError, ArchiveInvalid, DBAPIError, db.dialect.driver_error, Unavailable) as error:
        raise BackupFailed(f"{target}: {error.__cause__ or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def _write_archive(tx: ReadTx, file: BinaryIO, clock: Clock, extra_metadata: Mapping[str, str]) -> dict[str, int]:
    maintenance = tx.dialect.maintenance
    maintenance.allow_pauses(tx.connection)
    if damage := maintenance.find_damage(tx):
        raise BackupFailed(f"The database is damaged, and a copy of it would be damaged too: {'; '.join(damage)}")
    made_us = tx.dialect.now_us(tx.connection, clock)
    epoch = tx.scalar(select(metadata_table.c.value).where(metadata_table.c.key == EPOCH))
    archive = ArchiveWriter(file, Header(SCHEMA, made_us, rfc3339(made_us), __version__, tx.dialect.name, epoch))
    for table in metadata_obj.sorted_tables:
        columns = list(table.columns)
        section = Section(str(table.name), tuple(str(column.name) for column in columns), tuple(map(value_kind, columns)))
        added = extra_metadata.items() if table is metadata_table else ()
        archive.section(section, chain(maintenance.stored_rows(tx, table, section.kinds), added))
    return archive.finish()
