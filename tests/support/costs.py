"""Costs of the largest accepted input of each route.

Measured are processor time in all, processor time in one slice of the event loop, and retained
memory.
"""

import asyncio
import base64
import gc
import json
import time
import tracemalloc
from asyncio.events import Handle
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from conflicto.access.roles import Role
from conflicto.activity_types.packs.packing import Packed, pack_folder
from conflicto.app import App
from conflicto.platform.http.routes import Route
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.walking import STREAMS, below_prefix, filled, fitting_body, has

MAX_TOTAL_S = 0.05
MAX_SLICE_S = 0.005
MAX_KEPT_BYTES = 1_000_000

QUOTED = 'lang="' + "\\\\" * 4_000 + '"'
HEADERS = [
    (b"cookie", QUOTED.encode()), (b"accept-language", b"de;q=0.1," * 800), (b"accept-encoding", b"gzip;q=0," * 200),
    *((b"x-%d" % number, b"y" * 50) for number in range(80)),
]  # fmt: skip
"""Headers near the limits of 32 KiB and 100 fields, with values that once took quadratic time."""

ACTIVITY = "/sessions/{session_id}/activities/{activity_id}"
QUERIES = {
    "GET /sessions/{session_id}/nicknames/validate": "nickname=" + "a%CC%80%CC%A7%CC%80" * 8 + "&code={code}",
    f"GET {ACTIVITY}/responses": "limit=1000&contains=" + "[" * 31 + "%22" + "x" * 1_900 + "%22" + "]" * 31,
    "GET /sessions": "limit=1000",
    "GET /sessions/{session_id}/participants": "limit=1000",
    "GET /sessions/{session_id}/transitions": "limit=1000",
    f"GET {ACTIVITY}/responses/since/{{timestamp}}": "limit=1000",
    "GET /sessions/{session_id}/changes/since/{timestamp}": "limit=1000",
}
PAGE_QUERY = "&".join(["lang=%64e"] * 100)

SESSION_TYPES = "POST /sessions/{session_id}/activity-types"
REMOVED_TYPE = "DELETE /sessions/{session_id}/activity-types/{type}"
SETTINGS = {"session_types_mb": 1}
"""Settings that open routes which are off by default."""

AS_HOST = {"GET /sessions/{session_id}/names", f"GET {ACTIVITY}/results", f"GET {ACTIVITY}/responses"}
"""Routes for several roles that a host may call in any state."""


