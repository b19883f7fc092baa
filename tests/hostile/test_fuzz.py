"""Raw-byte mutations of valid requests to an app in this process (reliability J-15).

All readers read everything again afterwards.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conflicto.app import App
from conflicto.platform.strict_json import JsonInvalid, JsonLimits
from tests.support.fuzzing.cases import Case, seeds
from tests.support.fuzzing.fuzzer import Fuzz
from tests.support.fuzzing.mutation import mutated
from tests.support.fuzzing.world import World

CORPUS = {path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "corpus").glob("*.json"))}
"""A file for each fault that the fuzzer found: the request, and the fault."""

PARTS = 4

Counted = Callable[[str], None]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.catalogue("J-15")
async def test_no_request_breaks_a_reader(app: App, part: int, cases: int, first: int, seed: str, counted: Counted) -> None:
    fuzz = Fuzz(app, f"{seed}.{part}")
    await fuzz.run(max(1, cases // (2 * PARTS)), first)
    counted(fuzz.report())

    assert fuzz.faults == [], "\n\n".join(fuzz.faults[:3])


@pytest.mark.parametrize("found", CORPUS)
async def test_what_was_found_once_stays_mended(app: App, found: str) -> None:
    fuzz, world = Fuzz(app, found), await World.make(app)
    await fuzz.one(world, _case(CORPUS[found]), 0)

    assert fuzz.faults + await world.read_back(fuzz.judge) == []
    assert sum(fuzz.statuses.values()) == 1


def _case(described: dict[str, Any]) -> Case:
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in described["headers"])
    return Case(described["method"].encode(), described["target"].encode(), headers, described["body"].encode("latin-1"))


def lenient(body: bytes, limits: JsonLimits) -> bytes:
    """Return a body as Python's own parser accepts it, without our stricter rules."""
    try:
        return json.dumps(json.loads(body)).encode()
    except ValueError:
        raise JsonInvalid from None


async def test_a_gate_that_passes_poison_is_detected(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer detects the faults that it is designed for."""
    monkeypatch.setattr("conflicto.platform.http.request_body.compact", lenient)
    monkeypatch.setattr("conflicto.platform.http.request_pipeline._log_error", lambda *args: None)
    fuzz = Fuzz(app, "poison")
    await fuzz.run(1_200)

    assert fuzz.faults != []


async def test_a_seed_means_the_same_requests_for_ever(app: App) -> None:
    valid = seeds(app.edge.routes)
    assert [mutated(valid, "7", index) for index in range(50)] == [mutated(valid, "7", index) for index in range(50)]
    assert mutated(valid, "7", 1) != mutated(valid, "8", 1)
    assert len({mutated(valid, "7", index) for index in range(1_000)}) > 800
