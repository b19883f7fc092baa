"""Timeout of tests for events that must come, and deadlines of the program that no test reaches.

They measure nothing: a busy machine may take long, and no passing test waits for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.db.timeouts import Timeouts

if TYPE_CHECKING:
    import pytest

PATIENCE_S = 180.0

PATIENT = Timeouts(*[PATIENCE_S] * len(Timeouts.__slots__))


def lift_deadlines(patch: pytest.MonkeyPatch) -> None:
    """Lift the deadlines of the program in this process, which a busy machine would miss.

    Tests of a deadline set it themselves, or are marked `timed`.
    """
    patch.setattr("conflicto.platform.db.engine.Timeouts", lambda: PATIENT)
    for name in LIFTED:
        patch.setattr(f"conflicto.{name}", PATIENCE_S)


LIFTED = (
    "exports.http.MAX_WAIT_S",
    "joining.http.MAX_JOIN_WAIT_S",
    "platform.db.writer.MAX_WAIT_S",
    "platform.http.health.PROBE_TIMEOUT_S",
    "platform.http.server.deadlines.MAX_BODY_S",
    "platform.http.server.deadlines.MAX_HEAD_S",
    "platform.http.server.deadlines.MAX_STALL_S",
    "platform.limits.shared_buckets.MAX_WAIT_S",
    "platform.redis.DEADLINE_S",
    "results.loading_tally.MAX_WAIT_S",
)
"""Deadlines and longest waits of requests, commands, bodies and Redis."""