def config(size: int) -> dict[str, Any]:
    """Return a config of a poll that fills `size` bytes."""
    options = [{"id": f"o{number}", "text": "ä" * 250} for number in range(size // 550)]
    return {"question": "Q", "options": options, "multiple": False}


def large_bodies(scene: "Scene") -> dict[str, Any]:
    """Return bodies near the maximum for routes whose costliest body needs a special shape.

    Elsewhere a valid body is padded with blanks.
    """
    name = "e\u0300\u0327\u0300" * 8
    answer = {"response_data": {"text": ["e\u0300\u0327" * 600] * 4}}
    activity = {"type": "lunch", "config": config(200_000)}
    return {
        "POST /activity-types/{type}/validate": {"config": config(200_000)},
        SESSION_TYPES: {"pack": base64.b64encode(packed_type().body).decode()},
        "POST /sessions/{session_id}/activities": activity,
        f"PUT {ACTIVITY}": activity,
        "PUT /activities/{activity_id}": activity,
        f"PATCH {ACTIVITY}": {"config": config(200_000)},
        f"POST {ACTIVITY}/responses": answer,
        f"PUT {ACTIVITY}/responses/{{response_id}}": answer,
        "POST /sessions/{session_id}/join": {"nickname": name, "code": scene.event.code},
        "POST /join": {"nickname": name, "code": scene.event.code},
        "PATCH /participants/me": {"nickname": name},
        "PATCH /participants/{participant_id}": {"nickname": name},
        "POST /seats/redeem": {"seat_token": scene.seat_link},
    }


@cache
def packed_type() -> Packed:
    """Return the pack of an example type."""
    return pack_folder(Path(__file__).parents[2] / "examples/types/points")


@dataclass
class Cost:
    """Processor time in seconds, and retained memory in bytes."""

    total_s: float = 0.0
    slice_s: float = 0.0
    kept_bytes: int = 0
    status: int = 0


@dataclass
class PreparedRequest:
    """Send one request to an app in this process; a stream is closed after its first part."""

    app: App
    scope: dict[str, Any]
    body: bytes = b""
    is_stream: bool = False
    status: int = field(default=0, init=False)

    async def send(self) -> int:
        bodies, has_part = iter([self.body]), asyncio.Event()

        async def receive() -> dict[str, Any]:
            body = next(bodies, None)
            if body is None or self.is_stream:
                await has_part.wait()  # the caller stays connected until the response
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": body, "more_body": False}

        async def take(message: dict[str, Any]) -> None:
            self.status = message.get("status", self.status)
            if self.is_stream and message.get("body"):
                has_part.set()

        await self.app(dict(self.scope), receive, take)
        return self.status


@dataclass
class Scene:
    """A session with work for every route: activities, a response, a seat and links."""

    event: Event
    poll: dict[str, Any]
    draft: dict[str, Any]
    seat: Seat
    row: dict[str, Any]
    seat_link: str
    link_id: str
    export_id: str = ""

    def ids(self, route: Route) -> dict[str, Any]:
        """Return the parameters of a route's path."""
        is_of_drafts = route.method in CHANGING and below_prefix(route).removeprefix("/sessions/{session_id}") in OF_DRAFTS
        activity = self.draft if is_of_drafts else self.poll
        return {
            "session_id": self.event.id, "activity_id": activity["id"], "participant_id": self.seat.id, "response_id": self.row["id"],
            "code": self.event.code, "timestamp": "0", "type": self.type_name(route), "link_id": self.link_id, "export_id": self.export_id,
        }  # fmt: skip

    @staticmethod
    def type_name(route: Route) -> str:
        """Return a type of the server, or the one that a session had installed."""
        return "points" if f"{route.method} {below_prefix(route)}" == REMOVED_TYPE else "poll"


CHANGING = {"POST", "PUT", "PATCH"}
OF_DRAFTS = {"/activities/{activity_id}", "/activities/{activity_id}/transition", "/activities/{activity_id}/status"}


async def scene(api: Api) -> Scene:
    """Create a session for one changing request, or for many reads."""
    event = await make_event(api)
    draft = await event.activity()
    poll = await event.activity(
        status="active",
        response_policy="many",
        responses_visibility="participants",
        results_visibility="always",
        moderation="after",
        duration_seconds=600,
    )
    seat = await event.join()
    row = accepted(await event.answer(poll, seat, 1), 201)
    seat_link = accepted(await api.post("/participants/me/seat-link", token=seat.token), 201)["seat_token"]
    link = accepted(await api.post(f"{event.path}/links", {"scope": "host", "name": "N"}, token=event.host), 201)
    return Scene(event, poll, draft, seat, row, seat_link, link["id"])


Prepare = Callable[[], Awaitable[PreparedRequest]]


async def prepared_requests(api: Api) -> AsyncIterator[tuple[Route, Prepare]]:
    """Yield the setup of the largest accepted request for every route and page.

    Reads share a session, so that its caches are warm. Each change gets its own session.
    """
    shared = await scene(api)
    for route in [*api.app.edge.routes, *api.app.edge.page_routes]:
        yield route, partial(_prepared, api, route, shared if route.method == "GET" else None)


async def _prepared(api: Api, route: Route, shared: Scene | None) -> PreparedRequest:
    known = shared or await scene(api)
    name = f"{route.method} {below_prefix(route)}"
    if has(route, "export_id"):
        known.export_id = await known.event.exported()
    if name == REMOVED_TYPE:
        path, body = f"{known.event.path}/activity-types", large_bodies(known)[SESSION_TYPES]
        accepted(await api.post(path, body | {"sha256": packed_type().sha256}, token=known.event.host), 201)
    tokens = {
        Role.ADMIN: api.admin, Role.HOST: known.event.host, Role.SCREEN: known.event.screen, Role.PARTICIPANT: known.seat.token,
    }  # fmt: skip
    role = Role.PARTICIPANT if Role.PARTICIPANT in route.roles else max(tokens.keys() & route.roles, default=None)
    if name in AS_HOST and role is not None:
        role = Role.HOST
    return _prepared_request(api.app, route, tokens[role] if role else None, known)


def _prepared_request(app: App, route: Route, token: str | None, known: Scene) -> PreparedRequest:
    ids, name = known.ids(route), f"{route.method} {below_prefix(route)}"
    path = filled(route, **ids) if "{name:path}" not in route.path else f"/s/{app.edge.pages._assets.build}/sdk/v1.js"
    query = PAGE_QUERY if route.is_page else QUERIES.get(name, "").replace("{code}", known.event.code)
    headers = [*HEADERS, *([(b"authorization", f"Bearer {token}".encode())] if token else [])]
    body = b""
    if route.body is not None:
        body = json.dumps(large_bodies(known).get(name, fitting_body(route)), ensure_ascii=False).encode()
        body = body[:-1] + b" " * (route.body.max_bytes - len(body)) + body[-1:]
        headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http", "method": route.method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": headers, "client": ("192.0.2.1", 1), "scheme": "http", "http_version": "1.1", "extensions": {},
    }  # fmt: skip
    return PreparedRequest(app, scope, body, is_stream=below_prefix(route) in STREAMS)


@contextmanager
def slices() -> Iterator[list[float]]:
    """Measure the processor time of each callback that the event loop runs."""
    took: list[float] = []
    run = Handle._run

    def measured(handle: Handle) -> None:
        began = time.thread_time()
        run(handle)
        took.append(time.thread_time() - began)

    Handle._run = measured  # type: ignore[method-assign]
    try:
        yield took
    finally:
        Handle._run = run  # type: ignore[method-assign]


async def costs_of(prepare: Prepare) -> Cost:
    """Send a request once to warm up, then measure; return the least of three measurements."""
    await (await prepare()).send()
    cost = Cost(total_s=1.0, slice_s=1.0)
    for _ in range(3):
        request = await prepare()
        with slices() as took:
            began = time.process_time()
            cost.status = await asyncio.ensure_future(request.send())
            cost.total_s = min(cost.total_s, time.process_time() - began)
        cost.slice_s = min(cost.slice_s, max(took))
    return cost


async def kept_by(prepare: Prepare) -> Cost:
    """Send a request once, then measure the memory that the next one retains."""
    await (await prepare()).send()
    request = await prepare()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        status = await request.send()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Cost(kept_bytes=after - before, status=status)
