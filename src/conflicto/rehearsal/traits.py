"""Names and random traits of bots."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES: tuple[str, ...] = tuple(json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8")))
INITIALS = "ABCDEFGHJKLMNPRSTVW"


@dataclass(frozen=True, slots=True)
class BotTraits:
    """Traits of one bot, each from 0 to 1. `rng` is the bot's own random generator."""

    speed: float
    skill: float
    talkativeness: float
    rng: Random


def random_traits(rng: Random) -> BotTraits:
    """Return random traits; `skill` lies between 0.3 and 0.95."""
    return BotTraits(rng.random(), rng.uniform(0.3, 0.95), rng.random(), Random(rng.random()))  # noqa: S311 - a simulation


def bot_names(rng: Random) -> Iterator[str]:
    """Yield unique names in random order: plain ones, then with initials, then with numbers."""
    plain = rng.sample(NAMES, len(NAMES))
    with_initials = (f"{name} {initial}." for initial in rng.sample(INITIALS, len(INITIALS)) for name in plain)
    yield from chain(plain, with_initials, (f"{plain[number % len(plain)]} {number}" for number in count(2)))
