"""Checks of a whole database: schema, version, durability settings and integrity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pysqlite3.dbapi2 as driver
from sqlalchemy import text

from conflicto.platform.db.postgres import MIN_SERVER_VERSION
from conflicto.platform.db.schema import SCHEMA, revision
from conflicto.platform.db.sqlite import is_safe

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx

DURABLE_POSTGRES = {"synchronous_commit": {"on", "remote_apply"}, "fsync": {"on"}, "full_page_writes": {"on"}}
"""Server settings under which an acknowledged commit survives a power failure."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its name, whether it passed, and what was found."""

    name: str
    ok: bool
    detail: str


def run_checks(tx: ReadTx) -> list[CheckResult]:
    """Return the results of all checks; a large SQLite database takes minutes."""
    found = revision(tx.connection)
    schema = CheckResult("schema", found == SCHEMA, f"{found or 'none'}, this program needs {SCHEMA}")
    return [schema, *(_sqlite(tx) if tx.dialect == "sqlite" else _postgres(tx))]


def _sqlite(tx: ReadTx) -> list[CheckResult]:
    journal, level = tx.scalar(text("PRAGMA journal_mode")), tx.scalar(text("PRAGMA synchronous"))
    wrong = [row[0] for row in tx.all(text("PRAGMA integrity_check"))]
    return [
        CheckResult("version", is_safe(driver.sqlite_version_info), f"SQLite {driver.sqlite_version}"),
        CheckResult("durability", (journal, level) == ("wal", 2), f"journal_mode={journal} synchronous={level}"),
        CheckResult("integrity", wrong == ["ok"], "; ".join(wrong)),
    ]


def _postgres(tx: ReadTx) -> list[CheckResult]:
    version = str(tx.scalar(text("SHOW server_version")))
    number = int(tx.scalar(text("SHOW server_version_num")))
    settings = {name: str(tx.scalar(text(f"SHOW {name}"))) for name in DURABLE_POSTGRES}
    durable = all(settings[name] in wanted for name, wanted in DURABLE_POSTGRES.items())
    return [
        CheckResult("version", number >= MIN_SERVER_VERSION, f"PostgreSQL {version}"),
        CheckResult("durability", durable, " ".join(f"{name}={value}" for name, value in settings.items())),
    ]
