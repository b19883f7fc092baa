"""Results over HTTP for a round with more distinct keys than fit in memory."""

import pytest

from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.clocks import HandClock


async def test_results_of_more_keys_than_memory_holds_are_sent_in_snapshots(
    api: Api, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.aggregation.operations.words.WordsState.max_entries", 5)
    event = await make_event(api)
    spec = {"cloud": {"path": "", "op": "words", "top": 2}}
    cloud = await event.activity(aggregate=spec, status="active", response_policy="many")
    path = f"{event.path}/activities/{cloud['id']}/results"
    anna = await event.join("Anna")
    for text in ("tea one two three", "Tea four five six", "coffee seven", "coffee"):
        accepted(await event.answer(cloud, anna, text), 201)

    first = accepted(await api.get(path, token=event.host))
    assert first["results"]["cloud"] == {
        "op": "words", "answers": 4, "words": [{"word": "coffee", "count": 2}, {"word": "Tea", "count": 2}], "others": 7, "truncated": True,
    }  # fmt: skip
    assert first["response_count"] == 4

    sent = accepted(await event.answer(cloud, anna, "coffee eight"), 201)
    assert accepted(await api.get(path, token=event.host)) == first
    clock.advance(5)
    second = accepted(await api.get(path, token=event.host))
    assert (second["response_count"], second["results"]["cloud"]["words"][0]) == (5, {"word": "coffee", "count": 3})

    accepted(await api.delete(f"{event.path}/activities/{cloud['id']}/responses/{sent['id']}", token=event.host), 204)
    clock.advance(5)
    assert accepted(await api.get(path, token=event.host))["results"] == first["results"]
