"""What a full run leaves in the repository: the report, its figures as JSON, its plots, and the capacity card of the README."""

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
README = HERE.parent / "README.md"
BEGIN, END = "<!-- capacity card -->\n", "<!-- /capacity card -->"


def write_all(facts: Mapping[str, str], sections: Sequence[Section]) -> None:
    """Write everything; the library that draws is needed here and nowhere else."""
    from bench.plots import draw  # noqa: PLC0415 - a run that writes nothing does without it

    REPORT.write_text(markdown(facts, sections), encoding="utf-8")
    FIGURES.write_text(json.dumps(figures(facts, sections), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw([plot for section in sections for plot in section.plots], PLOTS)
    lines = next((section.card for section in sections if section.card), ())
    if lines:
        README.write_text(with_card(README.read_text(encoding="utf-8"), card(facts, lines)), encoding="utf-8")


def figures(facts: Mapping[str, str], sections: Sequence[Section]) -> dict[str, Any]:
    """Return every row by its name; two rows of one name would hide one another."""
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


def card(facts: Mapping[str, str], lines: Sequence[Sequence[str]]) -> str:
    """Return the capacity card: how many people one machine served, and how well."""
    said = f"{facts['Date'][:10]}, {facts['Machine']}, load generator included; [all figures](bench/results.md):"
    return "\n".join([said, "", *table(lines[0], lines[1:]), ""])


def with_card(readme: str, text: str) -> str:
    """Return the README with this card between its markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the README has no markers for the capacity card")
    return before + begin + text + end + after


def _rounded(value: float) -> float:
    """Return four significant digits."""
    return float(f"{value:.4g}")
