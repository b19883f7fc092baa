"""Results of a suite, and their renderings for the terminal and for bench/results.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.servers import Server

COLUMNS = ("measure", "median (min–max)", "n", "compared with", "ratio (min–max)", "of nginx", "goal", "", "beside it")
COLOURS = {"met": "[green]met[/green]", "missed": "[red]missed[/red]"}
VERDICTS = {True: "met", False: "missed", None: ""}


@dataclass(frozen=True, slots=True)
class Series:
    """One figure from several runs."""

    values: Sequence[float]
    unit: str = ""

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        unit = f" {self.unit}" if self.unit else ""
        spread = f" ({short(low)}–{short(high)})" if len(self.values) > 1 else ""
        return f"{short(self.middle)}{unit}{spread}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the report.

    `ratio` pairs successive runs, `ceiling` does so with nginx. `notes` are further figures of the
    runs. `key` is the row's name in bench/results.json. It must not change with the measure's text
    or a response's size.
    """

    measure: str
    figure: Series
    against: Series | None = None
    ratio: Series | None = None
    goal: str = ""
    met: bool | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    ceiling: Series | None = None
    key: str = ""

    @property
    def name(self) -> str:
        """Name in bench/results.json: the key, or else the measure in lower case with hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", (self.key or self.measure).lower()).strip("-")

    def cells(self) -> list[str]:
        """Return the cells as text, in the order of `COLUMNS`."""
        beside = ", ".join(f"{name} {value}" for name, value in self.notes.items())
        compared, ratio, ceiling = (str(each) if each else "" for each in (self.against, self.ratio, self.ceiling))
        count = str(len(self.figure.values))
        return [self.measure, str(self.figure), count, compared, ratio, ceiling, self.goal, VERDICTS[self.met], beside]


@dataclass(frozen=True, slots=True)
class Plot:
    """Plot with `labels` along the bottom, and a bar or a point of each series above each label."""

    name: str
    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    x_title: str
    y_title: str
    bars: bool = False
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one suite, with explanation, plots, and the lines of the capacity table."""

    title: str
    about: str
    rows: Sequence[Row]
    plots: Sequence[Plot] = ()
    capacity: Sequence[Sequence[str]] = ()


def paired_ratios(ours: Sequence[float], theirs: Sequence[float]) -> Series:
    """Return ours ÷ theirs for each pair of runs, because other load affects both."""
    return Series([mine / other for mine, other in zip(ours, theirs, strict=True)], "×")


def memory_row(measure: str, before_mib: float, server: Server) -> Row:
    """Return a server's memory now and before the suite."""
    return Row(measure, Series([server.resident_mib()], "MiB"), Series([before_mib], "MiB"))


def show(console: Console, section: Section) -> None:
    """Print a section. A section without rows prints its reason."""
    if not section.rows:
        console.print(f"{section.title}: {section.about}", highlight=False)
        return
    table = Table(title=section.title, caption=section.about, title_justify="left", caption_justify="left", title_style="bold")
    columns, lines = _grid(section)
    for name in columns:
        table.add_column(name, overflow="fold")
    for cells in lines:
        table.add_row(*(COLOURS.get(cell, cell) for cell in cells))
    console.print(table)


def markdown(facts: Mapping[str, str], sections: Sequence[Section]) -> str:
    """Return the whole report."""
    lines = [
        "# Measured speed",
        "",
        "Written by `make bench`; do not edit. Higher ratios are better, unless a goal says otherwise.",
        "",
    ]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.about]
        if section.rows:
            lines += ["", *table(*_grid(section))]
        for plot in section.plots:
            lines += ["", f"![{plot.title}](plots/{plot.name}.svg)"]
    return "\n".join(lines) + "\n"


def table(columns: Sequence[str], grid: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in grid]
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns), *rows]


def short(value: float) -> str:
    """Return two or three significant digits, and larger numbers in full."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    return f"{value:,.{digits}f}"


def _grid(section: Section) -> tuple[list[str], list[list[str]]]:
    """Return the columns that have content, and their cells."""
    lines = [row.cells() for row in section.rows]
    used = [place for place in range(len(COLUMNS)) if any(line[place] for line in lines)]
    return [COLUMNS[place] for place in used], [[line[place] for place in used] for line in lines]
