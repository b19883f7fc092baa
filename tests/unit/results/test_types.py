"""Specs of registered types: valid, and every entry finds data in the type's own examples."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from conflicto.activity_types.model import ActivityType
from conflicto.activity_types.registry import installed
from conflicto.aggregation.spec import validate_spec
from conflicto.results.tally import RoundTally, TallyInputs, results_by_name

NOBODYS = UUID(int=0)


@dataclass
class Given:
    """A response of an example."""

    text: str
    participant_id: int
    id: UUID = NOBODYS
    received_us: int = 1
    created_ts: int = 1
    deleted: bool = False
    is_visible: bool = True
    masked: None = None


@pytest.mark.parametrize("known", installed().types, ids=lambda known: known.name)
def test_every_entry_of_a_types_spec_counts_its_examples(known: ActivityType) -> None:
    validate_spec(known.aggregate)
    answered: dict[str, int] = {}
    for example in known.examples:
        secret = json.dumps(example["secret"]) if "secret" in example else None
        tally = RoundTally(TallyInputs(known.aggregate, secret, 0, 60, config=json.dumps(example["config"])))
        given = [Given(json.dumps(response), number) for number, response in enumerate(example["responses"], start=1)]
        for each in given:
            tally.change(None, each)
        results: dict[str, Any] = results_by_name(tally, is_host=True, is_scored=True, is_anonymous=False)
        for name, result in results.items():
            answered[name] = answered.get(name, 0) + result["answers"]
        for each in given:
            tally.remove(each)
        emptied = results_by_name(tally, is_host=True, is_scored=True, is_anonymous=False)
        assert [result["answers"] for result in emptied.values()] == [0] * len(emptied)

    assert set(answered) == set(json.loads(known.aggregate or "{}"))
    assert all(answered.values()), answered
