"""Damaged bytes over sockets against a server in its own process (reliability J-15, S-02)."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from conflicto.app import App
from tests.support.fuzzing.cases import seeds
from tests.support.fuzzing.names import names_of
from tests.support.fuzzing.wires import WireFuzz, resident_mib
from tests.support.patience import PATIENCE_S
from tests.support.processes import ADMIN, PLAIN, Served, served

Counted = Callable[[str], None]

MAX_GROWTH_MIB = 96
"""Memory that a warm server may gain by any number of damaged requests, MiB."""


@pytest.mark.catalogue("J-15", "S-02")
def test_no_bytes_break_the_server(
    app: App, database_url: str, tmp_path: Path, cases: int, first: int, seed: str, counted: Counted
) -> None:
    with served(tmp_path / "server", DATABASE_URL=database_url, CONFLICTO_SECRET_KEY="k" * 32) as server:
        fuzz = WireFuzz(server, int(server.url.rpartition(":")[2]), names_of(server), seeds(app.edge.routes), seed)
        asyncio.run(fuzz.run(cases // 40, first))
        before_mib = resident_mib(server.process.pid)
        asyncio.run(fuzz.run(cases // 40, first + cases // 40))
        counted(fuzz.report())

        assert fuzz.faults == [], "\n\n".join(fuzz.faults[:3])
        assert fuzz.in_log() == []
        assert resident_mib(server.process.pid) - before_mib < MAX_GROWTH_MIB
        assert still_open(server) == 0


def still_open(server: Served) -> int:
    """Return the number of the fuzzer's connections that the server still holds.

    Waits for the server to notice closed connections.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        page = httpx2.get(f"{server.url}/metrics", headers={"authorization": f"Bearer {ADMIN}"}, **PLAIN).text
        held = int(float(page.partition("\nconflicto_connections ")[2].partition("\n")[0])) - 1
        if held == 0 or time.monotonic() > until:
            return held
        time.sleep(0.1)
