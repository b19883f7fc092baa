"""Schemathesis over the OpenAPI document, in every role (reliability J-16).

There are no internal errors and no undocumented responses. It generates what the schemas allow and
what they forbid, from the boundaries inwards. The fuzzer covers bytes that are not JSON.

Excluded are streams, which do not end. A role also excludes the deletions that would lock it out of
later operations.
"""

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.support.fuzzing.names import names_of
from tests.support.fuzzing.wires import FAULTS_IN_LOG
from tests.support.processes import PLAIN, Served, served

QUICK, WHOLE = "examples,fuzzing", "examples,coverage,fuzzing,stateful"
ROLES = {
    "none": (None, [], QUICK),
    "participant": ("seat", ["--exclude-method", "DELETE"], WHOLE),
    "screen": ("screen", [], QUICK),
    "host": ("host", ["--exclude-method", "DELETE"], WHOLE),
    "admin": ("admin", [], QUICK),
    "host of another session": ("victim_host", ["--exclude-operation-id", "delete_sessions_session_id_tokens"], QUICK),
}
"""Per role: the token, the excluded operations, and the phases that run in CI. The long form
runs all phases."""

IN_CI = [("none", "sqlite"), ("participant", "postgresql"), ("screen", "sqlite"), ("host", "sqlite"), ("admin", "postgresql"),
         ("host of another session", "sqlite")]  # fmt: skip
EVERYWHERE = [(role, database) for role in ROLES for database in ("sqlite", "postgresql")]

EXAMPLES, MANY_EXAMPLES = 3, 100

SETTINGS = """
[checks.positive_data_acceptance]
enabled = false     # what a schema allows may still be a name that is taken, or a step that the present state forbids

[parameters]
"path.session_id" = {session}
"path.activity_id" = "{activity}"
"path.participant_id" = {participant}
"path.response_id" = "{response}"
"path.type" = "poll"
"""


@pytest.mark.catalogue("J-16", "J-17")
def test_every_answer_is_documented(
    role: str,
    database: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    seed: str,
    is_long: bool,
    counted: Callable[[str], None],
) -> None:
    whose, left_out, phases = ROLES[role]
    where = {"DATABASE_URL": request.getfixturevalue("postgres_database")} if database == "postgresql" else {}
    with served(tmp_path / "server", CONFLICTO_SECRET_KEY="k" * 32, **where) as server:
        names = {name.decode().strip("@"): value.decode() for name, value in names_of(server).items()}
        (tmp_path / "schemathesis.toml").write_text(SETTINGS.format(**names))
        options = [
            "--phases", WHOLE if is_long else phases, "--max-examples", str(MANY_EXAMPLES if is_long else EXAMPLES),
            "--seed", str(zlib.crc32(seed.encode())), *left_out, *(["--header", f"Authorization: Bearer {names[whose]}"] if whose else []),
        ]  # fmt: skip
        done = run_schemathesis(server, tmp_path, options)
        found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
        faults = [line for line in server.log.read_text().splitlines() if any(fault in line for fault in FAULTS_IN_LOG)]

    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert faults == []
    assert found is not None
    counted(f"schemathesis as {role}: {found[1]} requests, {found[2]} passed")
    assert int(found[1]) > 50


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "role" in metafunc.fixturenames:
        cases = EVERYWHERE if metafunc.config.getoption("--long") else IN_CI
        metafunc.parametrize(("role", "database"), cases)


def run_schemathesis(server: Served, folder: Path, options: list[str]) -> subprocess.CompletedProcess[str]:
    document = httpx2.get(f"{server.url}/api/v1/openapi.json", **PLAIN).json()
    (folder / "openapi.json").write_text(json.dumps(document))
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", server.url,
        "--no-color", "--request-timeout", "30", "--exclude-path-regex", "/events$", "--no-shrink", "--continue-on-failure",
        "--warnings", "off", "--workers", "1", *options,  # several at once triggered a bug in CPython 3.11's compiler
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3_600, check=False)
