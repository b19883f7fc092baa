"""Figures measured in the browser, stored for `make figures`, which writes docs/figures.md."""

import json
from pathlib import Path
from typing import Any

FIGURES = Path("build/figures")


def note(name: str, **measured: Any) -> None:
    """Keep what one test measured; the newest run counts."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / f"{name}.json").write_text(json.dumps(measured), encoding="utf-8")
