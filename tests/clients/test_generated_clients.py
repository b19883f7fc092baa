"""Clients generated from the OpenAPI document: strict type checks, and runs of a whole session."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import HERE, PYTHON, run, with_modules
from tests.support.processes import ADMIN, Served

FLOWS = HERE / "flows"

SEEN = {
    "title": "Town hall", "status": "active", "defaults": ["many", 0], "poll": ["poll", "active"],
    "refused": [404, "code-unknown"], "seat": "Anna", "statuses": [201, 200], "revisions": [1, 2], "same": True, "ordered": True,
    "answers": [{"choices": ["curry"]}], "later": 0, "entities": ["activity", "activity", "participant", "response", "session"],
    "counts": [["curry", 1]], "unchanged": 304,
    "csv": 2, "jsonl": [{"choices": ["curry"]}], "xlsx": True, "deleted": 204,
}  # fmt: skip
"""Results of each client's flow, equal for all."""


def openapi_python_client(document: Path, folder: Path) -> list[str]:
    """Generate with openapi-python-client and return the command that runs the flow."""
    package = folder / "conflicto_client"
    warned = run("openapi-python-client", "generate", "--path", document, "--meta", "none", "--output-path", package, cwd=folder)
    assert "WARNING" not in warned, warned
    # Its static client.py does not pass strict checks.
    settings = "[mypy]\nstrict = True\n[mypy-conflicto_client.client]\nignore_errors = True\n"
    return _checked_by_mypy(folder, "openapi_python_client.py", settings, "-p", "conflicto_client")


def openapi_typescript(document: Path, folder: Path) -> list[str]:
    """Generate for openapi-fetch with openapi-typescript, and return the command of the flow."""
    run("openapi-typescript", document, "--output", folder / "schema.d.ts", cwd=with_modules(folder))
    return _built_by_tsc(folder, "openapi_fetch.ts")


def openapi_generator(document: Path, folder: Path) -> list[str]:
    """Generate with openapi-generator, and return the command of the flow.

    The generator is Java and comes as a wheel.
    """
    made = folder / "made"
    run(
        "openapi-generator-cli",
        "generate",
        "-g",
        "python",
        "-i",
        document,
        "-o",
        made,
        "--package-name",
        "conflicto_client",
        cwd=folder,
    )
    (made / "conflicto_client").rename(folder / "conflicto_client")
    shutil.rmtree(made)
    # The client passes a plain check. Its authors announce a strict one.
    run(PYTHON, "-m", "mypy", "--config-file=", "-p", "conflicto_client", cwd=folder)
    settings = "[mypy]\nstrict = True\n[mypy-conflicto_client.*]\nignore_errors = True\n"
    return _checked_by_mypy(folder, "openapi_generator.py", settings)


def hey_api(document: Path, folder: Path) -> list[str]:
    """Generate with hey-api and return the command that runs the flow."""
    shutil.copy(document, folder / "openapi.json")
    shutil.copy(FLOWS / "openapi-ts.config.mjs", folder)
    run("openapi-ts", cwd=with_modules(folder))
    return _built_by_tsc(folder, "hey_api.ts")


def _checked_by_mypy(folder: Path, flow: str, settings: str, *packages: str) -> list[str]:
    shutil.copy(FLOWS / flow, folder)
    (folder / "mypy.ini").write_text(settings)
    for checked in filter(None, ([flow], packages)):
        run(PYTHON, "-m", "mypy", *checked, cwd=folder)
    return [str(PYTHON), flow]


def _built_by_tsc(folder: Path, flow: str) -> list[str]:
    shutil.copy(FLOWS / flow, folder)
    shutil.copy(FLOWS / "tsconfig.json", folder)
    run("tsc", "--project", folder, cwd=folder)
    return ["node", f"built/{Path(flow).stem}.js"]


SAMPLE = [openapi_python_client, openapi_typescript]
OTHERS = [openapi_generator, hey_api]


@pytest.mark.parametrize("generate", [*SAMPLE, *(pytest.param(each, marks=pytest.mark.thorough) for each in OTHERS)])
def test_client_runs_from_creation_to_export(
    generate: Callable[[Path, Path], list[str]], document: Path, server: Served, tmp_path: Path
) -> None:
    command = generate(document, tmp_path)

    seen: dict[str, Any] = json.loads(run(*command, cwd=tmp_path, CONFLICTO_URL=server.url, CONFLICTO_ADMIN=ADMIN))

    assert seen == SEEN
