"""Results and the leaderboard during changes by the host.

They never mix two versions of an activity, and readers never retry endlessly.
"""

from typing import Any

import pytest

from conflicto.app import App
from conflicto.results.tally_cache import TallyCache
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused
from tests.support.wire import listening, streamed

SPEC = {"right": {"path": "", "op": "score", "key": ""}}


async def scored(api: Api) -> tuple[Event, dict[str, Any]]:
    event = await make_event(api)
    riddle = await event.activity(type="riddle", status="active", secret=1, aggregate=SPEC, title="0")
    await event.answer(riddle, await event.join(), 1)
    return event, riddle


def edits(
    app: App, monkeypatch: pytest.MonkeyPatch, event: Event, riddle: dict[str, Any], when: range, *, early: bool = False
) -> None:
    """Edit the activity right before or right after the given reads of its JSON."""
    endpoints = next(route.endpoint for route in app.edge.routes if route.path.endswith("/leaderboard"))
    polls: Any = endpoints.__self__.handler._polls
    shared, readings = polls.single_flight, 0

    async def edited(head: Any, key: Any, read: Any) -> Any:
        nonlocal readings
        found = None if early else await shared(head, key, read)
        if key[0] == "contents":
            readings += 1
            if readings in when:
                await event.api.patch(f"/activities/{riddle['id']}", {"title": str(readings)}, token=event.host)
        return await shared(head, key, read) if early else found

    monkeypatch.setattr(polls, "single_flight", edited)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("when", [range(1, 2), range(2, 3), range(1, 4)])
async def test_an_edit_meanwhile_makes_both_read_again(
    app: App, api: Api, monkeypatch: pytest.MonkeyPatch, when: range, early: bool
) -> None:
    event, riddle = await scored(api)
    with monkeypatch.context() as patch:
        edits(app, patch, event, riddle, when, early=early)
        board = accepted(await api.get(f"{event.path}/leaderboard", token=event.host))
    with monkeypatch.context() as patch:
        edits(app, patch, event, riddle, when, early=early)
        await api.patch(f"/activities/{riddle['id']}", {"title": "anew"}, token=event.host)
        results = accepted(await api.get(f"{event.path}/activities/{riddle['id']}/results", token=event.host))

    assert (board["items"][0]["points"], results["results"]["right"]["correct"]) == (1000, 1)


async def test_edits_without_end_are_an_answer_to_come_back_for(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event, riddle = await scored(api)
    edits(app, monkeypatch, event, riddle, range(1, 1_000))

    for path in (f"{event.path}/leaderboard", f"{event.path}/activities/{riddle['id']}/results"):
        answer = await api.get(path, token=event.host)
        refused(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"


async def test_a_session_deleted_before_the_cache_was_notified_has_no_results(
    app: App, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, riddle = await scored(api)
    head = await app.domain.sessions.get(event.id)
    get = head.parts[TallyCache].get

    async def ahead(*args: Any) -> Any:
        kept = await get(*args)
        kept.seen_ts = head.ts + 1_000_000
        return kept

    async def gone(*args: Any, **kwargs: Any) -> None:
        """Return no session, as after its deletion."""

    monkeypatch.setattr(head.parts[TallyCache], "get", ahead)
    monkeypatch.setattr("conflicto.results.results_handler.MAX_COMMIT_WAIT_S", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(app.domain.sessions, "find", gone)
        refused(await api.get(f"{event.path}/activities/{riddle['id']}/results", token=event.host), 404, "not-found")


async def test_idle_streams_of_results_are_kept_awake(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
    event, riddle = await scored(api)
    async with listening(app) as port, streamed(port, f"{event.path}/activities/{riddle['id']}/results", event.host) as stream:
        while stream.received.comments < 2:
            await stream.part()
        assert len(stream.received.events) == 1
