"""Lifespan of a process: background tasks while it serves, and an orderly end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from conflicto import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from conflicto.app.services import DomainServices, Services

log = structlog.get_logger(__name__)

PAUSE_AFTER_FAILURE_S = 1.0
"""Pause before a background task that failed begins again."""


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Run writer and background tasks. At the end, commit queued work, close the database."""
    platform, domain, _ = services
    domain.writer.start()
    if domain.peers is not None:
        await domain.peers.start()
    if platform.redis is not None:
        await platform.redis.probe.check()
    _log_rejected_types(domain)
    tasks = [asyncio.create_task(_run_again(loop)) for loop in _loops(services)]
    log.info("started", version=__version__, database=platform.db.dialect.name, workers=platform.settings.workers)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await domain.presence_saver.save()
        await _stop_writing(domain)
        await _close_connections(services)
        if platform.multiprocess_metrics:
            await platform.multiprocess_metrics.write()
            platform.multiprocess_metrics.close()
        log.info("stopped")


async def _run_again(loop: Callable[[], Awaitable[None]]) -> None:
    """Run a background task until it is cancelled. One that fails is logged, and begins again."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("background-task-failed", task=getattr(loop, "__qualname__", ""))
        await asyncio.sleep(PAUSE_AFTER_FAILURE_S)


async def _stop_writing(domain: DomainServices) -> None:
    """Commit what is queued, for this worker and its peers."""
    if domain.peers is not None:
        domain.peers.leave()
    await domain.writer.stop()
    if domain.peers is not None:
        domain.peers.close()


def _log_rejected_types(domain: DomainServices) -> None:
    """Log why activity types were left out: one line for each fault."""
    for rejected in domain.types.rejected:
        for fault in rejected.faults:
            log.error(
                "activity-type-rejected", type=rejected.name, origin=str(rejected.origin), file=fault.file, line=fault.line,
                pointer=fault.pointer, message=fault.message, remedy=fault.remedy,
            )  # fmt: skip


def _loops(services: Services) -> list[Callable[[], Awaitable[None]]]:
    """Return the background tasks of this process, which run until cancelled."""
    platform, domain, edge = services
    loops: list[Callable[[], Awaitable[None]]] = [
        domain.expiry.run, domain.releases.run, domain.purger.run, domain.retention.run, edge.connections.run, edge.streams.run,
        domain.exports.run, domain.presence_saver.run, platform.budget.run,
    ]  # fmt: skip
    if platform.db.is_shared:
        loops.append(domain.worker_sync.run)
    if domain.peers is not None:
        loops.append(domain.peers.run)
    if platform.multiprocess_metrics:
        loops.append(platform.multiprocess_metrics.run)
    if platform.redis is not None:
        loops.append(platform.redis.probe.run)
    return loops


async def _close_connections(services: Services) -> None:
    """Close Redis, the stored tallies and the database."""
    platform, domain, _ = services
    if platform.redis is not None:
        for redis in (platform.redis.data, platform.redis.limits, platform.redis.probe.redis):
            await redis.close()
    await domain.segments.close()
    await asyncio.to_thread(platform.db.close)
