"""All declared routes of the app, with parameters and bodies for generated tests."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from conflicto.platform.http.routes import PREFIX, Route

STREAMS = {"/sessions/{session_id}/events"}
"""Responses that do not end; the tests of streams cover them."""

UNKNOWN_FIELD = {"unknown-field": 1}
"""A body that every route refuses after authorisation and before any effect."""

NO_BODY: dict[str, Any] = {}
BODIES: dict[str, Any] = {
    "POST /sessions": {"title": "T"},
    "PUT /sessions/{session_id}": {"title": "T"},
    "PATCH /sessions/{session_id}": {"title": "T"},
    "POST /sessions/{session_id}/tokens": {"role": "host"},
    "POST /sessions/{session_id}/links": {"scope": "host"},
    "PATCH /sessions/{session_id}/links/{link_id}": {"name": "N"},
    "POST /sessions/{session_id}/lock": {"locked": True},
    "POST /sessions/{session_id}/overlay": {"overlay": "join"},
    "POST /sessions/{session_id}/duplicate": {"title": "T"},
    "POST /sessions/{session_id}/join": {"nickname": "N", "code": "BCDF-GHJK"},
    "POST /join": {"nickname": "N", "code": "BCDF-GHJK"},
    "PATCH /participants/me": {"nickname": "N"},
    "PATCH /participants/{participant_id}": {"nickname": "N"},
    "POST /seats/redeem": {"seat_token": "x"},
    "POST /sessions/{session_id}/participants/remove": {"name_contains": "N", "preview": True},
    "POST /sessions/{session_id}/activities": {"type": "lunch"},
    "POST /activity-types/{type}/validate": {"config": {}},
    "POST /sessions/{session_id}/rehearsal": {"participants": 1},
    "POST /sessions/{session_id}/show": {"activity_id": None},
    "POST /sessions/{session_id}/activity-types": {"pack": "UEsDBA=="},
    "POST /sessions/{session_id}/view-faults": {
        "type": "poll",
        "version": "1",
        "view": "participant",
        "error": "TypeError",
        "file": "participant.js",
    },
}
OF_ACTIVITY: dict[str, Any] = {
    "PUT ": {"type": "lunch"},
    "PATCH ": {"title": "T"},
    "POST /transition": {"target_status": "published"},
    "PATCH /status": {"status": "published"},
    "POST /extend": {"seconds": 1},
    "POST /reveal": {"results": True},
    "POST /rounds": {"reason": "R"},
    "POST /focus": {"response_id": None},
    "POST /responses": {"response_data": 1},
    "PUT /responses/{response_id}": {"response_data": 1},
    "PATCH /responses/{response_id}": {"moderation": "hidden"},
}
"""Valid bodies, so that refusals concern the object. Routes below an activity are keyed by the
rest of their path."""


def below_prefix(route: Route) -> str:
    return route.path.removeprefix(PREFIX)


def fitting_body(route: Route) -> Any:
    """Return a valid body of a route, or None if it takes none. A new route must get one here."""
    if route.body is None:
        return None
    path = below_prefix(route)
    if "{activity_id}" in path:
        return OF_ACTIVITY[f"{route.method} {path.rpartition('{activity_id}')[2]}"]
    return BODIES[f"{route.method} {path}"]


def has(route: Route, name: str) -> bool:
    return "{" + name + "}" in route.path


def filled(route: Route, **ids: Any) -> str:
    """Return the route's URL with these ids; `code` is a join code or a problem code."""
    if route.path.startswith("/problems/"):
        ids["code"] = "not-found"
    return re.sub(r"{(\w+)}", lambda match: str(ids[match[1]]), route.path)


def addresses(route: Route, known: dict[str, list[Any]]) -> Iterator[str]:
    """Yield the route's URLs with every combination of the known values."""
    names = re.findall(r"{(\w+)}", route.path)
    for values in product(*(known[name] for name in names)):
        yield filled(route, **dict(zip(names, values, strict=True)))


def walked(routes: list[Route]) -> list[Route]:
    """Return the routes of the contract whose responses end."""
    return [route for route in routes if below_prefix(route) not in STREAMS]
