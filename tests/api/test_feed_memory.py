"""Pages from memory equal pages from the database, byte for byte."""

from typing import Any

import pytest

from conflicto.app import App
from conflicto.responses.recent_responses import RecentResponses
from tests.support.api import Api, Event, cold, make_event
from tests.support.queries import counted_statements

LIMITS = (1, 2, 100)


async def lived(event: Event) -> tuple[dict[str, Any], list[str]]:
    """Create a session whose feed has every kind of item.

    Returns an activity with responses, and the tokens of all roles.
    """
    api, anna = event.api, await event.join("Anna")
    wall = await event.activity(status="active", response_policy="many", moderation="after", responses_visibility="participants")
    bert, cleo = await event.join("Bert"), await event.join("Cleo")
    of = f"{event.path}/activities/{wall['id']}/responses"
    sent = [(await event.answer(wall, seat, number)).json() for number, seat in enumerate((anna, bert, cleo, anna, bert))]
    await api.patch(f"{of}/{sent[0]['id']}", {"moderation": "hidden"}, token=event.host)
    await api.put(f"{of}/{sent[1]['id']}", {"response_data": "anew"}, token=bert.token)
    await api.delete(f"{of}/{sent[3]['id']}", token=anna.token)
    await api.patch("/participants/me", {"nickname": "Bertha"}, token=bert.token)
    draft = await event.activity(title="never shown")
    await api.delete(f"/activities/{draft['id']}", token=event.host)
    quiz = await event.activity(status="active", secret={"correct": 1}, anonymous=True)
    await event.answer(quiz, anna, "anonymous")
    await api.delete(f"/participants/{cleo.id}?responses=delete", token=event.host)
    await api.post(f"{event.path}/activities/{quiz['id']}/rounds", {}, token=event.host)
    await event.answer(quiz, bert, "second round")
    return wall, [event.host, event.screen, anna.token, bert.token]


