"""The wheel: built as an installer builds it, and read without Node.js."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.deploy.programs import ROOT

BUNDLE = "conflicto/web/bundle/"
READ = "from conflicto.web.assets import AssetBundle; print(AssetBundle().build)"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of a copy of the tracked files, built with the locked packages of npm."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-cf", copy / "files.tar", "--null", "-T", "-"], cwd=ROOT, input=listed, check=True)
    subprocess.run(["tar", "-xf", copy / "files.tar", "-C", copy], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", out, copy]
    subprocess.run(command, check=True)
    (found,) = out.glob("conflicto-*.whl")
    return found


def test_the_wheel_contains_the_bundle_of_this_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        built = {name.removeprefix(BUNDLE): opened.read(name) for name in opened.namelist() if name.startswith(BUNDLE)}
    folder = ROOT / "src" / BUNDLE

    assert built == {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert json.loads(built["manifest.json"])["preloads"]["participant"] == ["chunks/core.js", "chunks/sdk.js"]


def test_an_installed_wheel_needs_no_node(wheel: Path, tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path / "lib", wheel]
    subprocess.run(install, check=True)
    environment = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path / "lib")}

    read = subprocess.run([sys.executable, "-c", READ], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert read.returncode == 0, read.stderr
    assert len(read.stdout.strip()) == 10
