"""Write docs/figures.md from measurements of the browser tests (`make figures`)."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MEASURED = ROOT / "build/figures"
PAGE = ROOT / "docs/figures.md"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def seconds(found: dict[str, Any]) -> str:
    return f"{found['seconds']:.2f} s ({found['least']:.2f}–{found['most']:.2f}, n = {found['runs']})"


def page() -> str:
    """Return the page, with the time of the newest measurement."""
    join, start, screen = read("join"), read("start"), read("screen")
    newest = max(path.stat().st_mtime for path in MEASURED.glob("*.json"))
    day = datetime.fromtimestamp(newest, UTC).date().isoformat()
    return f"""# Weight and speed of the pages

`tests/browser/test_figures.py` measured these figures on {day}, in the distribution's
Chromium, with the server on the same machine ({platform.machine()}). `make figures` measures again and writes
this page. `make test-browser` fails if a figure misses its goal.

| Figure | Goal | Measured |
|---|---|---|
| From the join page to the first activity, cold: bytes on the wire, headers and the stream included | at most 30,000 | {join["bytes"]:,} |
| the same: requests | at most 12 | {join["requests"]} |
| First usable field at 400 ms latency, 400 kbit/s, processor ÷ 4 | at most 3 s | {seconds(start)} |
| From the press of *Send* to the word on the screen | at most 1 s | {seconds(screen)} |
| Barriers that axe finds (WCAG 2.2 AA and best practice) on every page, with every type, in both themes | 0 | 0, or a test fails |
| Violations of the content security policy, and requests to other origins, in every browser test | 0 | 0, or a test fails |
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
