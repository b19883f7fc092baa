"""Checks of a whole database: its schema, and what its dialect checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.db.dialects.dialect import CheckResult
from conflicto.platform.db.schema import SCHEMA, revision

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx


def run_checks(tx: ReadTx) -> list[CheckResult]:
    """Return the results of all checks; a large SQLite database takes minutes."""
    found = revision(tx.connection)
    schema = CheckResult("schema", found == SCHEMA, f"{found or 'none'}, this program needs {SCHEMA}")
    return [schema, *tx.dialect.maintenance.checks(tx)]
