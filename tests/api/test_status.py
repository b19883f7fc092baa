"""Status of sessions and activities: bodies, ETags and snapshots."""

from typing import Any

import pytest

from conflicto.session_state.views import View
from tests.support.api import Api, Event, make_event
from tests.support.clocks import HandClock
from tests.support.feed_reader import drain
from tests.support.queries import counted_statements

SESSION_KEYS = {"session_id", "status", "current_activity_id", "shown_activity_id", "participant_count", "locked", "last_updated"}
ACTIVITY_KEYS = {
    "activity_id", "status", "response_count", "last_response_at", "last_updated", "round", "ends_at", "results_revealed",
    "secret_revealed", "withheld",
}  # fmt: skip


def of(event: Event, activity: dict[str, Any] | None = None) -> str:
    return f"{event.path}/activities/{activity['id']}/status" if activity else event.path + "/status"


async def read(event: Event, token: str, activity: dict[str, Any] | None = None, tag: str | None = None) -> Any:
    headers = {"if-none-match": tag} if tag else {}
    answer = await event.api.get(of(event, activity), token=token, headers=headers)
    assert answer.status_code in {200, 304}, answer.text
    return answer


async def test_session_status_follows_every_change(api: Api) -> None:
    event = await make_event(api, active=False)

    async def shown() -> dict[str, Any]:
        body = (await read(event, event.host)).json()
        assert set(body) == SESSION_KEYS | {"near_cap"}
        return body

    start = await shown()
    assert {"session_id": event.id, "status": "draft", "current_activity_id": None, "participant_count": 0}.items() <= start.items()
    await event.open()
    poll = await event.activity(status="active")
    running = await shown()
    assert (running["status"], running["current_activity_id"], running["shown_activity_id"]) == ("active", poll["id"], poll["id"])
    seat = await event.join()
    joined = await shown()
    assert joined["participant_count"] == 1
    assert joined["last_updated"] > running["last_updated"] > start["last_updated"]
    await event.answer(poll, seat, 1)
    assert await shown() == joined
    await event.move(poll, "expired")
    assert ((await shown())["current_activity_id"], (await shown())["shown_activity_id"]) == (None, poll["id"])
    await api.post(event.path + "/lock", token=event.host)
    assert (await shown())["locked"] is True
    await api.patch(event.path, {"status": "completed"}, token=event.host)
    ended = await read(event, event.host)
    assert (ended.json()["status"], ended.headers["poll-after"]) == ("completed", "60000")


