"""Property tests of types: all built-in types pass, and each kind of failure is reported."""

from pathlib import Path

import pytest

from conflicto.activity_types.kit.property_tests import property_failures
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.registry import installed
from conflicto.aggregation.operations.count import CountState
from tests.unit.activity_types.test_loader import TYPES

EXAMPLES = Path(__file__).parents[3] / "examples/types"


@pytest.mark.parametrize("known", installed().types, ids=lambda known: known.name)
def test_generated_answers_of_built_in_types_are_counted_exactly(known) -> None:
    assert list(property_failures(known)) == []


@pytest.mark.parametrize("folder", [TYPES / "toast", EXAMPLES / "points", EXAMPLES / "hotspot/src/conflicto_hotspot/hotspot"])
def test_generated_answers_of_other_types_are_counted_exactly(folder: Path) -> None:
    assert list(property_failures(load_type(folder), seed=1)) == []


def test_a_wrong_count_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountState, "remove", lambda self, read: None)

    found = list(property_failures(load_type(TYPES / "toast")))

    assert [message for message in found if "breads of the aggregate differs from a recount of" in message]


def test_a_type_without_answers_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.activity_types.response_generator.generator.ResponseGenerator.generate", lambda self, rng: None)

    assert list(property_failures(load_type(TYPES / "toast"))) == [
        "no config of the examples or the schema has an answer that can be generated"
    ]
