"""A `conflicto` process that is killed (SIGKILL) right before a step of its work.

Steps are statements, commits and renames in a folder.

Run as `python -m tests.support.killed NUMBER COMMAND…`; the steps before it stand on standard
error, one a line. 0 kills nobody.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from conflicto.cli import application
from tests.support.patience import PATIENCE_S

NAMES = {"os.rename", "os.link", "os.remove"}
ROOT = Path(__file__).parents[2]


def steps_of(*arguments: str | Path, env: dict[str, str]) -> list[str]:
    """Run a command to its end and return its steps."""
    done = _run(0, arguments, env)
    assert done.returncode == 0, done.stderr
    return _audited(done.stderr)


def kill_at(number: int, *arguments: str | Path, env: dict[str, str]) -> str:
    """Run a command, kill it right before step `number` (from 1), and return that step."""
    done = _run(number, arguments, env)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return _audited(done.stderr)[-1]


def _run(number: int, arguments: tuple[str | Path, ...], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.killed", str(number), *map(str, arguments)]
    unmeasured = {**env, "COVERAGE_PROCESS_CONFIG": ""}  # a killed process cannot write its coverage
    return subprocess.run(command, cwd=ROOT, env=unmeasured, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def _audited(lines: str) -> list[str]:
    return [line.removeprefix("step ") for line in lines.splitlines() if line.startswith("step ")]


def _main() -> None:
    left = int(sys.argv[1])

    def step(what: str) -> None:
        nonlocal left
        sys.stderr.write(f"step {' '.join(what.split())[:120]}\n")
        sys.stderr.flush()
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def record(name: str, arguments: tuple[Any, ...]) -> None:
        if name in NAMES and any(word in str(arguments) for word in ("conflicto", "signing", "archive")):
            step(
                f"{name} {' '.join(Path(os.fsdecode(each)).name for each in arguments if isinstance(each, (str, bytes, os.PathLike)))}"
            )

    sys.argv = ["conflicto", *sys.argv[2:]]
    command = application()
    event.listen(Engine, "before_cursor_execute", lambda connection, cursor, statement, *rest: step(statement))
    event.listen(Engine, "commit", lambda connection: step("COMMIT"))
    sys.addaudithook(record)
    command()


if __name__ == "__main__":
    _main()
