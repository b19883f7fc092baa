"""`conflicto doctor`: known faults of this installation."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from conflicto.cli.environment import EXIT_DIFFERENT
from conflicto.platform.interpreter.vulnerabilities import (
    CHECKED_ON,
    Vulnerability,
    exposed,
    known_vulnerabilities,
    running_version,
)

out = Console(highlight=False, soft_wrap=True)


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List known faults of the running Python.

    Exit codes: 0 none, or all guarded; 1 at least one is not guarded.
    """
    version, vulnerabilities = ".".join(map(str, running_version())), known_vulnerabilities()
    if as_json:
        described = [
            asdict(vulnerability) | {"fixed": [".".join(map(str, each)) for each in vulnerability.fixed]}
            for vulnerability in vulnerabilities
        ]
        print(json.dumps({"python": version, "checked_on": CHECKED_ON, "faults": described}))
    else:
        out.print(f"Python {version}: {len(vulnerabilities)} known faults that a server can meet (advisories of {CHECKED_ON}).")
        for vulnerability in vulnerabilities:
            out.print(_describe(vulnerability), markup=False)
    if exposed(vulnerabilities):
        raise typer.Exit(EXIT_DIFFERENT)


def _describe(vulnerability: Vulnerability) -> str:
    fixed = ", ".join(".".join(map(str, each)) for each in vulnerability.fixed)
    state = f"Guarded: {vulnerability.guard}" if vulnerability.guard else "NOT guarded: update Python."
    return f"{vulnerability.cve}: {vulnerability.title} Fixed in {fixed}. {state}\n  {vulnerability.source}"
