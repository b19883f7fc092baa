"""Processes of a run: `conflicto serve`, and the floor with the same uvicorn settings."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.blocking_connection import BlockingConnection
from bench.client import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parent.parent
PROGRAM = Path(sys.executable).parent / "conflicto"
ADMIN_TOKEN = "bench-admin-token-0123456789"  # noqa: S105 - a server of our own, on loopback
SECRET_KEY = "bench-secret-key-0123456789-0123456789"  # noqa: S105 - as above
START_S = 30
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Server:
    """Running server on `port`."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self.process = process

    def cpu_s(self) -> float:
        """Return the processor time of the process, kernel included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def resident_mib(self) -> float:
        """Return the resident memory of the process."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES / 2**20

    def kill(self) -> None:
        """Kill a server. Otherwise it may wait for clients that have disconnected."""
        self.process.kill()
        self.process.wait()

    def connect(self, token: str | None = ADMIN_TOKEN, *, timeout_s: float = 60) -> BlockingConnection:
        """Return a blocking connection, by default with the operator's token."""
        return BlockingConnection(self.port, token, timeout_s=timeout_s)


def environment(data_dir: Path, database_url: str = "", settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of `conflicto`, with `settings` on top."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONFLICTO_", "DATABASE_", "REDIS_"))}
    ours = {
        "CONFLICTO_DATA_DIR": str(data_dir),
        "CONFLICTO_RATE_LIMITS": "off",
        "CONFLICTO_ADMIN_TOKEN": ADMIN_TOKEN,
        "CONFLICTO_SECRET_KEY": SECRET_KEY,
    }
    return kept | ours | ({"DATABASE_URL": database_url} if database_url else {}) | dict(settings or {})


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a directory on a real disk. /tmp may be memory, where a commit costs nothing."""
    with tempfile.TemporaryDirectory(prefix="conflicto-bench-", dir="/var/tmp") as name:
        yield Path(name)


@contextmanager
def on_core(place: int) -> Iterator[None]:
    """Pin this thread and its new children to one core (0: the first, -1: the last).

    Otherwise one of two servers may share the client's core and the other not, a difference of 50
    µs per request.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[place]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def conflicto(
    data_dir: Path,
    *,
    database_url: str = "",
    name: str = "conflicto",
    settings: Mapping[str, str] | None = None,
    workers: int = 1,
    program: Path = PROGRAM,
) -> Iterator[Server]:
    """Serve a data directory or a PostgreSQL database, and migrate its schema first."""
    env = environment(data_dir, database_url, settings)
    if database_url:
        subprocess.run([program, "db", "upgrade"], env=env, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    command = [str(program), "serve", "--workers", str(workers)]
    with running(name, lambda port: [*command, "--port", str(port)], env, log=data_dir / f"{name}.log") as server:
        yield server


@contextmanager
def floor(*, status: int, size: int, log_dir: Path) -> Iterator[Server]:
    """Serve one constant response with the options of `conflicto serve`."""
    options = ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "off", "--no-access-log"]
    options += ["--log-level", "warning", "--no-server-header", "--backlog", "4096"]
    env = os.environ | {"FLOOR_STATUS": str(status), "FLOOR_BYTES": str(size)}
    log = log_dir / f"floor-{status}-{size}.log"
    command = [sys.executable, "-m", "uvicorn", "bench.floor:app", *options]
    with running("floor", lambda port: [*command, "--port", str(port)], env, log=log) as server:
        yield server


@contextmanager
def running(name: str, command: Callable[[int], list[str]], env: dict[str, str], *, log: Path) -> Iterator[Server]:
    """Start a process on a free port, wait until it accepts connections, and end it afterwards."""
    port = _free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(command(port), env=env, cwd=ROOT, stdout=output, stderr=output)  # noqa: S603 - our own
    try:
        _wait(process, port)
        yield Server(name, port, process)
    except BenchmarkError as failed:
        failed.add_note(f"The last of {name}'s log: {log.read_text()[-2000:]}")
        raise
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(START_S)
        if process.poll() is None:
            process.kill()
            process.wait()


def _free_port() -> int:
    """Return a free port below the range of outgoing connections."""
    for port in range(10_001 + os.getpid() % 1000, 30_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BenchmarkError("no port is free")


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise BenchmarkError("the server did not start")
