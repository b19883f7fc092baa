"""`conflicto` in its own process: commands with the test's environment alone, and servers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from click.testing import Result
from typer.testing import CliRunner

from conflicto.cli import application
from tests.support.forking import Forked, forked
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

ADMIN = "the-operator-of-the-tests"
START_TIMEOUT_S = PATIENCE_S
STOP_TIMEOUT_S = PATIENCE_S
OURS = ("CONFLICTO_", "DATABASE_", "REDIS_")

PROGRAM = ("-m", "conflicto")
"""Arguments of a new interpreter, for tests of the program's start."""

PLAIN = {"verify": False, "trust_env": False}
"""Options for clients of plain HTTP. Reading the machine's certificates takes 30 ms, which a
loop of polls cannot spare."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process with its data in `folder`.

    No variable of the tester is inherited.

    Limits are off: some tests let a few phones answer for as long as it takes, and on a slow
    machine that is longer than a hall would.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    unlimited = {"CONFLICTO_RATE_LIMITS": "off", "CONFLICTO_MAX_RESPONSES_PER_PARTICIPANT": "0"}
    return kept | {"CONFLICTO_DATA_DIR": str(folder), "CONFLICTO_ADMIN_TOKEN": ADMIN} | unlimited | more


def run(*arguments: str | Path, env: dict[str, str], stdin: str | None = None) -> Result:
    """Run a command in this process, which is a second faster than a new one."""
    cleared = {name: None for name in os.environ if name.startswith(OURS)}
    before = dict(os.environ)
    try:
        return CliRunner().invoke(application(), [str(each) for each in arguments], env=cleared | env, input=stdin)
    finally:
        for name in os.environ.keys() - before.keys():  # `serve` sets variables for its workers
            del os.environ[name]


def run_apart(*arguments: str | Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a new process with only the variables in `env`."""
    command = [sys.executable, "-m", "conflicto", *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[bytes] | Forked
    url: str
    log: Path

    def call(self, method: str, path: str, body: Any = None, *, token: str = ADMIN, key: str | None = None) -> Any:
        headers = {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {})
        answer = httpx2.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE_S, **PLAIN)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def text(self, path: str) -> str:
        """Return a page outside the API, as the operator gets it."""
        answer = httpx2.get(self.url + path, headers={"authorization": f"Bearer {ADMIN}"}, timeout=PATIENCE_S, **PLAIN)
        assert answer.is_success, answer.text
        return answer.text

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)


@contextmanager
def served(folder: Path, **how: Any) -> Iterator[Served]:
    """Yield a server that is ready.

    The parameters are those of `starting`.
    """
    with starting(folder, **how) as server:
        wait_for(server)
        yield server


@contextmanager
def starting(
    folder: Path,
    *,
    at_port: int | None = None,
    workers: int = 1,
    program: Sequence[str] | None = None,
    patient: bool = False,
    **more: str,
) -> Iterator[Served]:
    """Yield a server that may not be ready yet.

    At the end the server and its workers are killed. The server is normally forked off a process
    that has imported the program. With a `program`, several workers, or other variables than ours
    a new interpreter starts. The deadlines of a `patient` server are lifted, as in the tests'
    process; only a forked server can be patient.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, log = at_port or free_port(), folder / "log"
    arguments, env = ["serve", "--port", str(port), "--workers", str(workers)], environment(folder, **more)
    process: subprocess.Popen[bytes] | Forked
    if program is None and workers == 1 and all(name.startswith((*OURS, "COVERAGE_")) for name in more):
        process = forked(arguments, env=env, log=log, patient=patient)
    else:
        assert not patient
        command = [sys.executable, *(program or PROGRAM), *arguments]
        with log.open("ab") as sink:
            process = subprocess.Popen(command, env=env, stdout=sink, stderr=sink, start_new_session=True)
    server = Served(process, f"http://127.0.0.1:{port}", log)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.kill()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(server: Served) -> None:
    """Wait until a server is ready."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(f"{server.url}/health/ready", **PLAIN).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.03)
    raise AssertionError(server.log.read_text())