async def test_pages_from_memory_are_those_of_the_database(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    await api.get(f"{event.path}/status", token=event.host)
    wall, tokens = await lived(event)
    changes = (await api.get(f"{event.path}/changes/since/0?limit=1000", token=event.host)).json()["items"]
    stamps = ["0", *(item["updated_at"].replace("+", "%2B") for item in changes)]
    feeds = (f"{event.path}/changes", f"{event.path}/activities/{wall['id']}/responses")

    async with cold(app, monkeypatch) as other:
        for token in tokens:
            for path in (f"{feed}/since/{stamp}?limit={limit}" for feed in feeds for stamp in stamps for limit in LIMITS):
                remembered, stored = await api.get(path, token=token), await other.get(path, token=token)
                assert (remembered.status_code, remembered.content) == (stored.status_code, stored.content), path
                assert remembered.headers["etag"] == stored.headers["etag"]


@pytest.mark.usefixtures("undisturbed")
async def test_whoever_is_nearly_up_to_date_costs_no_query_but_one_for_new_json(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    seats = [await event.join(f"Guest {number}") for number in range(8)]
    start = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
    await api.get(f"{event.path}/changes/since/{start}", token=event.host)
    for number, seat in enumerate(seats):
        await event.answer(wall, seat, number)
    with counted_statements(api.app.platform.db) as seen:
        for token in (event.host, event.screen, *(seat.token for seat in seats)):
            page = (await api.get(f"{event.path}/changes/since/{start}", token=token)).json()
            assert page["count"] == (8 if token in {event.host, event.screen} else 1)
            await api.get(f"{event.path}/activities/{wall['id']}/responses/since/{start}", token=token)
    assert seen == []

    await api.patch(f"/activities/{wall['id']}?force=true", {"config": {"new": True}}, token=event.host)
    with counted_statements(api.app.platform.db) as seen:
        for token in (event.host, event.screen, *(seat.token for seat in seats)):
            page = (await api.get(f"{event.path}/changes/since/{start}", token=token)).json()
            assert page["items"][-1]["data"]["config"] == {"new": True}
    assert len([statement for statement in seen if "config_text" in statement]) == 1


@pytest.mark.usefixtures("undisturbed")
async def test_a_phone_that_joined_here_begins_without_the_database(api: Api) -> None:
    event = await make_event(api)
    await event.activity(status="active")
    await api.get(f"{event.path}/changes/since/0", token=(await event.join("Anna")).token)
    bert = await event.join("Bert")

    with counted_statements(api.app.platform.db) as seen:
        page = (await api.get(f"{event.path}/changes/since/0", token=bert.token)).json()

    assert ({item["entity"] for item in page["items"]}, seen) == ({"session", "activity", "participant"}, [])


@pytest.mark.parametrize(("rows", "characters"), [(3, 10_000), (1_000, 240)])
async def test_memory_is_bounded_and_hands_over_to_the_database(
    app: App, api: Api, monkeypatch: pytest.MonkeyPatch, rows: int, characters: int
) -> None:
    monkeypatch.setattr("conflicto.responses.recent_responses.MAX_ROWS", rows)
    monkeypatch.setattr("conflicto.responses.recent_responses.MAX_TEXT_BYTES", characters)
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    anna = await event.join()
    start = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
    for number in range(12):
        await event.answer(wall, anna, f"answer {number}")

    head = await app.domain.sessions.get(event.id)
    assert len(head.parts[RecentResponses].own_responses(anna.id)) < 5
    for token in (event.host, event.screen, anna.token):
        page = (await api.get(f"{event.path}/changes/since/{start}", token=token)).json()
        assert [item["data"]["response_data"] for item in page["items"]] == [f"answer {number}" for number in range(12)]


async def test_memory_of_configs_is_bounded(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.session_state.config_cache.MAX_CONTENT_BYTES", 100)
    event = await make_event(api)
    start = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
    for number in range(4):
        made = await event.activity(config={"text": "x" * 60, "number": number})
        page = (await api.get(f"{event.path}/changes/since/{start}", token=event.host)).json()
        assert page["items"][-1]["data"]["config"] == made["config"]
        start = page["cursor"]
    assert len((await app.domain.sessions.get(event.id)).configs) == 1


async def test_memory_of_many_seats_is_bounded_and_forgets_them_whole(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.responses.recent_responses.MAX_ROWS", 3)
    monkeypatch.setattr("conflicto.session_state.state.MAX_SEATS", 3)
    event = await make_event(api)
    wall = await event.activity(status="active", responses_visibility="participants")
    start = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
    seats = [await event.join(f"Guest {number}") for number in range(6)]
    for seat in seats:
        await event.answer(wall, seat, seat.nickname)

    head = await app.domain.sessions.get(event.id)
    assert [bool(head.parts[RecentResponses].own_responses(seat.id)) for seat in seats] == [False] * 3 + [True] * 3
    assert [head.recent_seats.get(seat.id) is not None for seat in seats] == [False] * 3 + [True] * 3
    page = (await api.get(f"{event.path}/changes/since/{start}", token=event.host)).json()
    assert page["count"] == 12


async def test_an_edit_while_its_json_is_read_never_pairs_old_and_new(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    start = (await api.get(f"{event.path}/changes/since/now", token=event.host)).json()["cursor"]
    made = await event.activity(config={"edit": 0})
    endpoints = next(route.endpoint for route in app.edge.routes if route.path.endswith("/changes/since/{timestamp}"))
    polls: Any = endpoints.__self__.polls
    shared, edits = polls.single_flight, 0

    async def edited_meanwhile(head: Any, key: Any, read: Any) -> Any:
        nonlocal edits
        found = await shared(head, key, read)
        if key[0] == "contents" and edits < 3:
            edits += 1
            await api.patch(f"/activities/{made['id']}", {"config": {"edit": edits}}, token=event.host)
        return found

    monkeypatch.setattr(polls, "single_flight", edited_meanwhile)
    (item,) = (await api.get(f"{event.path}/changes/since/{start}", token=event.host)).json()["items"]

    assert edits == 2
    assert (item["data"]["config"], item["revision"]) == ({"edit": 2}, 3)


async def test_an_outdated_page_is_not_cached(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    read = app.platform.db.read

    async def overtaken(query: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(query, *args, **kwargs)
        if query.__name__ == "read_responses":
            await event.answer(wall, anna, "just now")
        return found

    path = f"{event.path}/activities/{wall['id']}/responses/since/0"
    with monkeypatch.context() as patch:
        patch.setattr(app.platform.db, "read", overtaken)
        assert (await api.get(path, token=event.host)).json()["count"] == 0
    assert (await api.get(path, token=event.host)).json()["count"] == 1