async def test_activity_status_counts_and_dates_the_answers(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", duration_seconds=600)
    seats = [await event.join(name) for name in ("Anna", "Bert")]
    empty = (await read(event, event.host, poll)).json()
    assert set(empty) == ACTIVITY_KEYS
    assert (empty["response_count"], empty["last_response_at"], empty["round"]) == (0, None, 1)
    assert empty["ends_at"] > empty["last_updated"]

    sent = [(await event.answer(poll, seat, 1)).json() for seat in seats]
    for token in (event.host, event.screen):
        body = (await read(event, token, poll)).json()
        assert (body["response_count"], body["last_response_at"]) == (2, sent[1]["updated_at"])
        assert body["last_updated"] == sent[1]["updated_at"]
    await api.delete(f"{event.path}/activities/{poll['id']}/responses/{sent[1]['id']}", token=event.host)
    after = (await read(event, event.host, poll)).json()
    assert (after["response_count"], after["last_response_at"]) == (1, sent[0]["updated_at"])
    assert after["last_updated"] > sent[1]["updated_at"]
    await api.post(f"{event.path}/activities/{poll['id']}/reveal", {"results": True}, token=event.host)
    assert (await read(event, seats[0].token, poll)).json()["results_revealed"] is True


async def test_participants_counts_are_a_snapshot_of_five_seconds(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join("Anna")
    first = await read(event, anna.token, poll), await read(event, anna.token)

    await event.answer(poll, anna, 1)
    bert = await event.join("Bert")
    for seat in (anna, bert):
        assert (await read(event, seat.token, poll)).content == first[0].content
        assert (await read(event, seat.token)).content == first[1].content
    clock.advance(4.5)
    assert (await read(event, anna.token, poll, first[0].headers["etag"])).status_code == 304
    clock.advance(0.6)
    assert (await read(event, bert.token, poll)).json()["response_count"] == 1
    assert (await read(event, bert.token)).json()["participant_count"] == 2
    assert (await read(event, anna.token, poll, first[0].headers["etag"])).status_code == 200
    host = (await read(event, event.host, poll)).json()
    assert host["response_count"] == 1


async def test_control_changes_reach_participants_at_once(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    await event.answer(poll, anna, 1)
    tag = (await read(event, anna.token, poll)).headers["etag"]

    await event.move(poll, "expired")

    moved = await read(event, anna.token, poll, tag)
    assert (moved.status_code, moved.json()["status"]) == (200, "expired")
    assert (await read(event, anna.token)).json()["current_activity_id"] is None


async def test_same_tag_exactly_if_same_bytes(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", moderation="after")
    anna = await event.join()
    tokens = (event.host, event.screen, anna.token)
    bytes_by_tag: dict[str, bytes] = {}
    tags_by_bytes: dict[bytes, str] = {}

    async def look() -> None:
        for token in tokens:
            for activity in (None, poll):
                answer = await read(event, token, activity)
                tag = answer.headers["etag"]
                assert bytes_by_tag.setdefault(tag, answer.content) == answer.content
                assert tags_by_bytes.setdefault(answer.content, tag) == tag
                again = await read(event, token, activity, tag)
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)

    await look()
    for number in range(3):
        await event.answer(poll, anna, number)
        await look()
        clock.advance(6)
        await look()
    await api.post(event.path + "/lock", token=event.host)
    await look()
    await api.post(event.path + "/lock", {"locked": False}, token=event.host)
    await look()
    assert len(bytes_by_tag) == 10


@pytest.mark.in_process
async def test_conditions_compare_weakly_and_take_lists(api: Api) -> None:
    event = await make_event(api)
    answer = await read(event, event.host)
    tag = answer.headers["etag"]
    opaque = tag.removeprefix("W/")
    assert tag.startswith('W/"')

    for condition in (tag, opaque, "*", f'"x", {tag}', f'{opaque} , "y"', f'W/"x",{opaque},W/"y"', " * "):
        again = await read(event, event.host, tag=condition)
        assert again.status_code == 304, condition
        for name in ("etag", "cache-control", "vary", "poll-after"):
            assert again.headers[name] == answer.headers[name]
    for condition in ('"x"', 'W/"x"', opaque.strip('"'), opaque[:-2] + '"', "**", '"*"', "W/*", f'"{opaque}"'):
        assert (await read(event, event.host, tag=condition)).status_code == 200, condition
    head = await api.request("HEAD", of(event), token=event.host)
    assert (head.content, head.headers["etag"], head.headers["content-length"]) == (b"", tag, str(len(answer.content)))
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["ratelimit-policy"] == '"poll";q=600;w=60'


@pytest.mark.usefixtures("undisturbed")
async def test_polls_without_changes_read_nothing_from_the_database(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", responses_visibility="participants")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    await event.answer(poll, anna, 1)
    tokens = (event.host, event.screen, anna.token, bert.token)
    feeds = (event.path + "/changes", f"{event.path}/activities/{poll['id']}/responses")
    cursors = {(feed, token): (await drain(api, feed, "0", token))[1] for feed in feeds for token in tokens}

    with counted_statements(api.app.platform.db) as seen:
        for token in tokens:
            for activity in (None, poll):
                answer = await read(event, token, activity)
                await read(event, token, activity, answer.headers["etag"])
        for (feed, token), cursor in cursors.items():
            for since in (cursor, "now"):
                page = (await api.get(f"{feed}/since/{since}", token=token)).json()
                assert (page["items"], page["cursor"]) == ([], cursor)
        await api.post(f"/participants/{anna.id}/heartbeat", token=anna.token)

    assert seen == []


@pytest.mark.usefixtures("undisturbed")
async def test_status_right_after_any_change_reads_nothing_from_the_database(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    await read(event, event.host, poll)

    await event.answer(poll, anna, 1)
    await event.move(poll, "expired")
    again = await event.activity(status="active")
    with counted_statements(api.app.platform.db) as seen:
        assert (await read(event, event.host, poll)).json()["response_count"] == 1
        assert (await read(event, event.host, again)).json()["response_count"] == 0
        assert (await read(event, anna.token)).json()["current_activity_id"] == again["id"]

    assert seen == []


async def test_deleted_sessions_and_foreign_ones_are_unknown(api: Api) -> None:
    event, other = await make_event(api), await make_event(api)
    poll = await other.activity(status="active")
    await read(event, event.host)

    assert (await api.get(other.path + "/status", token=event.host)).status_code == 404
    assert (await api.get(f"{event.path}/activities/{poll['id']}/status", token=event.host)).status_code == 404
    assert (await api.get("/sessions/123/status", token=api.admin)).status_code == 404
    await api.delete(event.path, token=event.host)
    assert (await api.get(event.path + "/status", token=event.host)).status_code == 401
    assert (await api.get(event.path + "/status", token=api.admin)).status_code == 404


async def test_bodies_kept_of_a_session_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.response_cache.response_cache.MAX_ENTRIES", 1)
    event = await make_event(api)

    for limit in range(1, 5):
        page = await api.get(f"{event.path}/changes/since/now?limit={limit}", token=event.host)
        assert page.json()["items"] == []

    assert len((await api.app.domain.sessions.get(event.id)).responses.views[View.HOST]) == 1
