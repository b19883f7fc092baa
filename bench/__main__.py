"""Command `python -m bench`: run the suites, print them, and write the files of a full run."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console

from bench import machine, records
from bench.capacity import measure as rooms
from bench.contains import measure as contains
from bench.crud import measure as crud
from bench.fanout import measure as fanout
from bench.growth import measure as growth
from bench.limits import measure as limits
from bench.polls import measure as polls
from bench.report import Section, markdown, show
from bench.scale import FULL, QUICK, Scale
from bench.soak import measure as soak
from bench.startup import measure as starts
from bench.streams import measure as streams
from bench.submits import measure_joins, measure_submits
from bench.turnover import measure as turnover
from bench.workers import measure as workers

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITES = {
    "status": polls,
    "submit": measure_submits,
    "join": measure_joins,
    "workers": workers,
    "limits": limits,
    "growth": growth,
    "contains": contains,
    "room": rooms,
    "stream": streams,
    "fanout": fanout,
    "crud": crud,
    "start": starts,
    "soak": soak,
}
HOUR_SUITES = {"turnover": turnover}
"""Suites that take an hour, so that a run names them."""

WIDTH = 190
"""Columns of the tables in a log or a pipe."""


def main() -> None:
    """Read the options and measure."""
    options = _options()
    scale = QUICK if options.quick else FULL
    if options.soak:
        scale = replace(scale, soak_s=options.soak, turnover_s=options.soak)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    watch, facts = machine.LoadWatch(), machine.facts(scale)
    _print_facts(console, facts)
    sections: list[Section] = []
    for name in options.only:
        with _timed(console, name):
            sections += _run(console, name, scale)
    _print_facts(console, watch.facts())
    facts |= watch.facts()
    if options.out:
        options.out.write_text(markdown(facts, sections), encoding="utf-8")
    if scale is FULL and set(options.only) == set(SUITES):
        records.write_all(facts, sections)
        console.print(f"Written to {records.REPORT}, {records.FIGURES}, {records.PLOTS} and {records.CAPACITY}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Conflicto against the floor.")
    parser.add_argument("--quick", action="store_true", help="a few minutes, with less load and fewer stored rows")
    parser.add_argument("--only", default=",".join(SUITES), help=f"some of {','.join(SUITES | HOUR_SUITES)}")
    parser.add_argument(
        "--soak", type=float, metavar="SECONDS", help="how long soak or turnover last, such as 3600 with --only soak"
    )
    parser.add_argument("--out", type=Path, help="where else to write the report")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(SUITES | HOUR_SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    return options


def _run(console: Console, name: str, scale: Scale) -> list[Section]:
    sections = (SUITES | HOUR_SUITES)[name](scale)
    for section in sections:
        show(console, section)
    return sections


@contextmanager
def _timed(console: Console, name: str) -> Iterator[None]:
    began_s = perf_counter()
    yield
    console.print(f"{name}: {perf_counter() - began_s:.0f} s", style="dim", highlight=False)


def _print_facts(console: Console, facts: dict[str, str]) -> None:
    for name, value in facts.items():
        console.print(f"{name}: {value}", highlight=False)


if __name__ == "__main__":
    main()
