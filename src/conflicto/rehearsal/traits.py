"""What scripted participants are called, and how each of them is."""

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
    """One scripted participant, all from 0 to 1: how quick, how knowing and how talkative they are; `chance` is theirs alone."""

    speed: float
    skill: float
    talkativeness: float
    rng: Random


def random_traits(chance: Random) -> BotTraits:
    """Return someone as they come; most know some things and nobody knows all."""
    return BotTraits(chance.random(), chance.uniform(0.3, 0.95), chance.random(), Random(chance.random()))  # noqa: S311 - a play


def bot_names(chance: Random) -> Iterator[str]:
    """Yield names, each once, in no order; when they are used up, with initials, and at last with numbers."""
    plain = chance.sample(NAMES, len(NAMES))
    longer = (f"{name} {initial}." for initial in chance.sample(INITIALS, len(INITIALS)) for name in plain)
    yield from chain(plain, longer, (f"{plain[nth % len(plain)]} {nth}" for nth in count(2)))
