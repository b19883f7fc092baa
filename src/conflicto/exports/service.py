"""Service of exports: the writer and the jobs of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.exports.folder import JobFolder
from conflicto.exports.jobs import ExportJobs
from conflicto.exports.writer import ExportWriter

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.activity_types.registry import Registry
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database


class Exports:
    """The writer of this process, and the jobs that all processes of a machine share."""

    def __init__(self, db: Database, types: Registry, path: Path, clock: Clock) -> None:
        folder = JobFolder(path, clock)
        self.writer = ExportWriter(db, types, folder, clock)
        self.jobs = ExportJobs(db, folder)

    async def run(self) -> None:
        """Sweep jobs until cancelled, then remove the files of this process."""
        try:
            await self.jobs.run()
        finally:
            await self.writer.remove_files()
