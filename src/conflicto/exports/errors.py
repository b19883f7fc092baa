"""Problems of exports.

DomainError
├── ExportBusy       another export is being written.
├── ExportUnknown    this server has no such job.
├── ExportNotReady   the file is not complete yet.
└── ExportFailed     the job has failed.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class ExportBusy(DomainError):
    """The server writes one export at a time, so that it stays responsive.

    Try again after `Retry-After` seconds.
    """

    code = "export-busy"
    title = "Another export is being written"
    kind = Kind.TOO_MANY


class ExportUnknown(DomainError):
    """The job has expired or was deleted, or another server writes it. Request the export again."""

    code = "export-unknown"
    title = "This server has no such export"
    kind = Kind.MISSING


class ExportNotReady(DomainError):
    """Read the job until its `status` is `ready`."""

    code = "export-not-ready"
    title = "The export is still being written"
    kind = Kind.CONFLICT


class ExportFailed(DomainError):
    """The file was not finished, or an object in it was deleted since.

    `detail` states the reason. Request the export again.
    """

    code = "export-failed"
    title = "The export has failed"
    kind = Kind.GONE
