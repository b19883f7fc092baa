"""Tests of the README's program and of the tutorial, both run against a real server."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
MAX_PROGRAM_LINES = 15
ADMIN = "the-operator-of-the-readme"
NEXT = "@@ next block @@"
START_S = PATIENCE_S


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Start a server on an empty data directory and yield its address."""
    port = free_port()
    environment = os.environ | {"CONFLICTO_DATA_DIR": str(tmp_path / "data"), "CONFLICTO_ADMIN_TOKEN": ADMIN}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "conflicto", "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as server:
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(START_S)
    assert f"Conflicto serves on http://127.0.0.1:{port}" in (tmp_path / "log").read_text()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not start")


def program() -> tuple[str, str]:
    """Return the README's program and the text that it prints."""
    found = re.findall(r"^```python\n(.*?)^```\n.*?^```text\n(.*?)^```\n", README, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return found[0]


def test_program_of_the_readme_prints_what_the_readme_shows(address: str, tmp_path: Path) -> None:
    text, printed = program()
    path = tmp_path / "lunch.py"
    path.write_text(text, encoding="utf-8")
    environment = os.environ | {"API": f"{address}/api/v1", "ADMIN": ADMIN}

    ran = subprocess.run([sys.executable, path], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", printed)


def test_program_of_the_readme_is_short() -> None:
    lines = [line for line in program()[0].splitlines() if line.strip()]

    assert len(lines) <= MAX_PROGRAM_LINES
    assert "API=http://127.0.0.1:8000/api/v1 ADMIN=" in README


def tutorial() -> list[tuple[str, str]]:
    """Return the tutorial's bash blocks, each with its expected output."""
    found = re.findall(r"^```bash\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", TUTORIAL, re.DOTALL | re.MULTILINE)
    return [(block, printed) for block, printed in found]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the tutorial needs bash and curl")
def test_the_tutorial_runs_word_by_word_and_prints_as_documented(address: str) -> None:
    script = f"echo '{NEXT}'\n".join(block for block, _ in tutorial())
    environment = os.environ | {"API": f"{address}/api/v1", "ADMIN": ADMIN}

    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split(f"{NEXT}\n") == [printed for _, printed in tutorial()]


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=["README", "tutorial"])
def test_the_document_is_served_where_the_page_links_it(address: str, page: str) -> None:
    assert "`/api/v1/openapi.json`" in page
    assert httpx2.get(f"{address}/api/v1/openapi.json").json()["openapi"].startswith("3.1")


def test_the_tutorial_has_its_five_steps() -> None:
    commands = "".join(block for block, _ in tutorial())

    for step in ('"$API/sessions"', "/activities", '"$API/join"', "response_data", "/since/"):
        assert step in commands


def test_first_section_has_the_two_commands() -> None:
    first = README.split("## ")[0]

    assert "make run" in first
    assert "make test" in first
    assert "http://127.0.0.1:8000" in first
    assert len(README.splitlines()) <= 140


def test_a_server_of_make_takes_a_port_as_the_first_section_states() -> None:
    first = README.split("## ")[0]
    options = re.search(r'`make run ARGS="(.*?)"`', first)
    assert options

    command = ["make", "--no-print-directory", "-n", "run", f"ARGS={options[1]}"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert shown.stdout.splitlines()[-1] == f".venv/bin/conflicto serve {options[1]}"
    assert "`. .venv/bin/activate`" in first
