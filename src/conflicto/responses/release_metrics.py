"""Metrics of requests with anonymous responses, counted at the release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from conflicto.responses.commands.submit import CREATED, REPLACED
from conflicto.responses.events import ResponsesPooled

if TYPE_CHECKING:
    from conflicto.platform.event_bus import EventBus
    from conflicto.platform.metrics.deferred_requests import DeferredRequests

log = structlog.get_logger(__name__)


class ReleaseMetrics:
    """Records releases by this process in metrics, and in the access log if it is on.

    `route` is the route of submissions.
    """

    def __init__(self, deferred: DeferredRequests, route: str, *, access_log: bool) -> None:
        self._deferred = deferred
        self._route = route
        self._access_log = access_log

    def subscribe(self, bus: EventBus) -> None:
        """Record every release of this process."""
        bus.subscribe(ResponsesPooled, self.record)

    def record(self, event: ResponsesPooled) -> None:
        """Record the numbers of released responses, without author or session."""
        if any(event.released):
            for status, amount in zip((CREATED, REPLACED), event.released, strict=True):
                self._deferred.release(self._route, "POST", status, amount)
            if self._access_log:
                log.info("answers-released", method="POST", route=self._route, answers=sum(event.released))
