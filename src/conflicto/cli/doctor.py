"""`conflicto doctor`: what an operator should know about this installation."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from conflicto.cli.environment import DIFFERENT
from conflicto.platform.interpreter.vulnerabilities import (
    CHECKED_ON,
    Vulnerability,
    exposed,
    known_vulnerabilities,
    running_version,
)

out = Console(highlight=False, soft_wrap=True)


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Tell known faults of the Python that runs. Exit codes: 0 none, or all guarded; 1 at least one is not guarded."""
    version, faults = ".".join(map(str, running_version())), known_vulnerabilities()
    if as_json:
        told = [asdict(fault) | {"fixed": [".".join(map(str, each)) for each in fault.fixed]} for fault in faults]
        print(json.dumps({"python": version, "checked_on": CHECKED_ON, "faults": told}))
    else:
        out.print(f"Python {version}: {len(faults)} known faults that a server can meet (advisories of {CHECKED_ON}).")
        for fault in faults:
            out.print(_told(fault), markup=False)
    if exposed(faults):
        raise typer.Exit(DIFFERENT)


def _told(fault: Vulnerability) -> str:
    fixed = ", ".join(".".join(map(str, each)) for each in fault.fixed)
    state = f"Guarded: {fault.guard}" if fault.guard else "NOT guarded: update Python."
    return f"{fault.cve}: {fault.title} Fixed in {fixed}. {state}\n  {fault.source}"
