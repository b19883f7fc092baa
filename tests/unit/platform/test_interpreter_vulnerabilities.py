"""Known vulnerabilities of the interpreter: affected versions, and guards that hold."""

import ast
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import conflicto
from conflicto.platform.interpreter import vulnerabilities as module
from conflicto.platform.interpreter.vulnerabilities import VULNERABILITIES, Vulnerability, exposed, known_vulnerabilities
from tests.support.processes import environment, run
from tools.audit import CLEAN, VULNERABLE, of_interpreter

SOURCES = sorted(Path(conflicto.__file__).parent.rglob("*.py"))
UNGUARDED = Vulnerability("CVE-0-1", "It is slow.", ((99, 0, 0),), "", "https://example.org")


@pytest.mark.parametrize(
    ("version", "cves"),
    [
        ((3, 11, 0), {"CVE-2026-3276", "CVE-2024-7592", "CVE-2023-40217", "CVE-2022-45061"}),
        ((3, 11, 9), {"CVE-2026-3276", "CVE-2024-7592"}), ((3, 11, 10), {"CVE-2026-3276"}), ((3, 11, 16), set()),
        ((3, 12, 5), {"CVE-2026-3276", "CVE-2024-7592", "CVE-2024-12254"}), ((3, 12, 8), {"CVE-2026-3276", "CVE-2024-12254"}),
        ((3, 12, 14), set()), ((3, 13, 1), {"CVE-2026-3276", "CVE-2024-12254"}), ((3, 13, 2), {"CVE-2026-3276"}),
        ((3, 14, 5), {"CVE-2026-3276"}), ((3, 14, 6), set()), ((3, 15, 0), set()),
    ],
)  # fmt: skip
def test_versions_have_the_published_vulnerabilities(version: tuple[int, int, int], cves: set[str]) -> None:
    assert {fault.cve for fault in known_vulnerabilities(version)} == cves


def test_every_vulnerability_has_its_source_and_versions_are_sorted() -> None:
    for fault in VULNERABILITIES:
        assert fault.source.startswith("https://github.com/")
        assert list(fault.fixed) == sorted(fault.fixed)
    assert len({fault.cve for fault in VULNERABILITIES}) == len(VULNERABILITIES)


SHORT_TEXTS = {"normalization.py", "csv.py"}
"""Modules that normalise short strings themselves: pieces of text and single letters. Nicknames
have at most 128 characters."""


def imported(path: Path) -> set[str]:
    """Return the modules and names that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{each.name}" for each in node.names} | {str(node.module)}
    return found


def test_guarded_functions_are_not_used() -> None:
    """No module parses cookies with the library, normalises unguarded text or opens TLS sockets."""
    for path in SOURCES:
        names = imported(path)
        assert "http.cookies" not in names, path
        assert "unicodedata.normalize" not in names or path.name in SHORT_TEXTS, path
        assert "encodings.idna" not in names, path
        assert "ssl" not in names or "replay" in path.parts, path


def test_doctor_lists_vulnerabilities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "running_version", lambda: (3, 11, 7))
    monkeypatch.setattr("conflicto.cli.doctor.running_version", lambda: (3, 11, 7))
    output = run("doctor", env=environment(tmp_path))
    as_json = json.loads(run("doctor", "--json", env=environment(tmp_path)).stdout)

    assert output.exit_code == 0
    assert "Python 3.11.7: 2 known faults" in output.stdout
    assert "CVE-2024-7592: Parsing cookies" in output.stdout
    assert [each["cve"] for each in as_json["faults"]] == ["CVE-2026-3276", "CVE-2024-7592"]

    monkeypatch.setattr(module, "VULNERABILITIES", (UNGUARDED,))
    output = run("doctor", env=environment(tmp_path))
    assert (output.exit_code, "NOT guarded" in output.stdout) == (1, True)


def test_the_start_logs_vulnerabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "running_version", lambda: (3, 11, 7))
    with capture_logs() as logs:
        module.log_vulnerabilities()
    assert [(line["log_level"], line["guarded"], line["exposed"]) for line in logs] == [
        ("info", ["CVE-2026-3276", "CVE-2024-7592"], [])
    ]
    monkeypatch.setattr(module, "VULNERABILITIES", (UNGUARDED,))
    with capture_logs() as logs:
        module.log_vulnerabilities()
    assert [(line["log_level"], line["exposed"]) for line in logs] == [("warning", ["CVE-0-1"])]
    monkeypatch.setattr(module, "VULNERABILITIES", ())
    with capture_logs() as logs:
        module.log_vulnerabilities()
    assert logs == []


def test_an_audit_fails_only_for_an_unguarded_vulnerability() -> None:
    guarded = known_vulnerabilities((3, 11, 7))
    assert of_interpreter(guarded)[0] == CLEAN
    assert "CVE-2024-7592, guarded" in "\n".join(of_interpreter(guarded)[1])
    code, lines = of_interpreter([*guarded, UNGUARDED])
    assert (code, exposed([*guarded, UNGUARDED])) == (VULNERABLE, [UNGUARDED])
    assert "CVE-0-1, NOT guarded" in "\n".join(lines)
