"""What operators ask: is the process alive, can it commit, what has it counted; and the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import text

from conflicto.platform.http.messages import NO_STORE, Answer, json_answer
from conflicto.platform.http.paging import example
from conflicto.platform.http.routes import PREFIX, Docs, Route
from conflicto.platform.limits.bucket import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.http.messages import Call
    from conflicto.platform.metrics import Metrics

OPERATOR = Policy("operator", 600, 60)


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


@dataclass(frozen=True, slots=True)
class HealthEndpoints:
    """Liveness is the process alone; readiness is the whole way to a commit, so a dead database does not restart the process."""

    db: Database
    writer: Writer
    metrics: Metrics
    document: Callable[[], dict[str, Any]]

    async def live(self, call: Call) -> Answer:
        """Say that the process answers."""
        return json_answer({"status": "live"})

    async def ready(self, call: Call) -> Answer:
        """Say that a commit works; `Unavailable` (503) if not."""
        version, durability = await self.writer.run((), _durability)
        return json_answer({"status": "ready", "database": self.db.dialect, "version": version, "durability": durability})

    async def counted(self, call: Call) -> Answer:
        """Return the metrics for Prometheus."""
        self.metrics.queued.set(self.writer.queued)
        return Answer(200, self.metrics.page(), ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), NO_STORE))

    async def openapi(self, call: Call) -> Answer:
        """Return the OpenAPI document of both planes."""
        return json_answer(self.document())


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
        (PREFIX + "/openapi.json", health.openapi, anyone,
         Docs(summary="This document", gives={200: None}, example={"openapi": "3.1.0"})),
    ]  # fmt: skip
    return [
        Route(method="GET", path=path, endpoint=handler, handler=handler, who=who, policy=OPERATOR, tag="operation", docs=docs)
        for path, handler, who, docs in rows
    ]
