"""Counts of tests, reported at the end of the run from all workers of xdist."""

from typing import Any


def print_counts(terminalreporter: Any, name: str, title: str) -> None:
    """Write the values that tests recorded under a property below a title."""
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.getreports(outcome)]
    values = [value for report in reports for key, value in report.user_properties if key == name]
    if values:
        terminalreporter.section(title)
        for line in values:
            terminalreporter.write_line(line)
