"""Test of the calls behind a request: none exceeds the numbers of the architecture page."""

import re
import subprocess
import sys

from tests.docs.pages import ROOT

ROW = re.compile(r"^\| ([a-z, ]+) \| (\d+) \| (\d+) \|", re.MULTILINE)


def test_no_request_walks_further_than_the_architecture_page_says() -> None:
    told = {
        name: (int(calls), int(files)) for name, calls, files in ROW.findall((ROOT / "docs/architecture.md").read_text("utf-8"))
    }
    done = subprocess.run([sys.executable, "tools/hops.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    measured = {name: (int(calls), int(files)) for name, calls, files in ROW.findall(done.stdout)}
    assert measured.keys() == told.keys()
    assert {
        name: (calls, files) for name, (calls, files) in measured.items() if calls > told[name][0] or files > told[name][1]
    } == {}
    assert min(measured.values()) > (0, 0)
