"""Results of a large round after a restart: read from stored segments, byte for byte the same."""

from typing import Any

import pytest

from conflicto.app import App
from conflicto.responses.queries import live_responses
from conflicto.results import store
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, eventually

SPEC = {"words": {"path": "/t", "op": "words"}, "right": {"path": "/n", "op": "score", "key": "/n"}}


async def results(event: Event, activity: dict[str, Any], api: Api) -> list[Any]:
    path = f"{event.path}/activities/{activity['id']}/results"
    return [accepted(await api.get(path, token=token)) for token in (event.host, event.screen)]


SMALL_BOUNDS = {"queries.MAX_CHUNK_RESPONSES": 2, "queries.MAX_SEGMENT_RESPONSES": 5, "segment_service.MARGIN_RESPONSES": 1}


@pytest.mark.in_process
async def test_results_after_a_restart_come_from_segments_unless_something_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SMALL_BOUNDS.items():
        monkeypatch.setattr(f"conflicto.results.{name}", value)
    read: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        found = live_responses(*args, **kwargs)
        read.append(len(found))
        return found

    monkeypatch.setattr("conflicto.results.queries.live_responses", counted)
    async with App(settings).running() as app:
        event = await make_event(Api(app), word_filter={"mode": "mask", "languages": ["en"]})
        wall = await event.activity(
            status="active",
            response_policy="many",
            aggregate=SPEC,
            secret={"n": 1},
            results_visibility="always",
            moderation="after",
        )
        anna = await event.join()
        sent = [accepted(await event.answer(wall, anna, {"t": f"shit {n % 3}", "n": n % 2}), 201) for n in range(14)]
        before = await results(event, wall, event.api)

        async def are_stored() -> bool:
            found: int = await app.platform.db.read(lambda tx: len(tx.all(store.tally_segments.select())))
            return found == 2

    async with App(settings).running() as app:
        assert await results(event, wall, Api(app)) == before
        await eventually(are_stored)

    for amount, change in ((2, None), (8, "hidden")):
        async with App(settings).running() as app:
            api = Api(app)
            read.clear()
            assert await results(event, wall, api) == before
            assert sum(read) == amount, "responses in segments are not read again"
            if change is None:
                path = f"{event.path}/activities/{wall['id']}/responses/{sent[0]['id']}"
                accepted(await api.patch(path, {"moderation": "hidden"}, token=event.host))
                before = await results(event, wall, api)
                assert before[0]["response_count"] == 14
                assert before[1]["response_count"] == 13
