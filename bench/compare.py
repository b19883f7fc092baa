"""Comparison of figures with the committed ones.

Only ratios are compared, because machines differ.

A ratio to the floor still depends on the machine. Where the client is the limit, another processor
changes the ratio from 3.5 to 2.3. The ratio to nginx stays, so a figure counts as lost only if
every mark lost it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LOSS = 0.25
"""Largest tolerated loss of a ratio."""


MARKS = {"ratio": "the floor", "of_nginx": "nginx"}
"""Names in bench/results.json of the divisors of a figure."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Ratio of a row to one mark, as committed and as measured in each run."""

    name: str
    committed: float
    measured: tuple[float, ...]

    @property
    def lost(self) -> bool:
        """Return whether every run lost too much.

        One good run shows that the program is still fast enough.
        """
        return all(each < self.committed * (1 - MAX_LOSS) for each in self.measured)

    def __str__(self) -> str:
        runs = ", ".join(f"{each:.2f} × ({each / self.committed - 1:+.0%})" for each in self.measured)
        return f"{runs} {MARKS[self.name]}, committed {self.committed:.2f} ×"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row with all its marks."""

    name: str
    marks: tuple[Mark, ...]

    @property
    def lost(self) -> bool:
        """Return whether the row lost too much against each mark."""
        return all(each.lost for each in self.marks)

    def __str__(self) -> str:
        return f"{'LOST' if self.lost else 'ok':4}  {self.name}: {'; '.join(map(str, self.marks))}"


def compare(committed: Mapping[str, Any], runs: Sequence[Mapping[str, Mapping[str, float]]]) -> tuple[list[Comparison], list[str]]:
    """Compare the rows of each run with the committed ones.

    Also return names without a committed row.
    """
    names = list(dict.fromkeys(name for run in runs for name in run))
    found = [Comparison(name, _marks(committed.get("rows", {}).get(name, {}), name, runs)) for name in names]
    return [each for each in found if each.marks], [each.name for each in found if not each.marks]


def _marks(figure: Mapping[str, Any], row: str, runs: Sequence[Mapping[str, Mapping[str, float]]]) -> tuple[Mark, ...]:
    measured = {name: tuple(run[row][name] for run in runs if name in run.get(row, {})) for name in MARKS if name in figure}
    return tuple(Mark(name, figure[name], values) for name, values in measured.items() if values)
