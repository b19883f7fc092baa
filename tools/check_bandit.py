"""Fail if bandit has a finding that tools/bandit.toml does not accept with a reason.

An acceptance without a finding fails as well. Ruff's S rules cover most of bandit; this check
covers the rest.
"""

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from bandit.core.config import BanditConfig
from bandit.core.manager import BanditManager

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tools")

Finding = tuple[str, str]  # the path below the repository, and bandit's text: "B105 …"


def findings(folders: Iterable[Path], root: Path) -> set[Finding]:
    """Return bandit's findings of any severity and confidence below some folders."""
    manager = BanditManager(BanditConfig(), "file")
    manager.discover_files([str(folder) for folder in folders], recursive=True)
    manager.run_tests()
    skipped = manager.get_skipped()
    if skipped:
        message = f"bandit could not read {skipped}"
        raise ValueError(message)
    return {(str(Path(issue.fname).relative_to(root)), f"{issue.test_id} {issue.text}") for issue in manager.get_issue_list()}


def faults(found: set[Finding], accepted: dict[str, dict[str, str]]) -> list[str]:
    """Return a line for each unaccepted finding, unused acceptance, or missing reason."""
    known = {(path, issue) for path, reasons in accepted.items() for issue in reasons}
    lines = [f"{path}: {issue} (fix it, or accept it with a reason in tools/bandit.toml)" for path, issue in sorted(found - known)]
    lines += [f"tools/bandit.toml accepts a finding that is gone: {path}: {issue}" for path, issue in sorted(known - found)]
    lines += [f"tools/bandit.toml has no reason for {path}" for path, reasons in accepted.items() if not all(reasons.values())]
    return lines


def main() -> int:
    """Print the faults and return the exit code."""
    accepted = tomllib.loads((ROOT / "tools/bandit.toml").read_text(encoding="utf-8"))
    lines = faults(findings([ROOT / folder for folder in FOLDERS], ROOT), accepted)
    for line in lines or ["Bandit has no finding that is not accepted."]:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
