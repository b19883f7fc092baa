"""What the largest input that each route accepts costs: processor time in all, in one slice of the event loop, and memory that stays."""

import asyncio
import gc
import json
import time
import tracemalloc
from asyncio.events import Handle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from conflicto.access.roles import Role
from conflicto.app import App
from conflicto.platform.http.routes import Route
from tests.support.api import Event, Seat
from tests.support.walking import filled, fitting_body, walked

MAX_TOTAL_S = 0.05
MAX_SLICE_S = 0.005
MAX_KEPT_BYTES = 1_000_000

QUOTED = 'lang="' + "\\\\" * 4_000 + '"'
HEADERS = [
    (b"cookie", QUOTED.encode()), (b"accept-language", b"de;q=0.1," * 800), (b"accept-encoding", b"gzip;q=0," * 200),
    *((b"x-%d" % nth, b"y" * 50) for nth in range(80)),
]  # fmt: skip
"""Nearly the 32 KiB and the 100 fields that a head may have, with what once was quadratic."""

QUERIES = {
    "/sessions/{session_id}/nicknames/validate": "nickname=" + "%CC%80%CC%A7" * 60 + "&code={code}",
    "/sessions/{session_id}/activities/{activity_id}/responses": 'limit=1000&contains={{"a":[' + ",".join(["[]"] * 900) + "]}}",
    "/sessions": "limit=1000",
}  # fmt: skip
PAGE_QUERY = "&".join(["lang=%64e"] * 200)


def config(size: int) -> dict[str, Any]:
    """Return a config of a poll that fills so many bytes."""
    options = [{"id": f"o{nth}", "text": "ä" * 250} for nth in range(size // 550)]
    return {"question": "Q", "options": options, "multiple": False}


LARGE_BODIES = {
    "POST /api/v1/activity-types/{type}/validate": {"config": config(200_000)},
    "POST /api/v1/sessions/{session_id}/activities": {"type": "lunch", "config": config(200_000)},
    "PUT /api/v1/sessions/{session_id}/activities/{activity_id}": {"type": "lunch", "config": config(200_000)},
    "POST /api/v1/sessions/{session_id}/activities/{activity_id}/responses": {
        "response_data": {"text": ["e\u0300\u0327" * 600] * 4}
    },
}
"""Bodies near the largest, where a fitting body filled up with blanks would not be the dearest."""


@dataclass
class Cost:
    """Seconds of processor time and bytes that stayed."""

    total_s: float = 0.0
    slice_s: float = 0.0
    kept_bytes: int = 0
    status: int = 0


@dataclass
class Asking:
    """One request to an app in this process."""

    app: App
    scope: dict[str, Any]
    body: bytes = b""
    status: int = field(default=0, init=False)

    async def send(self) -> int:
        bodies = iter([self.body])

        async def receive() -> dict[str, Any]:
            body = next(bodies, None)
            if body is None:
                await asyncio.Event().wait()  # the caller stays until it has its answer
            return {"type": "http.request", "body": body, "more_body": False}

        async def take(message: dict[str, Any]) -> None:
            self.status = message.get("status", self.status)

        await self.app(dict(self.scope), receive, take)
        return self.status


def ids_of(event: Event, activity: dict[str, Any], seat: Seat, row: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in addresses; there is no such link."""
    return {
        "session_id": event.id, "activity_id": activity["id"], "participant_id": seat.id, "response_id": row["id"], "code": event.code,
        "timestamp": "0", "type": "poll", "link_id": row["id"],
    }  # fmt: skip


def askings(event: Event, seat: Seat, ids: dict[str, Any]) -> Iterator[tuple[Route, Asking]]:
    """Yield for every route and page, from the registry, the largest request that is accepted."""
    app = event.api.app
    tokens = {Role.ADMIN: event.api.admin, Role.HOST: event.host, Role.SCREEN: event.screen, Role.PARTICIPANT: seat.token}
    for route in [*walked(app.routes), *app.page_routes]:
        if route.method == "DELETE":
            continue  # they take no input, and what they delete is needed by the others
        role = Role.PARTICIPANT if Role.PARTICIPANT in route.who else max(route.who, default=None)
        yield route, _asking(app, route, tokens[role] if role else None, ids)


def _asking(app: App, route: Route, token: str | None, ids: dict[str, Any]) -> Asking:
    path = filled(route, **ids) if "{name:path}" not in route.path else f"/s/{app.pages._assets.build}/core.js"
    query = PAGE_QUERY if route.is_page else QUERIES.get(route.path.removeprefix("/api/v1"), "").format(**ids)
    headers = [*HEADERS, *([(b"authorization", f"Bearer {token}".encode())] if token else [])]
    body = b""
    if route.body is not None:
        body = json.dumps(LARGE_BODIES.get(route.name, fitting_body(route)), ensure_ascii=False).encode()
        body = body[:-1] + b" " * (route.body.max_bytes - len(body)) + body[-1:]
        headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http", "method": route.method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": headers, "client": ("192.0.2.1", 1), "scheme": "http", "http_version": "1.1", "extensions": {},
    }  # fmt: skip
    return Asking(app, scope, body)


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


async def costs_of(asking: Asking) -> Cost:
    """Ask twice, so that nothing is made for the first time, then measure the third; the least of three counts."""
    for _ in range(2):
        await asking.send()
    cost = Cost(total_s=1.0, slice_s=1.0)
    for _ in range(3):
        with slices() as took:
            began = time.process_time()
            cost.status = await asyncio.ensure_future(asking.send())
            cost.total_s = min(cost.total_s, time.process_time() - began)
        cost.slice_s = min(cost.slice_s, max(took))
    return cost


async def kept_by(asking: Asking) -> Cost:
    """Ask twice, then measure what the third leaves in memory."""
    for _ in range(2):
        await asking.send()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        status = await asking.send()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Cost(kept_bytes=after - before, status=status)
