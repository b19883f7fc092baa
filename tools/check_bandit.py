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

Finding = tuple[str, str]  # the path from the repository, and "B105 what bandit says of it"


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
    known = {(path, said) for path, all_said in accepted.items() for said in all_said}
    lines = [f"{path}: {said} (mend it, or accept it with a reason in tools/bandit.toml)" for path, said in sorted(found - known)]
    lines += [f"tools/bandit.toml accepts what is not found any more: {path}: {said}" for path, said in sorted(known - found)]
    lines += [f"tools/bandit.toml gives no reason for {path}" for path, all_said in accepted.items() if not all(all_said.values())]
    return lines


def main() -> int:
    """Print the faults and return the exit code."""
    accepted = tomllib.loads((ROOT / "tools/bandit.toml").read_text(encoding="utf-8"))
    told = faults(findings([ROOT / folder for folder in FOLDERS], ROOT), accepted)
    for line in told or ["Bandit finds nothing that is not accepted."]:
        print(line)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
