"""As what requests are told beside `conflicto_requests_total`: polls, responses and activities, by what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.metrics import names
from conflicto.platform.metrics.counting import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.http.routes import Route

READING = frozenset({"GET", "HEAD"})


def shown(routes: Iterable[Route]) -> dict[str, Shown]:
    """Return for routes, by name, as what they are told; most are told as nothing else."""
    return {route.name: told for route in routes if (told := _shown(route))}


def _shown(route: Route) -> Shown | None:
    asked = getattr(route.endpoint, "__name__", route.path)
    if route.tag == "polling" and route.method == "GET":
        return Shown(names.POLLS, asked)
    if route.tag == "responses" and route.method not in READING:
        return Shown(names.RESPONSES, asked)
    return Shown(names.ACTIVITIES, asked) if route.tag == "activities" else None
