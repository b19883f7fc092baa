"""A figure beside the one that was committed. Only ratios are compared: machines differ, and so do their days.

A ratio to the floor still depends on the machine. Where the client is busy throughout, it is the limit of us and of nginx alike, and
on another processor the same program is 3.5 or 2.3 times the floor. The ratio to nginx then stays, so a figure is lost only
where it is lost beside every mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOSS = 0.25
"""More than this share of a ratio must be gone before anyone is bothered."""


MARKS = {"ratio": "the floor", "of_nginx": "nginx"}
"""The names in bench/results.json of what a figure is divided by."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A row's ratio to one mark, as committed and as measured in each run."""

    name: str
    committed: float
    measured: tuple[float, ...]

    @property
    def lost(self) -> bool:
        """Tell whether every run lost too much; one good run shows that the program still can."""
        return all(each < self.committed * (1 - LOSS) for each in self.measured)

    def __str__(self) -> str:
        runs = ", ".join(f"{each:.2f} × ({each / self.committed - 1:+.0%})" for each in self.measured)
        return f"{runs} {MARKS[self.name]}, committed {self.committed:.2f} ×"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row beside all its marks."""

    name: str
    marks: tuple[Mark, ...]

    @property
    def lost(self) -> bool:
        """Tell whether the row lost too much beside each mark."""
        return all(each.lost for each in self.marks)

    def __str__(self) -> str:
        return f"{'LOST' if self.lost else 'ok':4}  {self.name}: {'; '.join(map(str, self.marks))}"


def compare(committed: Mapping[str, Any], runs: Sequence[Mapping[str, Mapping[str, float]]]) -> tuple[list[Comparison], list[str]]:
    """Compare the rows of each run, ratios by mark, with the committed ones; return also the names that were not committed."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    found = [Comparison(name, _marks(committed.get("rows", {}).get(name, {}), name, runs)) for name in names]
    return [each for each in found if each.marks], [each.name for each in found if not each.marks]


def _marks(figure: Mapping[str, Any], row: str, runs: Sequence[Mapping[str, Mapping[str, float]]]) -> tuple[Mark, ...]:
    measured = {name: tuple(run[row][name] for run in runs if name in run.get(row, {})) for name in MARKS if name in figure}
    return tuple(Mark(name, figure[name], values) for name, values in measured.items() if values)
