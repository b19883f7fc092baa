"""Tests of the catalogue: every case has a test, on both databases or with a reason for one."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S
from tools.catalogue import cases, covered

ROOT = Path(__file__).parents[2]
GROUPS = {"J": 20, "S": 6, "A": 12, "E": 4, "R": 7, "C": 11, "F": 18, "D": 12, "O": 10}
"""Number of cases in each group.

Group W of the pages lists only cases without a browser, and the first.
"""


@cache
def shown() -> dict[str, list[str]]:
    return covered(ROOT)


@cache
def collected() -> str:
    """Return the tests that name a case, as pytest runs them."""
    files = sorted({test.partition("::")[0] for tests in shown().values() for test in tests})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", "", *files]
    unmeasured = os.environ | {"COVERAGE_PROCESS_CONFIG": ""}
    found = subprocess.run(command, cwd=ROOT, env=unmeasured, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False)
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    return found.stdout


def test_no_group_lacks_a_case() -> None:
    listed = list(cases(ROOT))
    assert listed == sorted(listed, key=lambda case: ("JSAERCFDOW".index(case[0]), case))
    for group, number in GROUPS.items():
        assert [case for case in listed if case[0] == group] == [f"{group}-{index:02}" for index in range(1, number + 1)]


def test_every_case_has_a_sentence_and_a_test_and_no_test_names_another() -> None:
    assert set(shown()) == {case for case, entry in cases(ROOT).items() if "open" not in entry}
    for entry in cases(ROOT).values():
        assert entry.keys() <= {"expected", "apart", "open"}
        assert entry["expected"].endswith(".")


@pytest.mark.parametrize("case", [case for case, entry in cases(ROOT).items() if entry.keys() == {"expected"}])
def test_a_case_is_shown_on_both_databases(case: str) -> None:
    found = set()
    for test in shown()[case]:
        for parameters in re.findall(rf"^{re.escape(test)}\[(.*)\]$", collected(), re.MULTILINE):
            found |= {database for database in ("sqlite", "postgresql") if database in parameters}
    assert found == {"sqlite", "postgresql"}
