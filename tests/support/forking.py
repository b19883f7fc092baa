"""Servers forked off a process that has imported the program.

Imports take most of a start, and dozens of tests start servers.

After the fork `python -m conflicto` runs as a process with its own arguments, variables, folder,
log and session. Tests of `serve` itself start real processes, as do tests that preload a library or
run several workers.

The parent is `python -m tests.support.forking SOCKET`. Each connection to its socket requests one
server, and receives the process id and later the exit code.

When its standard input closes, the tests have ended for whatever reason. Then the parent and its
servers end.
"""

import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.support.patience import PATIENCE_S, lift_deadlines

ROOT = Path(__file__).resolve().parents[2]

IMPORTED = (
    "conflicto.cli.serve",
    "conflicto.app",
    "conflicto.migrations",
    "conflicto.platform.http.server.fast_path",
    "alembic.command",
    "alembic.runtime.migration",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.server",
)
"""Imports of a server: modules that import the rest."""

MAX_REQUEST_BYTES = 1 << 20

PID_BYTES = 4


class Forked:
    """A server, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.pid = int.from_bytes(line.recv(PID_BYTES, socket.MSG_WAITALL))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        with suppress(TimeoutError, BlockingIOError):
            self._read(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code like `subprocess.Popen`.

        Raises:
            subprocess.TimeoutExpired: the server still runs.
        """
        try:
            self._read(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired("conflicto", timeout or 0) from None
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _read(self, timeout: float | None) -> None:
        if self.returncode is None:
            self._line.settimeout(timeout)
            self.returncode = int(self._line.recv(32))
            self._line.close()


def forked(arguments: Sequence[str], *, env: Mapping[str, str], log: Path, patient: bool = False) -> Forked:
    """Start `python -m conflicto` with these arguments and only these variables.

    Its output is appended to `log`.
    """
    line = socket.socket(socket.AF_UNIX)
    line.connect(_parent(env.get("COVERAGE_PROCESS_CONFIG", "")))
    request = {"arguments": list(arguments), "env": dict(env), "folder": str(Path.cwd()), "log": str(log), "patient": patient}
    line.sendall(json.dumps(request).encode() + b"\n")
    return Forked(line)


@cache
def _parent(measured_by: str) -> str:
    """Return the socket of a parent process, one for each coverage setting.

    Its children inherit the setting.
    """
    folder = tempfile.TemporaryDirectory(prefix="conflicto-forking-")
    path = f"{folder.name}/socket"
    env = os.environ | {"COVERAGE_PROCESS_CONFIG": measured_by}
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forking", path], cwd=ROOT, env=env, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdin is not None
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"listening\n"

    def end() -> None:
        parent.communicate(timeout=PATIENCE_S)
        folder.cleanup()

    atexit.register(end)
    return path


class Parent:
    """A process that forks a server for each connection, and reports its exit code there."""

    def __init__(self, path: str) -> None:
        self.waiting = selectors.DefaultSelector()
        self.lines: dict[int, socket.socket] = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()

    def serve(self) -> dict | None:
        """Fork for each connection.

        Returns None when the tests are over, and in each child its arguments and variables.
        """
        self.waiting.register(sys.stdin, selectors.EVENT_READ)
        self.waiting.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in self.waiting.select():
                if key.fileobj is self.listener:
                    if request := self._fork():
                        return request
                elif key.fileobj is sys.stdin:
                    self._end()
                    return None
                else:
                    self._report(key.fd, key.data)

    def _fork(self) -> dict | None:
        line, _ = self.listener.accept()
        request = json.loads(line.makefile("rb").readline(MAX_REQUEST_BYTES))
        if (pid := os.fork()) == 0:
            line.close()
            self._leave()
            return request
        line.sendall(pid.to_bytes(PID_BYTES))
        watched = os.pidfd_open(pid)
        self.lines[watched] = line
        self.waiting.register(watched, selectors.EVENT_READ, pid)
        return None

    def _leave(self) -> None:
        """Close the parent's files in a child."""
        self.waiting.close()
        self.listener.close()
        for watched, line in self.lines.items():
            os.close(watched)
            line.close()

    def _report(self, watched: int, pid: int) -> None:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.waiting.unregister(watched)
        os.close(watched)
        with suppress(OSError):  # the requester has gone
            self.lines[watched].sendall(b"%d" % code)
        self.lines.pop(watched).close()

    def _end(self) -> None:
        for key in list(self.waiting.get_map().values()):
            if key.data is not None:
                with suppress(ProcessLookupError):
                    os.killpg(key.data, signal.SIGKILL)


def become(request: dict) -> None:
    """Run as the requested process, from its first line on."""
    from conflicto.platform import ids

    os.setsid()
    os.chdir(request["folder"])
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, source in enumerate((nothing, log, log)):
        os.dup2(source, number)
    os.close(log)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(request["env"])
    ids._CHANCE.seed()  # Python seeds only its own generator
    if request["patient"]:
        import pytest

        lift_deadlines(pytest.MonkeyPatch())
    sys.argv[1:], sys.path[0] = request["arguments"], request["folder"]
    runpy.run_module("conflicto", run_name="__main__", alter_sys=True)


def main() -> None:
    parent = Parent(sys.argv[1])
    for name in IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    if (request := parent.serve()) is not None:
        become(request)


if __name__ == "__main__":
    main()
