"""The API for tests: a client that validates each response against the OpenAPI document.

Every cached response is also compared with the response of the slow path.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import httpx2
import pytest

from conflicto.app import App
from tests.support.audit import Audited
from tests.support.patience import PATIENCE_S

PREFIX = "/api/v1"
METRICS_TOKEN = "the-prometheus-of-the-tests"


class Api:
    """A client for an app in this process.

    Undocumented statuses and malformed problems fail the test at once.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.admin = app.platform.identity.admin_token
        self.audited = Audited(app)
        served = app if app.platform.settings.rate_limits else self.audited
        self.base = "http://testserver"
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served), base_url=self.base)

    @cached_property
    def document(self) -> dict[str, Any]:
        return document_of(self.app)

    def over(self, port: int) -> None:
        """Send all further requests over a socket."""
        self.base = f"http://127.0.0.1:{port}"
        self.http = httpx2.AsyncClient(base_url=self.base, trust_env=False, timeout=PATIENCE_S)

    async def request(
        self, method: str, path: str, *, token: str | None = None, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> httpx2.Response:
        sent = dict(headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        full = path if path.startswith(("/health", "/metrics", "/problems", "/.well-known", PREFIX)) else PREFIX + path
        answer = await self.http.request(method, _url(self.base, full), headers=sent, **kwargs)
        self._check(method, full.partition("?")[0], answer)
        return answer

    async def get(self, path: str, token: str | None = None, **kwargs: Any) -> httpx2.Response:
        return await self.request("GET", path, token=token, **kwargs)

    async def post(self, path: str, json: Any = None, token: str | None = None, **kwargs: Any) -> httpx2.Response:
        return await self.request("POST", path, token=token, **({"json": json} if json is not None else {}), **kwargs)

    async def patch(self, path: str, json: Any, token: str | None = None, **kwargs: Any) -> httpx2.Response:
        return await self.request("PATCH", path, json=json, token=token, **kwargs)

    async def put(self, path: str, json: Any, token: str | None = None, **kwargs: Any) -> httpx2.Response:
        return await self.request("PUT", path, json=json, token=token, **kwargs)

    async def delete(self, path: str, token: str | None = None, **kwargs: Any) -> httpx2.Response:
        return await self.request("DELETE", path, token=token, **kwargs)

    def _check(self, method: str, path: str, answer: httpx2.Response) -> None:
        names = Counter(name for name, _ in answer.headers.multi_items())
        assert [name for name, times in names.items() if times > 1] == []
        if answer.status_code >= 400:
            problem = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(problem)
            assert problem["server"] == self.app.platform.identity.issuer
            assert problem["status"] == answer.status_code
        route = next((each for each in self.app.edge.routes if each.method == method and _fits(each.path, path)), None)
        if route is not None:
            documented = self.document["paths"][route.path][method.lower()]["responses"]
            general = {400, 401, 403, 404, 405, 413, 415, 422, 429}
            assert str(answer.status_code) in documented or answer.status_code in general, (
                route.name,
                answer.status_code,
                answer.text,
            )


def document_of(app: App) -> dict[str, Any]:
    """Return the shared OpenAPI document.

    Tests with the same routes share it: do not change it.
    """
    return app.edge.api_document.content


@lru_cache(4096)
def _url(base: str, path: str) -> httpx2.URL:
    """Return a parsed URL, cached.

    The client would parse it twice, which takes as long as a short response.
    """
    return httpx2.URL(base + path)


def _fits(template: str, path: str) -> bool:
    return _pattern(template).fullmatch(path) is not None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", template))


@dataclass
class Seat:
    id: int
    token: str
    nickname: str


@dataclass
class Event:
    """A session under test, with its host and screen tokens and short methods for common steps."""

    api: Api
    id: int
    code: str
    host: str
    screen: str

    @property
    def path(self) -> str:
        return f"/sessions/{self.id}"

    async def open(self) -> "Event":
        answer = await self.api.patch(self.path, {"status": "active"}, token=self.host)
        assert answer.status_code == 200, answer.text
        return self

    async def activity(self, **fields: Any) -> dict[str, Any]:
        answer = await self.api.post(f"{self.path}/activities", {"type": "lunch", **fields}, token=self.host)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def join(self, nickname: str = "Anna") -> Seat:
        answer = await self.api.post(f"{self.path}/join", {"nickname": nickname, "code": self.code})
        assert answer.status_code == 201, answer.text
        body = answer.json()
        return Seat(body["participant_id"], body["participant_token"], body["nickname"])

    async def exported(self, query: str = "") -> str:
        """Return the id of an export job whose file is ready."""
        path, prefer = f"{self.path}/export{query}", {"prefer": "respond-async"}
        job = (await self.api.get(path, self.host, headers=prefer)).json()
        while job["status"] == "running":
            await asyncio.sleep(0.02)
            job = (await self.api.get(f"{self.path}/exports/{job['id']}", self.host)).json()
        assert job["status"] == "ready", job
        return job["id"]

    async def answer(self, activity: dict[str, Any], seat: Seat, data: Any, **kwargs: Any) -> httpx2.Response:
        path = f"{self.path}/activities/{activity['id']}/responses"
        return await self.api.post(path, {"response_data": data}, token=seat.token, **kwargs)

    async def move(self, activity: dict[str, Any], status: str, **fields: Any) -> httpx2.Response:
        path = f"{self.path}/activities/{activity['id']}/transition"
        return await self.api.post(path, {"target_status": status, **fields}, token=self.host)


async def make_event(api: Api, *, active: bool = True, **fields: Any) -> Event:
    """Create a session, active unless `active` is false."""
    answer = await api.post("/sessions", {"title": "Town hall", **fields}, token=api.admin)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    event = Event(api, body["id"], body["join_code"], body["host_token"], body["screen_token"])
    return await event.open() if active else event


@asynccontextmanager
async def cold(app: App, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """Yield a new app on the same database, with empty caches."""
    with monkeypatch.context() as patch:
        patch.setattr("conflicto.session_state.state.MAX_LOADED_ROWS", -1)
        patch.setattr("conflicto.responses.recent_responses.MAX_LOADED_ROWS", -1)
        async with App(app.platform.settings, clock=app.platform.clock).running() as running:
            api = Api(running)
            yield api
            await api.http.aclose()
