"""Scenarios under their names: correctness, alone and side by side."""

import asyncio
import json
from typing import Any

import httpx2

from conflicto.platform.ids import random_uuid
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, activity_of, refused
from tests.support.shapes import SHAPES

PHONES = 50


def path_of(event: Event, activity: dict[str, Any], below: str = "") -> str:
    return f"{event.path}/activities/{activity['id']}{below}"


async def crowd(event: Event, size: int = PHONES) -> list[Seat]:
    return list(await asyncio.gather(*(event.join(f"Phone {number}") for number in range(size))))


async def open_poll(api: Api, **fields: Any) -> tuple[Event, dict[str, Any]]:
    event = await make_event(api)
    return event, await event.activity(status="active", **fields)


async def followed(event: Event, poll: dict[str, Any], until: asyncio.Event) -> list[tuple[str, int]]:
    """Follow a poll's feed by cursors until stopped; return (id, revision) in order."""
    cursor, seen = "0", []
    while True:
        last_look = until.is_set()
        page = accepted(await event.api.get(path_of(event, poll, f"/responses/since/{cursor}?limit=7"), token=event.host))
        seen += [(item["id"], item["revision"]) for item in page["items"]]
        assert page["cursor"] >= cursor or cursor == "0"
        cursor = page["cursor"]
        if last_look and not page["has_more"]:
            return seen
        await asyncio.sleep(0)


