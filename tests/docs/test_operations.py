"""Test that runs the commands of docs/operations.md against a real PostgreSQL."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import OURS
from tests.support.servers import create_database

PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the commands need bash and curl")
def test_the_commands_work_as_documented(postgres_url: str, tmp_path: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```\n```text\n(.*?)^```\n", PAGE, re.DOTALL | re.MULTILINE)
    script, printed = "".join(block for block, _ in blocks), "".join(text for _, text in blocks)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment = kept | {
        "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{kept['PATH']}",
        "DATABASE_URL": create_database(postgres_url, "operations"),
        "CONFLICTO_DATA_DIR": str(tmp_path),
        "PORT": str(free_port()),
    }

    done = subprocess.run(["bash", "-mc", script], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert done.stdout.endswith(printed), done.stdout + done.stderr
    assert done.returncode == 0, done.stderr
