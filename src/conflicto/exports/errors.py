"""What can be wrong with an export.

DomainError
└── ExportBusy   another one is being written
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class ExportBusy(DomainError):
    """This server writes one export at a time, so that answering stays quick. Come back after `Retry-After` seconds."""

    code = "export-busy"
    title = "Another export is being written"
    kind = Kind.TOO_MANY
