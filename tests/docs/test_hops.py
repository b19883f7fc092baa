"""Test of the calls behind a request: none exceeds the numbers of the architecture page."""

import re
import subprocess
import sys

from tests.docs.pages import ROOT

ROW = re.compile(r"^\| ([a-z, ]+) \| (\d+) \| (\d+) \|", re.MULTILINE)


MAX_RUNS = 3
"""Runs before a count is too high: on a busy machine, timers run during a request."""

MAX_TIMING_CALLS = 1
"""Calls more that depend on which thread is first: a submit on a busy machine took 391, not 390."""


def test_no_request_walks_further_than_the_architecture_page_says() -> None:
    documented = _rows((ROOT / "docs/architecture.md").read_text("utf-8"))
    longer = dict(documented)
    for _ in range(MAX_RUNS):
        measured = _measured()
        assert measured.keys() == documented.keys()
        assert min(measured.values()) > (0, 0)
        longer = {name: found for name, found in measured.items() if name in longer and _is_longer(found, documented[name])}
        if not longer:
            break
    assert longer == {}


def _measured() -> dict[str, tuple[int, int]]:
    done = subprocess.run([sys.executable, "tools/hops.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return _rows(done.stdout)


def _rows(text: str) -> dict[str, tuple[int, int]]:
    return {name: (int(calls), int(files)) for name, calls, files in ROW.findall(text)}


def _is_longer(found: tuple[int, int], documented: tuple[int, int]) -> bool:
    return found[0] > documented[0] + MAX_TIMING_CALLS or found[1] > documented[1]
