"""Generators, checkers and stream libraries in `.venv/clients` (`make client-tools`)."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TOOLS = ROOT / ".venv/clients"
PYTHON = TOOLS / "bin/python"
PATIENCE_S = 300.0


def require_tools() -> None:
    """Skip the test without the tools; fail in CI and in the make target that needs them."""
    if not (TOOLS / ".ready").exists():
        assert os.environ.get("CLIENT_TOOLS") != "required", "run `make client-tools`"
        pytest.skip("run `make client-tools`")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program of the tools and return its output. A failure shows all of it."""
    path = os.pathsep.join([str(TOOLS / "bin"), str(TOOLS / "node_modules/.bin"), os.environ["PATH"]])
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=os.environ | {"PATH": path, "SCARF_ANALYTICS": "false", "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_modules(folder: Path) -> Path:
    """Return the folder, in which JavaScript finds the installed packages."""
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder
