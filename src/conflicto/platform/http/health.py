"""Endpoints for operators: liveness, readiness, metrics, problem types and the OpenAPI document."""

from __future__ import annotations

import asyncio
from inspect import getdoc
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

from conflicto.platform.db.schema import SCHEMA, revision
from conflicto.platform.http.messages import JSON_HEADER, NO_STORE, Response, encode, json_response
from conflicto.platform.http.paging import example
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.http.routes import PREFIX, Docs, Route, route
from conflicto.platform.limits.bucket import LimitScope, Policy
from conflicto.platform.problems import DomainError, Kind, NotFound, Overloaded, Unavailable, registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx, WriteTx
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.http.messages import Request
    from conflicto.platform.http.openapi.document import ApiDocument
    from conflicto.platform.metrics.exposition import MetricsExposition

OPERATOR = Policy("operator", 600, 60)

DOCUMENTS = Policy("documents", 6_000, 60, scope=LimitScope.SERVER)
"""Policy of documents about the API. The longest has 300 KB, and client authors read it once."""

READY_CACHE_S = 1.0
"""Time for which a successful check counts. Probes come every few seconds, floods more often."""

PROBE_TIMEOUT_S = 2.0
"""Longest wait for the commit, and for a reader: less than the usual timeouts of probes."""

RETRY_AFTER_S = 1

UNUSED, UP, AWAY = "unused", "up", "away"
"""States of Redis."""


class NotReady(DomainError):
    """The server cannot commit or cannot read.

    `dependency` names the cause: `database`, `schema`, `writer` (its queue is full), or `readers`
    (all are busy or stuck). `reason` is `damaged` if the server found a damaged or unreadable page
    of SQLite's file since its start. Requests that do not need such a page still work.
    """

    code = "not-ready"
    title = "The server is not ready"
    kind = Kind.UNAVAILABLE


class Live(BaseModel):
    """The process is alive."""

    model_config = example(status="live")

    status: str


class Ready(BaseModel):
    """The process can commit. `durability` is the database's setting for commits.

    `status` is `ready`, or `degraded` if Redis is away. `redis` is `unused`, `up` or `away`.
    `warnings` name faults that do not stop the server, such as `activity-type-rejected: mood`.
    """

    model_config = example(
        status="ready", database="sqlite", version="3.53.4", durability="synchronous=FULL", schema_revision=SCHEMA, redis=UNUSED,
        warnings=[],
    )  # fmt: skip

    status: str
    database: str
    version: str
    durability: str
    schema_revision: str
    redis: str
    warnings: list[str]


class ProblemKind(BaseModel):
    """Description of a problem type."""

    model_config = example(
        code="session-full",
        title="The session is full",
        status=409,
        description="As many people are in as the host, or the server, allows.",
    )

    code: str
    title: str
    status: int
    description: str


class RedisState(Protocol):
    """State of Redis for this process."""

    def current(self) -> str:
        """Return `UP`, `AWAY`, or `UNUSED` without an address of Redis."""