async def test_create_activity_success(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(type="lunch", title="Lunch", config={"options": ["Pizza", "Curry"]})
    assert await activity_of(event, made) == made
    assert (made["title"], made["config"], made["status"]) == ("Lunch", {"options": ["Pizza", "Curry"]}, "draft")


async def test_create_activity_invalid_session(api: Api) -> None:
    event = await make_event(api)
    for path, token in (
        ("/sessions/1/activities", event.host),
        ("/sessions/1/activities", api.admin),
        ("/sessions/x/activities", api.admin),
    ):
        refused(await api.post(path, {"type": "lunch"}, token=token), 404, "not-found")


async def test_get_activity_success(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(status="published", secret=1)
    assert await activity_of(event, made) == made
    assert (await activity_of(event, made, event.screen))["secret"] is None


async def test_get_activity_not_found(api: Api) -> None:
    event = await make_event(api)
    for missing in (str(random_uuid()), "0", "not-an-id"):
        refused(await api.get(f"{event.path}/activities/{missing}", token=event.host), 404, "not-found")


async def test_update_activity_success(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(title="Old", config={"a": 1})
    changed = accepted(await api.patch(path_of(event, made), {"config": {"b": 2}}, token=event.host))
    assert (changed["title"], changed["config"], changed["revision"]) == ("Old", {"b": 2}, 2)
    assert await activity_of(event, made) == changed


async def test_delete_activity_success(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity()
    accepted(await api.delete(path_of(event, made), token=event.host), 204)
    refused(await api.get(path_of(event, made), token=event.host), 404, "not-found")


async def test_list_activities_pagination(api: Api) -> None:
    event = await make_event(api)
    made = [(await event.activity())["id"] for _ in range(5)]
    pages = [accepted(await api.get(f"{event.path}/activities?limit=2&offset={skip}", token=event.host)) for skip in (0, 2, 4)]
    assert [item["id"] for page in pages for item in page["items"]] == made
    assert [(page["total"], page["has_next"], page["has_prev"]) for page in pages] == [
        (5, True, False),
        (5, True, True),
        (5, False, True),
    ]


async def test_activity_ordering(api: Api) -> None:
    event = await make_event(api)
    made = {index: (await event.activity(order_index=index))["id"] for index in (3, -1, 2)}
    accepted(await api.patch(f"/activities/{made[3]}", {"order_index": -5}, token=event.host))
    listed = accepted(await api.get(f"{event.path}/activities", token=event.host))["items"]
    assert [item["id"] for item in listed] == [made[3], made[-1], made[2]]


async def test_create_response_success(api: Api) -> None:
    event, poll = await open_poll(api)
    anna = await event.join()
    sent = accepted(await event.answer(poll, anna, {"choice": "Curry"}), 201)
    assert accepted(await api.get(path_of(event, poll, f"/responses/{sent['id']}"), token=anna.token)) == sent
    assert (sent["response_data"], sent["participant_id"], sent["revision"]) == ({"choice": "Curry"}, anna.id, 1)


async def test_create_response_invalid_participant(api: Api) -> None:
    event, poll = await open_poll(api)
    stranger = await (await make_event(api)).join()
    gone = await event.join("Gone")
    accepted(await api.delete("/participants/me", token=gone.token), 204)
    for token, status in (
        (event.host, 403),
        (event.screen, 403),
        (stranger.token, 404),
        (gone.token, 401),
        ("forged", 401),
        (None, 401),
    ):
        answer = await api.post(path_of(event, poll, "/responses"), {"response_data": 1}, token=token)
        assert answer.status_code == status
    assert accepted(await api.get(path_of(event, poll, "/status"), token=event.host))["response_count"] == 0


async def test_list_responses_pagination(api: Api) -> None:
    event, poll = await open_poll(api)
    sent = [accepted(await event.answer(poll, seat, 1), 201)["id"] for seat in await crowd(event, 5)]
    pages = [
        accepted(await api.get(path_of(event, poll, f"/responses?limit=2&offset={skip}"), token=event.host)) for skip in (0, 2, 4)
    ]
    assert [item["id"] for page in pages for item in page["items"]] == sent
    assert [(page["total"], page["has_next"]) for page in pages] == [(5, True), (5, True), (5, False)]


async def test_get_responses_since_timestamp(api: Api) -> None:
    event, poll = await open_poll(api)
    sent = [accepted(await event.answer(poll, seat, 1), 201) for seat in await crowd(event, 4)]
    for place, row in enumerate(sent):
        for stamp in (row["updated_at"], row["updated_at"].replace("Z", "+00:00")):
            page = accepted(await api.get(path_of(event, poll, f"/responses/since/{stamp}"), token=event.host))
            assert [item["id"] for item in page["items"]] == [each["id"] for each in sent[place + 1 :]]


async def test_response_count_accuracy(api: Api) -> None:
    event, poll = await open_poll(api)
    seats = await crowd(event, 12)
    first = [answer.json() for answer in await asyncio.gather(*(event.answer(poll, seat, 1) for seat in seats))]
    await asyncio.gather(*(event.answer(poll, seat, 2) for seat in seats[:6]))
    await asyncio.gather(*(api.delete(path_of(event, poll, f"/responses/{row['id']}"), token=event.host) for row in first[:3]))
    counted = accepted(await api.get(path_of(event, poll, "/status"), token=event.host))
    listed = accepted(await api.get(path_of(event, poll, "/responses"), token=event.host))
    assert counted["response_count"] == listed["total"] == len(listed["items"]) == 9
    assert counted["last_response_at"] == listed["items"][-1]["updated_at"]


async def test_activity_crud_lifecycle(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity()
    for status in ("published", "active", "expired"):
        assert accepted(await event.move(made, status))["status"] == status
    accepted(await api.put(path_of(event, made), {"type": "stars", "config": {"stars": 5}}, token=event.host))
    assert (await activity_of(event, made))["config"] == {"stars": 5}
    accepted(await api.delete(path_of(event, made), token=event.host), 204)
    assert accepted(await api.get(f"{event.path}/activities", token=event.host))["items"] == []


async def test_activity_session_validation(api: Api) -> None:
    event, other = await make_event(api), await make_event(api)
    made = await event.activity()
    for method, body in (("GET", None), ("PATCH", {"title": "T"}), ("DELETE", None)):
        kwargs = {} if body is None else {"json": body}
        refused(await api.request(method, path_of(other, made), token=other.host, **kwargs), 404, "not-found")
        refused(await api.request(method, path_of(event, made), token=other.host, **kwargs), 404, "not-found")
    assert await activity_of(event, made) == made


async def test_activity_json_flexibility(api: Api) -> None:
    event = await make_event(api)
    for text in SHAPES.values():
        made = await event.activity(config=json.loads(text), secret=json.loads(text))
        stored = await activity_of(event, made)
        assert (stored["config"], stored["secret"]) == (json.loads(text), json.loads(text))


async def test_activity_status_polling(api: Api) -> None:
    event, poll = await open_poll(api)
    anna, tag, seen = await event.join(), "", []
    for step in (lambda: event.answer(poll, anna, 1), lambda: event.answer(poll, anna, 2), lambda: event.move(poll, "expired")):
        polled = await api.get(path_of(event, poll, "/status"), token=event.host, headers={"if-none-match": tag})
        seen.append((polled.json()["status"], polled.json()["response_count"]))
        tag = polled.headers["etag"]
        again = await api.get(path_of(event, poll, "/status"), token=event.host, headers={"if-none-match": tag})
        assert again.status_code == 304
        await step()
    assert seen == [("active", 0), ("active", 1), ("active", 1)]
    assert accepted(await api.get(path_of(event, poll, "/status"), token=event.host))["status"] == "expired"


async def test_concurrent_activity_access(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(config={"n": 0})
    tag = {"if-match": '"r1"'}

    async def edit(number: int) -> httpx2.Response:
        return await api.patch(path_of(event, made), {"config": {"n": number}}, token=event.host, headers=tag)

    answers = await asyncio.gather(*(edit(number) for number in range(1, 21)), *(activity_of(event, made) for _ in range(20)))
    won = [answer.json() for answer in answers[:20] if answer.status_code == 200]
    assert (len(won), [answer.status_code for answer in answers[:20]].count(412)) == (1, 19)
    assert await activity_of(event, made) == won[0]
    assert {read["config"]["n"] for read in answers[20:]} <= {0, won[0]["config"]["n"]}


async def test_session_status_performance(api: Api) -> None:
    event, poll = await open_poll(api)
    seats = await crowd(event)
    polls = await asyncio.gather(*(api.get(f"{event.path}/status", token=seat.token) for seat in seats for _ in range(4)))
    assert {answer.status_code for answer in polls} == {200}
    assert {answer.json()["current_activity_id"] for answer in polls} == {poll["id"]}
    assert accepted(await api.get(f"{event.path}/status", token=event.host))["participant_count"] == PHONES


async def test_activity_status_performance(api: Api) -> None:
    event, poll = await open_poll(api)
    seats = await crowd(event)
    sent, polls = asyncio.gather(*(event.answer(poll, seat, 1) for seat in seats)), []
    while not sent.done():
        polls.append(accepted(await api.get(path_of(event, poll, "/status"), token=event.host))["response_count"])
        await asyncio.sleep(0)
    assert {answer.status_code for answer in await sent} == {201}
    assert polls == sorted(polls)
    assert accepted(await api.get(path_of(event, poll, "/status"), token=event.host))["response_count"] == PHONES


async def test_incremental_updates_accuracy(api: Api) -> None:
    event, poll = await open_poll(api)
    seats, done = await crowd(event, 20), asyncio.Event()
    readers = [asyncio.create_task(followed(event, poll, done)) for _ in range(3)]
    sent = [accepted(answer, 201) for answer in await asyncio.gather(*(event.answer(poll, seat, 1) for seat in seats))]
    edited = [accepted(answer) for answer in await asyncio.gather(*(event.answer(poll, seat, 2) for seat in seats[:8]))]
    done.set()

    newest = {row["id"]: row["revision"] for row in sent + edited}
    for seen in await asyncio.gather(*readers):
        assert len(seen) == len(set(seen))
        assert dict(seen) == newest


async def test_high_frequency_polling(api: Api) -> None:
    event, poll = await open_poll(api)
    seats = await crowd(event, 10)
    tags = {seat.id: (await api.get(f"{event.path}/status", token=seat.token)).headers["etag"] for seat in seats}
    for _ in range(20):
        answers = await asyncio.gather(
            *(api.get(f"{event.path}/status", token=seat.token, headers={"if-none-match": tags[seat.id]}) for seat in seats)
        )
        assert {answer.status_code for answer in answers} == {304}
    accepted(await event.move(poll, "expired"))
    for seat in seats:
        changed = await api.get(f"{event.path}/status", token=seat.token, headers={"if-none-match": tags[seat.id]})
        assert accepted(changed)["current_activity_id"] is None


async def test_simulate_50_concurrent_participants(api: Api) -> None:
    event, poll = await open_poll(api)
    done = asyncio.Event()
    screen = asyncio.create_task(followed(event, poll, done))

    async def phone(number: int) -> str:
        seat = await event.join(f"Phone {number}")
        for _ in range(3):
            accepted(await api.get(f"{event.path}/status", token=seat.token))
        sent = accepted(await event.answer(poll, seat, {"choice": number % 4}), 201)
        assert accepted(await api.get("/participants/me", token=seat.token))["responses"] == [sent]
        return sent["id"]

    sent = await asyncio.gather(*(phone(number) for number in range(PHONES)))
    done.set()
    seen = await screen
    assert sorted(each for each, _ in seen) == sorted(sent)
    assert accepted(await api.get(path_of(event, poll, "/status"), token=event.host))["response_count"] == PHONES


async def test_rapid_response_creation(api: Api) -> None:
    event, wall = await open_poll(api, response_policy="many")
    seats = await crowd(event, 5)
    sent = await asyncio.gather(*(event.answer(wall, seat, number) for number in range(40) for seat in seats))
    assert {answer.status_code for answer in sent} == {201}
    rows = accepted(await api.get(path_of(event, wall, "/responses?limit=1000"), token=event.host))
    assert sorted(row["id"] for row in rows["items"]) == sorted(answer.json()["id"] for answer in sent)
    stamps = [row["updated_at"] for row in rows["items"]]
    assert (rows["total"], len(set(stamps)), stamps) == (200, 200, sorted(stamps))


async def test_continuous_polling_load(api: Api) -> None:
    event, poll = await open_poll(api)
    seats, polls = await crowd(event, 10), 0

    async def keep_polling(seat: Seat) -> None:
        nonlocal polls
        while polls < 300:
            polls += 1
            page = accepted(await api.get(f"{event.path}/changes/since/0", token=seat.token))
            assert {item["entity"] for item in page["items"]} <= {"session", "activity", "participant", "response"}

    await asyncio.gather(*(keep_polling(seat) for seat in seats), *(event.answer(poll, seat, 1) for seat in seats))
    assert accepted(await api.get(path_of(event, poll, "/responses"), token=event.host))["total"] == 10


async def test_large_json_payload_handling(api: Api) -> None:
    event = await make_event(api)
    large = {"items": [{"text": "é" * 500, "n": number} for number in range(240)]}
    assert 230_000 < len(json.dumps(large, ensure_ascii=False).encode()) < 256 * 1024
    poll = await event.activity(config=large, status="active")
    assert (await activity_of(event, poll))["config"] == large
    anna, answer = await event.join(), ["x" * 8_000, "y" * 8_000]
    assert accepted(await event.answer(poll, anna, answer), 201)["response_data"] == answer
    refused(await event.answer(poll, anna, [*answer, "z" * 500]), 413, "body-too-large")
    page = accepted(await api.get(path_of(event, poll, "/responses/since/0"), token=event.host))
    assert [item["response_data"] for item in page["items"]] == [answer]
