"""List the subscribers of events, in the order in which handlers of one event run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conflicto.activities import subscriptions as activity_subscriptions
from conflicto.platform.metrics.commit_metrics import CommitMetrics
from conflicto.responses import subscriptions as response_subscriptions
from conflicto.responses.http import SUBMIT_ROUTE
from conflicto.responses.release_metrics import ReleaseMetrics

if TYPE_CHECKING:
    from conflicto.app.services import Services
    from conflicto.platform.event_bus import EventBus


class EventSubscriber(Protocol):
    """A service that follows events."""

    def subscribe(self, bus: EventBus) -> None:
        """Subscribe to the events that the service follows."""


def subscribe_all(services: Services) -> None:
    """Subscribe every service. Session state comes first: all others may read it."""
    platform, domain, _ = services
    activity_subscriptions.subscribe(platform.bus)
    response_subscriptions.subscribe(platform.bus)
    subscribers: tuple[EventSubscriber, ...] = (
        domain.sessions,
        domain.worker_sync,
        *([domain.peers] if domain.peers else []),
        CommitMetrics(platform.metrics, platform.clock),
        ReleaseMetrics(platform.metrics.deferred, SUBMIT_ROUTE, access_log=platform.settings.access_log),
        domain.expiry,
        domain.releases,
        domain.purger,
        domain.exports,
        domain.validator,
    )
    for subscriber in subscribers:
        subscriber.subscribe(platform.bus)