class HealthEndpoints:
    """Health, metrics and documents.

    Liveness depends on the process only, so a dead database does not restart it. Readiness checks a
    commit and a read.
    """

    def __init__(
        self,
        db: Database,
        writer: Writer,
        clock: Clock,
        *,
        metrics: MetricsExposition,
        redis: RedisState,
        document: ApiDocument,
        warnings: Sequence[str] = (),
    ) -> None:
        self._db = db
        self._writer = writer
        self._clock = clock
        self._metrics = metrics
        self._redis = redis
        self._document = document
        self._warnings = list(warnings)
        self._encoded: bytes | None = None
        self._ready_until_s = 0.0
        self._ready: dict[str, str] = {}

    async def live(self, request: Request) -> Response:
        """Return that the process is alive."""
        return json_response({"status": "live"})

    async def ready(self, request: Request) -> Response:
        """Return that commits work, or `NotReady` (503).

        A successful check counts for a second, so frequent probes cost no commits.
        """
        if self._clock.monotonic_s() >= self._ready_until_s:
            self._ready = await self._check_commit_and_read()
            self._ready_until_s = self._clock.monotonic_s() + READY_CACHE_S
        if self._db.is_damaged:
            raise _not_ready("database", reason="damaged")
        redis = self._redis.current()
        status = "degraded" if redis == AWAY else "ready"
        return json_response({"status": status, **self._ready, "redis": redis, "warnings": self._warnings})

    async def _check_commit_and_read(self) -> dict[str, str]:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                version, durability, found = await self._writer.run((), _database_properties)
        except Overloaded as error:
            raise _not_ready("writer") from error
        except (Unavailable, TimeoutError) as error:
            raise _not_ready("database") from error
        if found != SCHEMA:
            raise _not_ready("schema")
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._db.read_in(self._db.default_category, _revision, is_urgent=True)
        except (Unavailable, TimeoutError) as error:
            raise _not_ready("readers") from error
        return {"database": self._db.dialect.name, "version": version, "durability": durability, "schema_revision": found}

    async def metrics(self, request: Request) -> Response:
        """Return the metrics of all workers for Prometheus."""
        return Response(
            200, await self._metrics.render(), ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), NO_STORE)
        )

    async def openapi(self, request: Request) -> Response:
        """Return the OpenAPI document of both planes, generated once."""
        if self._encoded is None:
            self._encoded = encode(self._document.content)
        return Response(200, self._encoded, (JSON_HEADER, (b"cache-control", b"no-cache")))

    async def problem(self, request: Request) -> Response:
        """Return the description of a problem type.

        The `type` of problem documents is this address.
        """
        error = registry().get(request.params["code"])
        if error is None:
            raise NotFound
        description = {"code": error.code, "title": error.title, "status": STATUS[error.kind], "description": getdoc(error)}
        return json_response(description, headers=((b"cache-control", b"public, max-age=3600"),))


def _not_ready(dependency: str, **more: str) -> NotReady:
    return NotReady(retry_after_s=RETRY_AFTER_S, extensions={"dependency": dependency, **more})


def _revision(tx: ReadTx) -> str | None:
    """Read the schema revision: a small read that needs a reader like any request."""
    return revision(tx.connection)


def _database_properties(tx: WriteTx) -> tuple[str, str, str | None]:
    """Return version, durability and schema of the database."""
    return *tx.dialect.maintenance.version_and_durability(tx), revision(tx.connection)


def routes(health: HealthEndpoints, *, operator: frozenset[Any]) -> list[Route]:
    """Return the routes for operators. `operator` contains the roles that may read the metrics."""
    anyone: frozenset[Any] = frozenset()
    metrics = "# HELP conflicto_commits_total Committed groups.\nconflicto_commits_total 42.0\n"
    rows = [
        ("/health/live", health.live, anyone, OPERATOR, Docs(summary="Liveness of the process", responses={200: Live})),
        ("/health/ready", health.ready, anyone, OPERATOR,
         Docs(summary="Readiness to commit", responses={200: Ready}, problems=(NotReady,))),
        ("/metrics", health.metrics, operator, OPERATOR,
         Docs(summary="Read metrics for Prometheus", responses={200: None}, files={"text/plain": ({}, metrics)})),
        ("/problems/{code}", health.problem, anyone, DOCUMENTS,
         Docs(summary="Description of a problem type", responses={200: ProblemKind})),
        (PREFIX + "/openapi.json", health.openapi, anyone, DOCUMENTS,
         Docs(summary="OpenAPI document", responses={200: None}, example={"openapi": "3.1.0"})),
    ]  # fmt: skip
    return [
        route("GET", path, handler, prefix="", roles=roles, policy=policy, tag="operation", docs=docs)
        for path, handler, roles, policy, docs in rows
    ]
