import tomllib
from pathlib import Path

import pytest

from tools.check_bandit import FOLDERS, ROOT, faults, findings

SHELL = "import subprocess\nsubprocess.run('ls ' + x, shell=True)\n"
ACCEPTED = {"a.py": {"B602 shell": "a reason"}}


def test_a_shell_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SHELL)

    assert {(path, message[:4]) for path, message in findings([tmp_path], tmp_path)} == {("a.py", "B404"), ("a.py", "B602")}


def test_a_file_that_cannot_be_read_is_no_clean_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def")

    with pytest.raises(ValueError, match=r"a\.py"):
        findings([tmp_path], tmp_path)


@pytest.mark.parametrize(
    ("found", "accepted", "expected"),
    [
        ({("a.py", "B602 shell")}, ACCEPTED, []),
        ({("b.py", "B602 shell")}, {}, ["b.py: B602 shell"]),
        (set(), ACCEPTED, ["a finding that is gone"]),
        ({("a.py", "B602 shell")}, {"a.py": {"B602 shell": ""}}, ["no reason for a.py"]),
    ],
    ids=["accepted", "new", "gone", "without reason"],
)
def test_what_is_accepted_is_found_and_has_a_reason(found: set, accepted: dict, expected: list[str]) -> None:
    lines = faults(found, accepted)

    assert len(lines) == len(expected)
    assert all(part in line for part, line in zip(expected, lines, strict=True))


def test_no_file_of_ours_is_accepted_as_a_whole() -> None:
    accepted = tomllib.loads((ROOT / "tools/bandit.toml").read_text())

    assert all(path.startswith(FOLDERS) and (ROOT / path).is_file() for path in accepted)
