"""The cases that engines are tried in, and the sample of them that CI runs."""

from itertools import combinations, product
from typing import NamedTuple

ENGINES = ("chromium", "firefox", "webkitgtk")
FLOWS = ("join", "answer", "reload", "reveal", "offline", "host", "screen", "silent")
LANGUAGES = ("en", "de", "ar")
TRANSPORTS = ("stream", "poll")


class Case(NamedTuple):
    """One run of a flow."""

    engine: str
    flow: str
    language: str
    transport: str

    def pairs(self) -> set[tuple[tuple[int, str], ...]]:
        """Return every two values of this case, with their places."""
        return set(combinations(enumerate(self), 2))


def matrix() -> list[Case]:
    """Return every case: 144."""
    return [Case(*values) for values in product(ENGINES, FLOWS, LANGUAGES, TRANSPORTS)]


def sample() -> list[Case]:
    """Return cases in which every two values of different dimensions meet at least once.

    The choice is greedy and deterministic: the case with most missing pairs comes next, and of
    equals the first of the matrix.
    """
    cases, chosen = matrix(), []
    missing = set().union(*(case.pairs() for case in cases))
    while missing:
        best = max(cases, key=lambda case: len(case.pairs() & missing))
        missing -= best.pairs()
        chosen.append(best)
    return chosen
