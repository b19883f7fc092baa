"""What operators ask: is the process alive, can it commit, what has it counted; and the OpenAPI document."""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import text

from conflicto.platform.http.messages import JSON_HEADER, NO_STORE, Answer, encode, json_answer
from conflicto.platform.http.paging import example
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.http.routes import PREFIX, Docs, Route
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import NotFound, registry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.http.messages import Call

OPERATOR = Policy("operator", 600, 60)

READY_S = 1.0
"""How long a proven commit counts: probes come every few seconds, floods do not."""


class Live(BaseModel):
    """The process answers."""

    model_config = example(status="live")

    status: str


class Ready(BaseModel):
    """The process can commit; `durability` is the database's own word for what a commit means."""

    model_config = example(status="ready", database="sqlite", version="3.53.4", durability="synchronous=FULL")

    status: str
    database: str
    version: str
    durability: str


class ProblemKind(BaseModel):
    """What a problem's `type` leads to."""

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


class HealthEndpoints:
    """Liveness is the process alone; readiness is the whole way to a commit, so a dead database does not restart the process."""

    def __init__(
        self,
        db: Database,
        writer: Writer,
        counted: Callable[[], Awaitable[bytes]],
        clock: Clock,
        document: Callable[[], dict[str, Any]],
    ) -> None:
        self._db = db
        self._writer = writer
        self._counted = counted
        self._clock = clock
        self._document = document
        self._encoded: bytes | None = None
        self._ready_until_s = 0.0
        self._ready: dict[str, str] = {}

    async def live(self, call: Call) -> Answer:
        """Say that the process answers."""
        return json_answer({"status": "live"})

    async def ready(self, call: Call) -> Answer:
        """Say that a commit works; `Unavailable` (503) if not. A yes is good for a second, so asking often costs no commits."""
        if self._clock.monotonic_s() >= self._ready_until_s:
            version, durability = await self._writer.run((), _durability)
            self._ready = {"status": "ready", "database": self._db.dialect, "version": version, "durability": durability}
            self._ready_until_s = self._clock.monotonic_s() + READY_S
        return json_answer(self._ready)

    async def counted(self, call: Call) -> Answer:
        """Return the metrics of all workers for Prometheus."""
        return Answer(200, await self._counted(), ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), NO_STORE))

    async def openapi(self, call: Call) -> Answer:
        """Return the OpenAPI document of both planes, made once."""
        if self._encoded is None:
            self._encoded = encode(self._document())
        return Answer(200, self._encoded, (JSON_HEADER, (b"cache-control", b"no-cache")))

    async def problem(self, call: Call) -> Answer:
        """Say what a problem means: its `type` is this address."""
        error = registry().get(call.params["code"])
        if error is None:
            raise NotFound
        said = {"code": error.code, "title": error.title, "status": STATUS[error.kind], "description": getdoc(error)}
        return json_answer(said, headers=((b"cache-control", b"public, max-age=3600"),))


def _durability(tx: WriteTx) -> tuple[str, str]:
    if tx.dialect == "postgresql":
        return str(tx.scalar(text("SHOW server_version"))), f"synchronous_commit={tx.scalar(text('SHOW synchronous_commit'))}"
    level = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[tx.scalar(text("PRAGMA synchronous"))]
    return str(tx.scalar(text("SELECT sqlite_version()"))), f"synchronous={level}"


def routes(health: HealthEndpoints, *, operator: frozenset[Any]) -> list[Route]:
    """Return the operator's rows of the contract; `operator` are the roles that may read the metrics."""
    anyone: frozenset[Any] = frozenset()
    counted = "# HELP conflicto_commits_total Groups that were committed.\nconflicto_commits_total 42.0\n"
    rows = [
        ("/health/live", health.live, anyone, Docs(summary="Is the process alive?", gives={200: Live})),
        ("/health/ready", health.ready, anyone, Docs(summary="Can it commit?", gives={200: Ready})),
        ("/metrics", health.counted, operator,
         Docs(summary="Metrics for Prometheus", gives={200: None}, media_type="text/plain", example=counted)),
        ("/problems/{code}", health.problem, anyone, Docs(summary="What a problem means", gives={200: ProblemKind})),
        (PREFIX + "/openapi.json", health.openapi, anyone,
         Docs(summary="This document", gives={200: None}, example={"openapi": "3.1.0"})),
    ]  # fmt: skip
    return [
        Route(method="GET", path=path, endpoint=handler, handler=handler, who=who, policy=OPERATOR, tag="operation", docs=docs)
        for path, handler, who, docs in rows
    ]
