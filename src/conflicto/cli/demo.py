"""`conflicto demo`: starts a server, replays real answers through it, and draws the results."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx2
import typer
from rich.console import Console

from conflicto.cli.environment import EXIT_DIFFERENT, EXIT_UNUSABLE
from conflicto.cli.replay.bars import bars, draw_bar
from conflicto.cli.replay.command import outcome_or_exit, show, table_or_exit
from conflicto.cli.replay.comparison import FeedItem, tally
from conflicto.cli.replay.run import Target
from conflicto.cli.replay.session import Plan
from conflicto.platform.clock import Clock
from conflicto.platform.ids import opaque_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLE = Path("examples/anes96.csv")
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
BAR_CELLS = 40
FIRST_PORT, LAST_PORT = 8001, 30_000  # outgoing connections get higher ones

TYPE = "survey"
"""An activity type that is not registered: the engine needs no knowledge of it."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def demo(
    file: Annotated[Path, typer.Argument(help="CSV with a header; a .json beside it may hold titles, labels and bins.")] = EXAMPLE,
    connections: Annotated[int, typer.Option(help="Connections that send at once.", min=1, max=1000)] = 64,
) -> None:
    """Start a server on a scratch database, replay real answers through it, and draw the results.

    Everything is read back from the server and compared with the file. All data are removed.

    Exit codes: 0 all equal, 1 something differs, 2 the file is not a table, 3 the server does not
    start or refuses.
    """
    table = table_or_exit(file)
    questions = _questions(file)
    with scratch_server() as (url, admin_token):
        out.print(f"A server on {url} takes {table.cells:,} answers of {len(table.rows):,} people.")
        outcome = outcome_or_exit(Target(url, admin_token, connections), table, Plan(file.stem, TYPE, questions))
    equal = not outcome.report.mismatches
    for column, (name, feed) in enumerate(zip(table.columns, outcome.feeds, strict=True)):
        _draw(name, feed, questions.get(name, {}))
        equal = equal and tally(feed) == Counter(cell for _, cell in table.column(column))
    out.print()
    show(outcome, table, as_json=False)
    out.print("Every count equals the file's." if equal else "The counts differ from the file's.")
    if not equal:
        raise typer.Exit(EXIT_DIFFERENT)


def _questions(file: Path) -> dict[str, dict[str, Any]]:
    path = file.with_suffix(".json")
    questions: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return questions


def _draw(name: str, feed: list[FeedItem], about: Mapping[str, Any]) -> None:
    """Draw the answers to one question, as the server returned them."""
    lines = bars(tally(feed), labels=about.get("labels", {}), bins=about.get("bins", ()))
    out.print(f"\n[bold]{about.get('title', name)}[/bold]  {name}, {len(feed):,} answers")
    longest, label_cells = max(bar.count for bar in lines) if lines else 0, max((len(bar.label) for bar in lines), default=0)
    for bar in lines:
        drawing = draw_bar(bar, longest=longest, width=BAR_CELLS)
        out.print(f"  {bar.label:>{label_cells}} [cyan]{drawing}[/cyan] {bar.count:,}")


@contextmanager
def scratch_server() -> Iterator[tuple[str, str]]:
    """Yield the URL and admin token of a temporary `conflicto serve`.

    Its process and data are removed afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="conflicto-demo-") as folder:
        token, port = opaque_secret(), free_port()
        settings = {"CONFLICTO_DATA_DIR": folder, "CONFLICTO_ADMIN_TOKEN": token, "CONFLICTO_RATE_LIMITS": "off"}
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("CONFLICTO_", "DATABASE_", "REDIS_"))
        }
        log = Path(folder) / "log"
        with log.open("wb") as sink:
            command = [sys.executable, "-m", "conflicto", "serve", "--port", str(port)]
            process = subprocess.Popen(command, env=inherited | settings, stdout=sink, stderr=sink)  # noqa: S603 - our own program
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log)
            yield url, token
        finally:
            _stop(process)


def free_port() -> int:
    """Return a port that nothing listens on.

    The kernel's choice would not do: an outgoing connection may take it before the server does.
    """
    for port in range(FIRST_PORT + os.getpid() % 1000, LAST_PORT):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    err.print(f"No port up to {LAST_PORT} is free.")
    raise typer.Exit(EXIT_UNUSABLE)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    clock = Clock()
    deadline_s = clock.monotonic_s() + START_TIMEOUT_S
    while process.poll() is None and clock.monotonic_s() < deadline_s:
        try:
            # Plain HTTP: loading the machine's certificates would take 30 ms per request.
            if httpx2.get(f"{url}/health/ready", trust_env=False, verify=False).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    err.print(f"The server did not start:\n{log.read_text(errors='replace')}", markup=False)
    raise typer.Exit(EXIT_UNUSABLE)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
