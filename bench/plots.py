"""Plots of bench/results.md. The library is in requirements/bench.txt."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import pygal
from pygal.style import Style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.report import Plot

FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
BAR_COLOURS = ("#9aa5b1", "#f0a24b", "#2f6fde", "#2a9d74")
LINE_COLOURS = ("#2f6fde", "#f0a24b", "#2a9d74", "#b1457e", "#6b4fbb")
"""Grey is the floor. People with red-green blindness can distinguish the other colours."""

LONG_NAME = 20
LEGEND_ROW = 22
LOOK: dict[str, Any] = {
    "background": "#ffffff", "plot_background": "#ffffff", "foreground": "#3c4654", "foreground_strong": "#1b2430",
    "foreground_subtle": "#c6ccd4", "opacity": ".92", "opacity_hover": "1", "font_family": FONT, "title_font_size": 18,
    "label_font_size": 14, "major_label_font_size": 14, "legend_font_size": 14, "value_font_size": 12, "tooltip_font_size": 14,
    "guide_stroke_color": "#e3e7ec", "major_guide_stroke_color": "#cfd5dc", "guide_stroke_dasharray": "none",
    "major_guide_stroke_dasharray": "none", "stroke_width": 3, "value_colors": ("#3c4654",) * 6,
}  # fmt: skip
WIDTH, HEIGHT = 960, 560
BAR_HEIGHT, AROUND_BARS = 22, 190
"""Pixels for each bar, and for title, axis and legend."""

BESIDE = "inline:.text-overlay text.value { text-anchor: start; }"
"""Style that puts a bar's figure after its end."""

STEPS = (1, 2, 5)
"""Steps of a logarithmic axis between two powers of ten."""


def draw(plots: Sequence[Plot], folder: Path) -> None:
    """Write each plot as SVG, without scripts."""
    folder.mkdir(exist_ok=True)
    for plot in plots:
        chart = _bars(plot) if plot.bars else _lines(plot)
        chart.uuid = plot.name
        (folder / f"{plot.name}.svg").write_bytes(chart.render() + b"\n")


def _bars(plot: Plot) -> Any:  # noqa: ANN401 - pygal has no types
    """Return horizontal bars, which leave space for long names. pygal begins at the bottom."""
    height = AROUND_BARS + BAR_HEIGHT * len(plot.labels) * len(plot.series)
    chart = pygal.HorizontalBar(
        **_options(plot, BAR_COLOURS), height=height, print_values=True, print_values_position="top", margin_right=70, max_scale=8,
        css=["file://style.css", "file://graph.css", BESIDE],
    )  # fmt: skip
    chart.x_title = plot.y_title
    chart.x_labels = list(reversed(plot.labels))
    for name, values in plot.series.items():
        chart.add(name, list(reversed(values)))
    return chart


def _lines(plot: Plot) -> Any:  # noqa: ANN401 - as above
    chart = pygal.Line(**_options(plot, LINE_COLOURS), height=HEIGHT, dots_size=4, margin_right=40)
    chart.x_title, chart.y_title = plot.x_title, plot.y_title
    chart.x_labels = plot.labels
    values = [value for each in plot.series.values() for value in each if value]
    if plot.logarithmic and values:
        chart.logarithmic = True
        chart.y_labels = steps(min(values), max(values))
        chart.range = (chart.y_labels[0], chart.y_labels[-1])
    for name, line in plot.series.items():
        chart.add(name, list(line))
    return chart


def steps(low: float, high: float) -> list[float]:
    """Return the steps 1, 2, 5, 10, 20, 50 … that enclose both bounds."""
    every = [step * 10.0**power for power in range(-4, 10) for step in STEPS]
    first = max(place for place, step in enumerate(every) if step <= low)
    last = min(place for place, step in enumerate(every) if step >= high)
    return every[first : last + 1]


def _options(plot: Plot, colours: Sequence[str]) -> dict[str, Any]:
    columns = min(len(plot.series), 3 if max(map(len, plot.series)) > LONG_NAME else 4)
    rows = ceil(len(plot.series) / columns)
    return {
        "title": plot.title, "style": Style(**LOOK, colors=colours), "width": WIDTH, "js": [], "legend_at_bottom": True,
        "legend_at_bottom_columns": columns, "truncate_legend": -1, "truncate_label": -1, "legend_box_size": 14,
        "value_formatter": _figure, "pretty_print": True, "margin": 16, "margin_bottom": 16 + LEGEND_ROW * (rows - 1),
        "no_data_text": "not measured",
    }  # fmt: skip


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
