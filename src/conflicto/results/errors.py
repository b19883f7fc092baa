"""Errors of requests for results.

DomainError
└── ResultsHidden   the results are not shown to this caller now
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class ResultsHidden(DomainError):
    """`results_visibility` closes them to this caller.

    Nothing was revealed, or the caller did not answer in this round.
    """

    code = "results-hidden"
    title = "The results are not shown to this caller now"
    kind = Kind.FORBIDDEN
