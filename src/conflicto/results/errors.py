"""Errors of requests for results.

DomainError
└── ResultsHidden   the results are not shown to this caller now
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class ResultsHidden(DomainError):
    """The activity's `results_visibility` hides them from this caller.

    They are not revealed, or the caller has no response in this round.
    """

    code = "results-hidden"
    title = "The results are not shown to this caller now"
    kind = Kind.FORBIDDEN
