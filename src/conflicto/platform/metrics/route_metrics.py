"""As what requests are told beside `conflicto_requests_total`: polls, responses and activities, by what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.registry import RouteMetric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.http.routes import Route

SAFE_METHODS = frozenset({"GET", "HEAD"})


def route_metrics(routes: Iterable[Route]) -> dict[str, RouteMetric]:
    """Return for routes, by name, as what they are told; most are told as nothing else."""
    return {route.name: told for route in routes if (told := _route_metric(route))}


def _route_metric(route: Route) -> RouteMetric | None:
    asked = getattr(route.endpoint, "__name__", route.path)
    if route.tag == "polling" and route.method == "GET":
        return RouteMetric(definitions.POLLS, asked)
    if route.tag == "responses" and route.method not in SAFE_METHODS:
        return RouteMetric(definitions.RESPONSES, asked)
    return RouteMetric(definitions.ACTIVITIES, asked) if route.tag == "activities" else None
