"""The ASGI application of a process, and its start from the environment."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from conflicto.app.build import build
from conflicto.app.lifespan import running
from conflicto.platform.interpreter.tuning import set_switch_interval, tune_garbage_collector
from conflicto.platform.interpreter.vulnerabilities import log_vulnerabilities
from conflicto.platform.logs import configure_logs
from conflicto.platform.shutdown import exit_within
from conflicto.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.settings import Settings


class App:
    """One process of Conflicto as an ASGI application, with its services by layer.

    `connections` is what every connection of the server reads.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None, timeouts: Timeouts | None = None) -> None:
        self.services = build(settings, clock=clock, timeouts=timeouts)
        self.platform, self.domain, self.edge = self.services
        self.connections = self.edge.connections

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Serve HTTP and the lifespan."""
        if scope["type"] == "http":
            await self.edge.http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        """Run the services within the context."""
        async with running(self.services):
            yield self

    async def _lifespan(self, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await receive()
        self.edge.pages.prepare()
        async with self.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def from_environment() -> App:
    """Return the application for this process's environment, which every worker runs."""
    set_switch_interval()
    exit_within()
    settings = read_settings(os.environ)
    configure_logs(json=settings.has_json_logs(at_terminal=sys.stderr.isatty()))
    log_vulnerabilities()
    app = App(settings)
    tune_garbage_collector()
    return app
