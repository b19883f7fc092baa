"""Tests of the calls behind a request: the architecture page tells their numbers and walks."""

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.docs.pages import ROOT

Calls = list[tuple[str, str]]

PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")

ROW = re.compile(r"^\| ([a-z, ]+) \| (\d+) \| (\d+) \|", re.MULTILINE)
WALK = re.compile(r"^### Walk of [^\n]+ \(([a-z, ]+)\)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\d+\. `([^`]+)` →\s+`([^`]+)`", re.MULTILINE)

WALKS = {name: STEP.findall(text) for name, text in WALK.findall(PAGE)}

MAX_RUNS = 3
"""Runs before a count is too high: on a busy machine, timers run during a request."""

MAX_TIMING_CALLS = 1
"""Calls more that depend on which thread is first: a submit on a busy machine took 391, not 390."""


@cache
def _measured(_run: int) -> dict[str, Calls]:
    command = [sys.executable, "tools/hops.py", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {
        name: [(file, function) for file, function in calls] for name, calls in json.loads(done.stdout.splitlines()[-1]).items()
    }


def test_no_request_makes_more_calls_than_the_architecture_page_lists() -> None:
    documented = {name: (int(calls), int(files)) for name, calls, files in ROW.findall(PAGE)}
    longer: dict[str, tuple[int, int]] = dict(documented)
    for run in range(MAX_RUNS):
        measured = {name: (len(calls), len({file for file, _ in calls})) for name, calls in _measured(run).items()}
        assert measured.keys() == documented.keys()
        assert min(measured.values()) > (0, 0)
        longer = {name: found for name, found in measured.items() if name in longer and _is_longer(found, documented[name])}
        if not longer:
            break
    assert longer == {}


def test_the_page_has_the_three_walks() -> None:
    assert set(WALKS) == {"submit", "poll, not cached", "results after a commit"}
    assert all(len(steps) > 5 for steps in WALKS.values())


@pytest.mark.parametrize("name", sorted(WALKS))
def test_each_walk_calls_its_functions_in_the_order_of_the_page(name: str) -> None:
    calls = iter(_measured(0)[name])

    missing = [step for step in WALKS[name] if step not in calls]  # each search continues behind the last step

    assert missing == []


def _is_longer(found: tuple[int, int], documented: tuple[int, int]) -> bool:
    return found[0] > documented[0] + MAX_TIMING_CALLS or found[1] > documented[1]
