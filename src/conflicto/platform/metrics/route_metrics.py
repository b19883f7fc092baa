"""Metrics of single routes: polls, responses and activities by action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.registry import RouteMetric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.http.routes import Route

SAFE_METHODS = frozenset({"GET", "HEAD"})


def route_metrics(routes: Iterable[Route]) -> dict[str, RouteMetric]:
    """Return the metric of each route that has one, by the route's name; most routes have none."""
    return {route.name: metric for route in routes if (metric := _route_metric(route))}


def _route_metric(route: Route) -> RouteMetric | None:
    action = getattr(route.endpoint, "__name__", route.path)
    if route.tag == "polling" and route.method == "GET":
        return RouteMetric(definitions.POLLS, action)
    if route.tag == "responses" and route.method not in SAFE_METHODS:
        return RouteMetric(definitions.RESPONSES, action)
    return RouteMetric(definitions.ACTIVITIES, action) if route.tag == "activities" else None
