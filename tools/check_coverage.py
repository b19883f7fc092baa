"""Check coverage: 95 % of all lines and branches, 100 % where a fault loses or leaks answers.

.venv/bin/coverage json -o coverage.json && python tools/check_coverage.py coverage.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OVERALL = 95.0
"""Percentage of lines and branches together, of the whole package."""

EVERYTHING = 100.0

WHOLE = (
    "src/conflicto/access/",
    "src/conflicto/activities/content_validation.py",
    "src/conflicto/activities/lifecycle.py",
    "src/conflicto/activity_types/",
    "src/conflicto/feed/",
    "src/conflicto/platform/limits/",
    "src/conflicto/platform/strict_json.py",
    "src/conflicto/platform/word_filter/",
    "src/conflicto/responses/validation.py",
    "src/conflicto/responses/activity_cache.py",
    "src/conflicto/session_state/",
    "src/conflicto/sessions/word_filter.py",
)
"""Paths with complete coverage of lines and branches."""


def shortfalls(report: dict[str, Any]) -> list[str]:
    """Return a sentence for each shortfall in a report (coverage.py's JSON)."""
    total = float(report["totals"]["percent_covered"])
    lines = [] if total >= OVERALL else [f"{total:.1f} % of all lines and branches are covered, {OVERALL:.0f} % are promised"]
    for path, file in sorted(report["files"].items()):
        covered = float(file["summary"]["percent_covered"])
        if path.startswith(WHOLE) and covered < EVERYTHING:
            missing = f"lines {file['missing_lines']}, branches {file['missing_branches']}"
            lines.append(f"{path}: {covered:.1f} %, 100 % is promised; missing {missing}")
    return lines


def main(path: str) -> int:
    """Print the shortfalls and return the exit code."""
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    lines = shortfalls(report)
    print("\n".join(lines) or f"Coverage is kept: {report['totals']['percent_covered']:.1f} %.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
