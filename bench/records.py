"""Files of a full run: report, figures as JSON, plots, and the table of docs/capacity.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.report import markdown, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.report import Row, Section

HERE = Path(__file__).parent
REPORT, FIGURES, PLOTS = HERE / "results.md", HERE / "results.json", HERE / "plots"
CAPACITY = HERE.parent / "docs/capacity.md"
BEGIN, END = "<!-- capacity table -->\n", "<!-- /capacity table -->"


def write_all(facts: Mapping[str, str], sections: Sequence[Section]) -> None:
    """Write all files. Only this function needs the plotting library."""
    from bench.plots import draw  # noqa: PLC0415 - a run that writes no files does not need it

    REPORT.write_text(markdown(facts, sections), encoding="utf-8")
    FIGURES.write_text(json.dumps(figures(facts, sections), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw([plot for section in sections for plot in section.plots], PLOTS)
    lines = next((section.capacity for section in sections if section.capacity), ())
    if lines:
        page = with_capacity(CAPACITY.read_text(encoding="utf-8"), capacity(facts, lines))
        CAPACITY.write_text(page, encoding="utf-8")


def figures(facts: Mapping[str, str], sections: Sequence[Section]) -> dict[str, Any]:
    """Return every row by its name; two rows with one name are an error."""
    rows = [row for section in sections for row in section.rows]
    named = {row.name: _figure(row) for row in rows}
    if len(named) < len(rows):
        raise ValueError("two rows have the same name")
    return {"facts": dict(facts), "rows": named}


def _figure(row: Row) -> dict[str, Any]:
    figure = {"measure": row.measure, "median": _rounded(row.figure.middle), "unit": row.figure.unit, "n": len(row.figure.values)}
    figure |= ratios(row)
    if row.goal:
        figure |= {"goal": row.goal, "met": row.met}
    return figure


def ratios(row: Row) -> dict[str, float]:
    """Return the medians of a row's ratios by the names of their marks."""
    return {name: _rounded(series.middle) for name, series in (("ratio", row.ratio), ("of_nginx", row.ceiling)) if series}


def capacity(facts: Mapping[str, str], lines: Sequence[Sequence[str]]) -> str:
    """Return the capacity table: how many participants one machine served, and how fast."""
    heading = f"{facts['Date'][:10]}, {facts['Machine']}, load generator included; [all figures](../bench/results.md):"
    return "\n".join([heading, "", *table(lines[0], lines[1:]), ""])


def with_capacity(page: str, text: str) -> str:
    """Return the page with this table between its markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("docs/capacity.md has no markers for the capacity table")
    return before + begin + text + end + after


def _rounded(value: float) -> float:
    """Return four significant digits."""
    return float(f"{value:.4g}")
