"""External programs that check our files, from PATH or from `make deploy-tools`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PLACES = os.pathsep.join([str(ROOT / ".venv/bin"), str(ROOT / ".venv/tools/usr/bin"), os.environ.get("PATH", ""), "/usr/sbin"])


def program(name: str) -> str:
    """Return the path of a program; without it, skip the test, or fail in `make deploy-check`."""
    found = shutil.which(name, path=PLACES)
    if found is None:
        if os.environ.get("DEPLOY_TOOLS") == "required":
            pytest.fail(f"{name} is not here, and `make deploy-tools` could not bring it")
        pytest.skip(f"{name} is not here; `make deploy-check` brings it")
    return found


def run(name: str, *arguments: str | Path, cwd: Path = ROOT) -> str:
    """Run a checker; its output is the failure message."""
    done = subprocess.run([program(name), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
