"""The processes that are measured: `conflicto serve` as an operator starts it, and the floor under the same uvicorn settings."""

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

from bench.client import BenchFailed
from bench.line import Line

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
    """A running process that answers on `port`."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self.process = process

    def cpu_s(self) -> float:
        """Return the processor time that the process took so far, kernel included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def resident_mib(self) -> float:
        """Return the memory that the process holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES / 2**20

    def end_at_once(self) -> None:
        """Kill a server that has nothing to lose: one may otherwise wait for clients that have long hung up."""
        self.process.kill()
        self.process.wait()

    def line(self, token: str | None = ADMIN_TOKEN, *, timeout_s: float = 60) -> Line:
        """Return a connection for requests one after the other; to a Conflicto, as its operator unless told otherwise."""
        return Line(self.port, token, timeout_s=timeout_s)


def environment(data_dir: Path, database_url: str = "", settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what `conflicto` needs to run here; `settings` come on top."""
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
    """Yield a directory on a real disk: /tmp may be memory, where a durable commit costs nothing."""
    with tempfile.TemporaryDirectory(prefix="conflicto-bench-", dir="/var/tmp") as name:
        yield Path(name)


@contextmanager
def on_core(place: int) -> Iterator[None]:
    """Keep this thread, and what it starts meanwhile, on one of the cores (0: the first, -1: the last).

    Of two servers one may otherwise share the client's core and the other not, which is a difference of 50 µs for each request.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[place]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def conflicto(
    data_dir: Path, *, database_url: str = "", name: str = "conflicto", settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Serve a data directory or a PostgreSQL database, whose schema is brought up first."""
    env = environment(data_dir, database_url, settings)
    if database_url:
        subprocess.run([PROGRAM, "db", "upgrade"], env=env, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    with running(name, lambda port: [str(PROGRAM), "serve", "--port", str(port)], env, log=data_dir / f"{name}.log") as server:
        yield server


@contextmanager
def floor(*, status: int, size: int, log_dir: Path) -> Iterator[Server]:
    """Serve one constant answer; the options are those of `conflicto serve` (src/conflicto/cli/serve.py)."""
    options = ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "off", "--no-access-log"]
    options += ["--log-level", "warning", "--no-server-header", "--backlog", "4096"]
    env = os.environ | {"FLOOR_STATUS": str(status), "FLOOR_BYTES": str(size)}
    log = log_dir / f"floor-{status}-{size}.log"
    command = [sys.executable, "-m", "uvicorn", "bench.floor:app", *options]
    with running("floor", lambda port: [*command, "--port", str(port)], env, log=log) as server:
        yield server


@contextmanager
def running(name: str, command: Callable[[int], list[str]], env: dict[str, str], *, log: Path) -> Iterator[Server]:
    """Start a process on a free port, wait until it takes connections, and end it afterwards."""
    port = _free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(command(port), env=env, cwd=ROOT, stdout=output, stderr=output)  # noqa: S603 - our own
    try:
        _wait(process, port)
        yield Server(name, port, process)
    except BenchFailed as failed:
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
    """Return a port that nothing listens on, below those that the kernel gives to outgoing connections, which would be gone at once."""
    for port in range(10_001 + os.getpid() % 1000, 30_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BenchFailed("no port is free")


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise BenchFailed("the server did not start")
