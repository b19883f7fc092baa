"""Check pinned dependencies and the Python interpreter for known vulnerabilities (`make audit`).

A vulnerability of the interpreter counts only if the program is exposed to it; see
`platform/interpreter/vulnerabilities.py`. Exit codes: 0 none known, 1 at least one, 2 the advisory
service did not answer for all dependencies. `OSV_URL` is another service with the API of osv.dev.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conflicto.platform.interpreter.vulnerabilities import CHECKED_ON, Vulnerability, exposed, known_vulnerabilities

ROOT = Path(__file__).parents[1]
LOCKS = ("base.txt", "dev.txt", "bench.txt", "browser.txt")
SERVICE = "https://api.osv.dev/v1/query"

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


def pip_audit_report(locks: list[Path], service: str) -> dict[str, Any] | None:
    """Return pip-audit's report on the dependencies in some locks, or None if it failed."""
    files = [part for lock in locks for part in ("--requirement", str(lock))]
    options = ["--vulnerability-service", "osv", "--osv-url", service, "--disable-pip", "--require-hashes", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--progress-spinner", "off", "--timeout", "10", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - one fixed program
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        print((done.stderr.strip() or "pip-audit printed no report.").splitlines()[-1])
        return None
    return report


def verdict(report: dict[str, Any] | None) -> tuple[int, list[str]]:
    """Return the exit code and the report; a skipped dependency counts as unknown."""
    if report is None:
        return UNKNOWN, ["The advisory service did not answer. It is NOT known whether a dependency is vulnerable."]
    dependencies = report["dependencies"]
    known = [f"{each['name']} {each['version']}: {_advisories(each)}" for each in dependencies if each.get("vulns")]
    skipped = [f"{each['name']}: not checked ({each['skip_reason']})" for each in dependencies if "skip_reason" in each]
    if known:
        return VULNERABLE, [*known, *skipped, f"{len(known)} of {len(dependencies)} dependencies have known vulnerabilities."]
    if skipped or not dependencies:
        return UNKNOWN, [*skipped, f"{len(skipped)} of {len(dependencies)} dependencies were NOT checked."]
    return CLEAN, [f"No known vulnerability in {len(dependencies)} pinned dependencies."]


def of_interpreter(vulnerabilities: list[Vulnerability]) -> tuple[int, list[str]]:
    """Return the exit code and the lines about known vulnerabilities of the interpreter."""
    lines = [
        f"Python: {each.cve}, {'guarded' if each.guard else 'NOT guarded'}. {each.title} {each.guard}" for each in vulnerabilities
    ]
    lines.append(f"Python has {len(vulnerabilities)} known vulnerabilities that can affect a server (advisories of {CHECKED_ON}).")
    return (VULNERABLE if exposed(vulnerabilities) else CLEAN), lines


def _advisories(dependency: dict[str, Any]) -> str:
    return ", ".join(
        f"{each['id']} (fixed in {', '.join(each['fix_versions']) or 'no version yet'})" for each in dependency["vulns"]
    )


if __name__ == "__main__":
    code, lines = verdict(pip_audit_report([ROOT / "requirements" / name for name in LOCKS], os.environ.get("OSV_URL", SERVICE)))
    interpreter_code, interpreter_lines = of_interpreter(known_vulnerabilities())
    print("\n".join([*lines, *interpreter_lines]))
    sys.exit(interpreter_code or code)
