"""Check pinned dependencies and the Python interpreter for known vulnerabilities (`make audit`).

pip-audit looks up packages of Python, `npm audit` those of the two locks of npm.

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
from tools.build_backend import npm_command

ROOT = Path(__file__).parents[1]
LOCKS = ("base.txt", "dev.txt", "bench.txt", "browser.txt")
NPM_FOLDERS = (ROOT, ROOT / "tests" / "clients")
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


def npm_audit_report(folder: Path, *options: str) -> dict[str, Any] | None:
    """Return npm's report on the lock in a folder, or None if the registry did not answer."""
    command = [*npm_command(), "audit", "--json", "--package-lock-only", "--fetch-retries=0", "--fetch-timeout=10000", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - one fixed program
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return None
    return report if "auditReportVersion" in report else None


def npm_verdict(reports: list[dict[str, Any] | None]) -> tuple[int, list[str]]:
    """Return the exit code and the lines about packages of npm; a missing report is unknown."""
    known = [each for report in reports if report for each in report["vulnerabilities"].values()]
    total = sum(report["metadata"]["dependencies"]["total"] for report in reports if report)
    lines = [f"npm: {each['name']}: {each['severity']}, {_titles(each)}" for each in known]
    if None in reports:
        lines.append("npm: the registry did not answer. It is NOT known whether a package is vulnerable.")
    if known:
        return VULNERABLE, [*lines, f"npm: {len(known)} of {total} packages have known vulnerabilities."]
    return (UNKNOWN, lines) if None in reports else (CLEAN, [f"No known vulnerability in {total} pinned packages of npm."])


def _titles(vulnerability: dict[str, Any]) -> str:
    """Return the advisories of a package; a text among them is the package that brings it in."""
    return ", ".join(
        f"by {each}" if isinstance(each, str) else f"{each['title']} in {each['range']} ({each['url']})"
        for each in vulnerability["via"]
    )


def worst(codes: list[int]) -> int:
    """Return the exit code of all parts: a vulnerability counts more than a missing report."""
    return next((code for code in (VULNERABLE, UNKNOWN) if code in codes), CLEAN)


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
    parts = [
        verdict(pip_audit_report([ROOT / "requirements" / name for name in LOCKS], os.environ.get("OSV_URL", SERVICE))),
        npm_verdict([npm_audit_report(folder) for folder in NPM_FOLDERS]),
        of_interpreter(known_vulnerabilities()),
    ]
    print("\n".join(line for _, lines in parts for line in lines))
    sys.exit(worst([code for code, _ in parts]))
