"""Test of docs/activity-types.md: its commands run in order and print what the page shows."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from conflicto.activity_types.registry import installed
from tests.docs.pages import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import ADMIN, PLAIN, environment

PAGE = (ROOT / "docs/activity-types.md").read_text(encoding="utf-8")
NEXT = "@@ next block @@"
START_S = PATIENCE_S


def blocks() -> list[tuple[str, str]]:
    """Return the page's bash blocks, each with its expected output."""
    return re.findall(r"^```bash\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", PAGE, re.DOTALL | re.MULTILINE)


def serves(block: str) -> bool:
    return "conflicto serve" in block


def run(script: list[str], folder: Path, env: dict[str, str]) -> list[str]:
    joined = f"echo '{NEXT}'\n".join(script)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", joined],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split(f"{NEXT}\n")


@contextmanager
def serving(block: str, folder: Path, env: dict[str, str]) -> Iterator[None]:
    """Run the block that serves, until the server is ready, and end it afterwards."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["bash", "-c", f"exec env {block}"], cwd=folder, env=env, stdout=log, stderr=log)
    try:
        until = time.monotonic() + START_S
        while not ready(env["PORT"]):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(START_S)


def ready(port: str) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health/ready", **PLAIN).is_success
    except httpx2.TransportError:
        return False


def served_view(port: str, name: str) -> str:
    """Return a view as the pages of this server would load it."""
    url = f"http://127.0.0.1:{port}"
    build = re.search(r"/s/[0-9a-f]{10}/", httpx2.get(f"{url}/host", **PLAIN).text)
    assert build
    return str(httpx2.get(f"{url}{build[0]}{name}", **PLAIN).text)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the page's commands need bash and curl")
def test_the_afternoon_runs_word_by_word_and_ends_with_a_type_that_works(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = environment(tmp_path / "data", PATH=path, PORT=str(free_port()), ADMIN=ADMIN)
    place = next(place for place, (block, _) in enumerate(blocks()) if serves(block))
    before, after = blocks()[:place], blocks()[place + 1 :]

    assert run([block for block, _ in before], tmp_path, env) == [printed for _, printed in before]
    with serving(blocks()[place][0], tmp_path, env):
        assert run([block for block, _ in after], tmp_path, env) == [printed for _, printed in after]
        assert "counts.get(face)" in served_view(env["PORT"], "types/mood/screen.js")
    assert (len(before), len(after)) == (6, 4)

    code = re.search(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert code
    (tmp_path / "test_mood.py").write_text(code[1])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:valkey", "test_mood.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert "12 passed" in ran.stdout, ran.stdout


def test_the_page_names_every_built_in_type() -> None:
    sentence = PAGE.partition("includes ten types: ")[2].partition(". ")[0]

    assert set(re.findall(r"`(\w+)`", sentence)) == {known.name for known in installed().types}
