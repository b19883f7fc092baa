"""Whether a figure is worse than the one that was committed. Only ratios are compared: machines differ, and so do their days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOSS = 0.25
"""More than this share of a ratio must be gone before anyone is bothered."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row's ratio to the floor, as committed and as measured in each run."""

    name: str
    committed: float
    measured: tuple[float, ...]

    @property
    def lost(self) -> bool:
        """Tell whether every run lost too much; one good run shows that the program still can."""
        return bool(self.measured) and all(each < self.committed * (1 - LOSS) for each in self.measured)

    def __str__(self) -> str:
        runs = ", ".join(f"{each:.2f} × ({each / self.committed - 1:+.0%})" for each in self.measured)
        return f"{'LOST' if self.lost else 'ok':4}  {self.name}: committed {self.committed:.2f} ×, measured {runs}"


def compare(committed: Mapping[str, Any], runs: Sequence[Mapping[str, float]]) -> tuple[list[Comparison], list[str]]:
    """Compare what both sides have; return also the names of the measured rows that were not committed."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    known = {name: committed["rows"][name]["ratio"] for name in names if "ratio" in committed.get("rows", {}).get(name, {})}
    compared = [Comparison(name, ratio, tuple(run[name] for run in runs if name in run)) for name, ratio in known.items()]
    return compared, [name for name in names if name not in known]
