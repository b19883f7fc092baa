"""`python -m bench`: run the suites, print them, and write bench/results.md after a full run."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from bench import machine
from bench.growth import measure as growth
from bench.polls import measure as polls
from bench.report import Section, markdown, show
from bench.rooms import measure as rooms
from bench.scale import FULL, QUICK
from bench.submits import measure_joins, measure_submits

SUITES = {"status": polls, "submit": measure_submits, "join": measure_joins, "growth": growth, "room": rooms}
WIDTH = 190
"""Of the tables in a log or a pipe."""

RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Conflicto against the floor.")
    parser.add_argument("--quick", action="store_true", help="under a minute, with less load and fewer stored rows")
    parser.add_argument("--only", default=",".join(SUITES), help=f"some of {','.join(SUITES)}")
    parser.add_argument("--out", type=Path, help=f"where to write the report; a full run writes {RESULTS.name} anyway")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    scale = QUICK if options.quick else FULL
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    watch, facts = machine.Watch(), machine.facts(scale)
    _tell(console, facts)
    sections: list[Section] = []
    for name in names:
        for section in SUITES[name](scale):
            show(console, section)
            sections.append(section)
    _tell(console, watch.facts())
    facts |= watch.facts()
    whole = scale is FULL and set(names) == set(SUITES)
    if out := options.out or (RESULTS if whole else None):
        out.write_text(markdown(facts, sections), encoding="utf-8")
        console.print(f"Written to {out}")


def _tell(console: Console, facts: dict[str, str]) -> None:
    for name, value in facts.items():
        console.print(f"{name}: {value}", highlight=False)


if __name__ == "__main__":
    main()
