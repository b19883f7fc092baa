"""The feed of each role: visible items, tombstones and cursors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from conflicto.app import App
from tests.support.api import Api, Event, Seat, make_event
from tests.support.feed_reader import drain, page


def of(event: Event, activity: dict[str, Any]) -> str:
    return f"{event.path}/activities/{activity['id']}/responses"


async def changes(event: Event, token: str, since: str = "0", limit: int | None = None) -> tuple[list[dict[str, Any]], str]:
    return await drain(event.api, event.path + "/changes", since, token, limit)


def summarized(items: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(item["entity"], item["id"]) for item in items]


@asynccontextmanager
async def restarted(app: App) -> AsyncIterator[Api]:
    async with App(app.platform.settings, clock=app.platform.clock).running() as running:
        api = Api(running)
        yield api
        await api.http.aclose()


async def test_closed_view_has_no_cursor(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()

    for visibility, open_to in (("host", set()), ("screen", {event.screen}), ("participants", {event.screen, anna.token})):
        await api.patch(f"/activities/{poll['id']}", {"responses_visibility": visibility}, token=event.host)
        assert (await api.get(of(event, poll) + "/since/0", token=event.host)).status_code == 200
        for token in (event.screen, anna.token):
            for since in ("0", "now", "1763888720004210"):
                answer = await api.get(f"{of(event, poll)}/since/{since}", token=token)
                assert answer.status_code == (200 if token in open_to else 403)
                if answer.status_code == 403:
                    assert answer.json()["code"] == "responses-hidden"
                    assert {"feed-cursor", "link"}.isdisjoint(answer.headers)


async def test_view_opened_later_starts_at_the_beginning(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    anna = await event.join()
    for number in range(3):
        await event.answer(wall, anna, number)
    await api.patch(f"/activities/{wall['id']}", {"responses_visibility": "host"}, token=event.host)
    await api.post(f"{event.path}/activities/{wall['id']}/reset", token=event.host)
    await api.patch(f"/activities/{wall['id']}", {"responses_visibility": "participants"}, token=event.host)
    for number in range(3):
        await event.answer(wall, anna, number)

    for token in (event.screen, (await event.join("Bert")).token):
        items, _ = await drain(api, of(event, wall), "0", token, limit=2)
        assert [item["response_data"] for item in items] == [0, 1, 2]


async def test_open_activity_without_answers_has_an_empty_page(api: Api) -> None:
    event = await make_event(api)
    bert = await event.join("Bert")
    await page(api, event.path + "/changes", "0", bert.token)
    wall = await event.activity(status="active", responses_visibility="participants")

    for since in ("0", "now", "1763888720004210"):
        assert (await page(api, of(event, wall), since, bert.token))["items"] == []


async def test_participants_cursor_is_moved_by_control_and_own_rows_alone(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", moderation="after", responses_visibility="participants")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    _, cursor = await changes(event, bert.token)

    sent = await event.answer(wall, anna, 1)
    await event.answer(wall, anna, 2)
    cleo = await event.join("Cleo")
    await api.patch(f"{of(event, wall)}/{sent.json()['id']}", {"moderation": "hidden"}, token=event.host)
    await api.patch("/participants/me", {"nickname": "Anne"}, token=anna.token)
    await api.delete(f"/participants/{cleo.id}", token=event.host)
    assert await changes(event, bert.token, cursor) == ([], cursor)

    own = await event.answer(wall, bert, "mine")
    items, after_own = await changes(event, bert.token, cursor)
    assert summarized(items) == [("response", own.json()["id"])]
    assert after_own > cursor
    await api.post(f"{event.path}/lock", token=event.host)
    items, after_control = await changes(event, bert.token, after_own)
    assert summarized(items) == [("session", event.id)]
    assert after_control > after_own


async def test_participants_never_see_others_in_changes(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(
        status="active", response_policy="many", responses_visibility="participants", anonymous=True, min_group=2
    )
    anna, bert = await event.join("Anna"), await event.join("Bert")
    mine = [(await event.answer(wall, seat, 1)).json()["id"] for seat in (bert, anna, bert) if seat]
    await event.move(wall, "expired")

    items, _ = await changes(event, bert.token, limit=1)

    assert {entity_id for entity, entity_id in summarized(items) if entity == "response"} == {mine[0], mine[2]}
    assert {item["data"]["participant_id"] for item in items if item["entity"] == "response"} == {bert.id}
    assert [entity_id for entity, entity_id in summarized(items) if entity == "participant"] == [bert.id]
    everyone, _ = await changes(event, event.host)
    assert len([entity for entity, _ in summarized(everyone) if entity == "participant"]) == 2
    shown, _ = await changes(event, event.screen)
    assert {entity for entity, _ in summarized(shown)} == {"session", "activity", "response"}


async def test_screen_sees_the_answers_that_are_open_to_it(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="screen")
    anna = await event.join()
    shown = (await event.answer(wall, anna, 1)).json()["id"]
    closed = await event.activity(status="active")
    hidden = (await event.answer(closed, anna, 1)).json()["id"]

    for token, seen in ((event.screen, {shown}), (event.host, {shown, hidden})):
        items, _ = await changes(event, token, limit=2)
        assert {entity_id for entity, entity_id in summarized(items) if entity == "response"} == seen


async def test_drafts_are_never_sent(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    starts = {token: (await changes(event, token))[1] for token in (event.screen, anna.token)}
    gone = await event.activity(title="never shown")
    await api.patch(f"/activities/{gone['id']}", {"title": "still not shown"}, token=event.host)
    await api.delete(f"/activities/{gone['id']}", token=event.host)
    draft = await event.activity(title="draft", secret={"answer": 42})
    back = await event.activity(title="shown once")
    await event.move(back, "published")
    middle = {token: (await changes(event, token, since))[1] for token, since in starts.items()}
    await event.move(back, "draft")

    for token, since in starts.items():
        assert (await changes(event, token))[0] == [
            item for item in (await changes(event, token))[0] if item["entity"] != "activity"
        ]
        items, _ = await changes(event, token, since)
        assert summarized(items) == [("activity", back["id"])]
        tombstone, _ = await changes(event, token, middle[token])
        assert [(item["deleted"], item["data"]) for item in tombstone] == [(True, None)]
        for each in (gone, draft, back):
            assert (await api.get(f"{event.path}/activities/{each['id']}/status", token=token)).status_code == 404
            assert (await api.get(f"{of(event, each)}/since/0", token=token)).status_code == 404
    assert {entity_id for entity, entity_id in summarized((await changes(event, event.host))[0]) if entity == "activity"} == {
        draft["id"],
        back["id"],
    }


async def test_secret_is_sent_to_hosts_before_its_reveal_and_to_all_after(api: Api) -> None:
    event = await make_event(api)
    quiz = await event.activity(status="active", secret={"correct": "canary-7"})
    anna = await event.join()

    for token in (event.screen, anna.token):
        assert "canary-7" not in (await api.get(event.path + "/changes/since/0", token=token)).text
    assert "canary-7" in (await api.get(event.path + "/changes/since/0", token=event.host)).text
    await event.move(quiz, "expired")
    await api.post(f"{event.path}/activities/{quiz['id']}/reveal", {"secret": True}, token=event.host)
    for token in (event.screen, anna.token):
        assert "canary-7" in (await api.get(event.path + "/changes/since/0", token=token)).text


async def test_own_answers_behind_a_deleted_activity_are_not_lost(api: Api) -> None:
    event = await make_event(api)
    gone = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    for number in range(4):
        await event.answer(gone, anna, number)
    kept = await event.activity(status="active")
    mine = (await event.answer(kept, anna, "kept")).json()["id"]
    await api.delete(f"/activities/{gone['id']}", token=event.host)

    for limit in (1, 2, 3):
        items, _ = await changes(event, anna.token, limit=limit)
        assert [entity_id for entity, entity_id in summarized(items) if entity == "response"] == [mine], limit


async def test_recreated_memory_continues_where_the_old_one_stood(app: App, api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    await event.answer(wall, bert, 1)
    await event.answer(wall, anna, 2)
    places = [(event.path + "/changes", token) for token in (event.host, event.screen, anna.token, bert.token)]
    places += [(of(event, wall), token) for token in (event.host, event.screen, bert.token)]
    cursors = [(await drain(api, *place[:1], "0", place[1]))[1] for place in places]

    async with restarted(app) as other:
        for (path, token), cursor in zip(places, cursors, strict=True):
            body = await page(other, path, cursor, token)
            assert (body["items"], body["cursor"], "clamped" in body) == ([], cursor, False), path


async def test_worker_that_is_behind_never_sends_a_cursor_back(app: App, api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    async with restarted(app) as other:
        places = [(event.path + "/changes", token) for token in (event.host, event.screen, anna.token, bert.token)]
        places += [(of(event, wall), token) for token in (event.host, event.screen, bert.token)]
        for path, token in places:
            await drain(other, path, "0", token)
        await event.answer(wall, anna, 1)
        await api.post(f"{event.path}/lock", token=event.host)

        for path, token in places:
            _, cursor = await drain(api, path, "0", token)
            body = await page(other, path, cursor, token)
            assert (body["items"], body["cursor"], "clamped" in body) == ([], cursor, False), path


async def test_kicked_and_left_participants_become_tombstones(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active")
    seats: list[Seat] = [await event.join(name) for name in ("Anna", "Bert", "Cleo")]
    for seat in seats:
        await event.answer(wall, seat, seat.nickname)
    _, cursor = await changes(event, event.host)

    await api.delete(f"/participants/{seats[0].id}", token=event.host)
    await api.delete(f"/participants/{seats[1].id}?responses=delete", token=event.host)
    await api.delete("/participants/me", token=seats[2].token)

    items, _ = await changes(event, event.host, cursor)
    assert [(item["entity"], item["deleted"]) for item in items] == [
        ("participant", True), ("participant", True), ("response", True), ("participant", True), ("response", True),
    ]  # fmt: skip
    now, _ = await changes(event, event.host)
    assert [item["data"]["response_data"] for item in now if item["entity"] == "response"] == ["Anna"]
    assert [entity for entity, _ in summarized(now) if entity == "participant"] == []
    assert (await api.get(event.path + "/changes/since/0", token=seats[0].token)).status_code == 401
