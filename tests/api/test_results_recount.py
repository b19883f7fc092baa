"""The invariant of results: they equal a recount of the responses in the feed, at any time."""

import os
from collections import Counter
from random import Random
from typing import Any

import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.api.test_feed_fold import KINDS, Walk
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted
from tests.support.clocks import HandClock

STEPS = 70
SEEDS = range(int(os.environ.get("WALK_SEEDS", "2")))
SPEC = {
    "choices": {"path": "/c", "op": "count"},
    "numbers": {"path": "/n", "op": "number"},
    "words": {"path": "/w", "op": "words"},
    "score": {"path": "/n", "op": "score", "key": "/right"},
}


class CountedWalk(Walk):
    """A random walk with counted activities, and responses that fit and do not fit."""

    async def _make(self) -> Any:
        fields = {
            "type": "lunch",
            "status": "active",
            "response_policy": self.rng.choice(["one", "many", "first"]),
            "moderation": self.rng.choice(["off", "after", "before"]),
            "results_visibility": "always",
            "secret": {"right": 3},
            "aggregate": SPEC,
        }
        answer = await self._host("POST", self.event.path + "/activities", fields)
        self.activities.append(answer.json()["id"])
        return answer

    async def _edit(self) -> Any:
        if self.rng.random() < 0.5:
            return await super()._edit()
        change = self.rng.choice(
            [{"secret": {"right": self.rng.randrange(5)}}, {"aggregate": dict(self.rng.sample(list(SPEC.items()), 3))}]
        )
        return await self._host("PATCH", self._activity() + "?force=true", change)

    async def _answer(self) -> Any:
        activity, seat = self.rng.choice(self.activities[-2:]), self.rng.choice(self.seats)
        fitting = {"c": self.rng.sample("abcd", 2), "n": self.rng.randrange(5), "w": self.rng.choice(["Hi", "hi there", "HI"])}
        answer = await self.event.answer(
            {"id": activity}, seat, self.rng.choice([fitting, fitting, fitting, None, [fitting], {"c": {"n": 1}}])
        )
        if answer.status_code < 300:
            self.responses.append((activity, answer.json()["id"], seat))
        return answer


def recount(answers: list[dict[str, Any]], spec: dict[str, Any], secret: Any) -> dict[str, Any]:
    """Count naively, from the responses alone."""
    data = [each["response_data"] for each in answers if isinstance(each["response_data"], dict)]
    choices = Counter(choice for each in data if isinstance(each.get("c"), list) for choice in set(each["c"]))
    numbers = [each["n"] for each in data if "n" in each]
    words = Counter(word for each in data if "w" in each for word in {text.casefold() for text in each["w"].split()})
    found = {
        "choices": sorted(choices.items()),
        "numbers": (len(numbers), sum(numbers), min(numbers, default=None), max(numbers, default=None)),
        "words": sorted(words.items()),
        "score": (len(numbers), sum(number == secret["right"] for number in numbers)),
    }
    return {name: found[name] for name in spec}


def without_times(results: dict[str, Any]) -> dict[str, Any]:
    read = {
        "choices": lambda it: sorted((each["value"], each["count"]) for each in it["values"] if isinstance(each["value"], str)),
        "numbers": lambda it: (it["answers"], it["sum"], it["min"], it["max"]),
        "words": lambda it: sorted((each["word"].casefold(), each["count"]) for each in it["words"]),
        "score": lambda it: (it["answers"], it["correct"]),
    }
    return {name: read[name](result) for name, result in results.items()}


async def agrees(event: Event, activity_id: str) -> int:
    """Compare every round of an activity with a recount; return the number of counted responses."""
    path = f"{event.path}/activities/{activity_id}"
    answer = await event.api.get(path, token=event.host)
    if answer.status_code == 404:
        return 0
    activity = answer.json()
    items = accepted(await event.api.get(f"{path}/responses/since/0?limit=1000", token=event.host))["items"]
    for round_number in range(1, activity["round"] + 1):
        for token, seen in ((event.host, {"visible", "pending", "hidden"}), (event.screen, {"visible"})):
            mine = [each for each in items if each["round"] == round_number and each["moderation"] in seen and not each["deleted"]]
            body = accepted(await event.api.get(f"{path}/results?round={round_number}", token=token))
            expected = recount(mine, activity["aggregate"], activity["secret"])
            if token == event.screen and "score" in expected and body["results"]["score"]["correct"] is None:
                expected["score"] = (expected["score"][0], None)
            assert without_times(body["results"]) == expected
            assert body["response_count"] == len(mine)
    return len(items)


@pytest.mark.catalogue("C-02")
@pytest.mark.parametrize("seed", SEEDS)
async def test_results_are_a_recount_at_any_moment(api: Api, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.results.queries.MAX_CHUNK_RESPONSES", 3)
    rng = Random(seed)
    walk = CountedWalk(await make_event(api), rng)
    await walk._make()
    for _ in range(3):
        await walk._join()
    counted = 0
    for number in range(1, STEPS + 1):
        await walk.step()
        if rng.random() < 0.05:
            await api.app.domain.sessions.find(walk.event.id, fresh=True)
        for activity_id in walk.activities if number % 10 == 0 else rng.sample(walk.activities, 1):
            counted += await agrees(walk.event, activity_id)
    assert counted > 10
    assert set(walk.done) >= {"answer", "edit", "move"} <= set(KINDS)


async def test_results_outlive_the_process(api: Api, app: App, settings: Settings, clock: HandClock) -> None:
    walk = CountedWalk(await make_event(api), Random(7))
    await walk._make()
    await walk._join()
    for _ in range(30):
        await walk._answer()
        await walk._change()
    before = [await api.get(f"{walk.event.path}/activities/{each}/results", token=walk.event.host) for each in walk.activities]
    await app.domain.writer.stop()

    async with App(settings, clock=clock).running() as again:
        later = Api(again)
        after = [await later.get(f"{walk.event.path}/activities/{each}/results", token=walk.event.host) for each in walk.activities]
        await later.http.aclose()
    assert [each.content for each in after if each.status_code == 200] == [
        each.content for each in before if each.status_code == 200
    ]
    assert any(each.status_code == 200 and each.json()["response_count"] for each in after)
