import asyncio
import threading
from typing import Any

import httpx2
import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, alike, eventually, refused
from tests.support.clocks import HandClock
from tests.support.patience import PATIENCE_S

LONG_KEY = {"idempotency-key": "6f1c2a34-0000-4000-8000-000000000001"}
DAY_S = 86_400


async def joins(event: Event, nickname: Any = "Anna", code: Any = None, path: str | None = None, **kwargs: Any) -> httpx2.Response:
    body = {"nickname": nickname, "code": event.code if code is None else code}
    return await event.api.post(path or f"{event.path}/join", body, **kwargs)


async def people(event: Event) -> list[dict[str, Any]]:
    page = accepted(await event.api.get(f"{event.path}/participants?limit=1000", token=event.host))
    assert page["total"] == len(page["items"])
    return page["items"]


async def names(event: Event) -> list[str]:
    return [person["nickname"] for person in await people(event)]


async def free(event: Event, nickname: str) -> Any:
    query = {"nickname": nickname, "code": event.code}
    return accepted(await event.api.get(f"{event.path}/nicknames/validate", params=query))


async def is_dead(seat: Seat, event: Event) -> bool:
    refused(await event.api.get("/participants/me", token=seat.token), 401, "token-invalid")
    refused(await event.api.get(f"{event.path}/status", token=seat.token), 401, "token-invalid")
    return True


@pytest.mark.parametrize("active", [False, True], ids=["draft", "active"])
@pytest.mark.parametrize("path", [None, "/join"], ids=["by-id", "by-code"])
async def test_a_phone_takes_a_seat_in_the_lobby_or_in_the_event(api: Api, active: bool, path: str | None) -> None:
    event = await make_event(api, active=active)

    seat = accepted(await joins(event, "  Anna \u00a0 K ", event.code.lower().replace("-", " "), path), 201)

    assert set(seat) == {"participant_id", "nickname", "participant_token", "session", "retention_days", "server_time", "server"}
    assert seat["retention_days"] is None
    assert (seat["nickname"], seat["session"]["id"], seat["session"]["status"]) == (
        "Anna K",
        event.id,
        "active" if active else "draft",
    )
    assert not {"join_code", "max_participants"} & set(seat["session"])
    me = accepted(await api.get("/participants/me", token=seat["participant_token"]))
    assert (me["id"], me["nickname"], me["session_id"], me["responses"]) == (seat["participant_id"], "Anna K", event.id, [])
    assert await names(event) == ["Anna K"]
    assert accepted(await api.get(f"{event.path}/status", token=event.host))["participant_count"] == 1


async def test_wrong_completed_and_deleted_sessions_are_alike_to_a_stranger(api: Api) -> None:
    event, other = await make_event(api), await make_event(api)
    over, gone = await make_event(api), await make_event(api)
    accepted(await api.patch(over.path, {"status": "completed"}, token=over.host))
    accepted(await api.delete(gone.path, token=gone.host), 204)

    unknown = await joins(event, code="BBBB-BBBB")
    refused(unknown, 404, "code-unknown")
    for each in (over, gone):
        assert alike(await joins(each), unknown)
        assert alike(await joins(each, path="/join"), unknown)
    for code in ("", "x", "AEIOU", other.code):
        assert alike(await joins(event, code=code), unknown)
    assert alike(await joins(event, path="/sessions/1/join"), unknown)
    assert await names(event) == await names(other) == []


@pytest.mark.catalogue("S-03")
async def test_two_hundred_who_arrive_at_once_take_exactly_the_places_that_there_are(api: Api) -> None:
    event = await make_event(api, max_participants=120)

    answers = await asyncio.gather(*(joins(event, f"P{number}") for number in range(200)))

    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    seats = [answer.json() for answer in answers if answer.status_code == 201]
    assert len(seats) == len({seat["participant_id"] for seat in seats}) == 120
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"session-full"}
    assert sorted(await names(event)) == sorted(seat["nickname"] for seat in seats)
    accepted(await api.delete(f"/participants/{seats[0]['participant_id']}", token=event.host), 204)
    accepted(await joins(event, "Late"), 201)
    refused(await joins(event, "Later"), 409, "session-full")


@pytest.mark.in_process
async def test_a_large_audience_that_joins_while_all_readers_are_busy_waits_and_takes_two_reads(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Block the readers until all participants wait; none is refused."""
    event, held, looked_up, coming = await make_event(api), threading.Event(), [], []
    db = api.app.platform.db
    of_hall = next(route for route in api.app.edge.routes if route.path.endswith("/v1/join")).endpoint.__self__.sessions
    query, read = of_hall._query, of_hall.read
    monkeypatch.setattr(of_hall, "_query", lambda tx, codes: looked_up.append(len(codes)) or query(tx, codes))
    monkeypatch.setattr(of_hall, "read", lambda item: coming.append(item) or read(item))
    readers = db.reader_queue._categories[0]
    readers.stalled_s = readers.max_wait_s = PATIENCE_S
    blocking = [asyncio.create_task(db.read(lambda _: held.wait())) for _ in range(readers.max_running)]

    async def hall_waits() -> bool:
        return len(coming) == 300

    try:
        joining = [asyncio.create_task(joins(event, f"P{number}", path="/join")) for number in range(300)]
        await eventually(hall_waits)
    finally:
        held.set()
    answers = await asyncio.gather(*joining)
    await asyncio.gather(*blocking, return_exceptions=True)

    assert [answer.status_code for answer in answers] == [201] * 300
    assert sum(looked_up) == 300
    assert len(looked_up) <= 2
    assert len(await names(event)) == 300


@pytest.mark.catalogue("R-04")
async def test_a_flood_of_names_is_seen_locked_out_and_removed(api: Api) -> None:
    event = await make_event(api, max_participants=60)
    people = [await event.join(f"Person {number}") for number in range(5)]
    flood = await asyncio.gather(*(joins(event, f"bot{number}") for number in range(100)))
    bots = [answer.json()["participant_id"] for answer in flood if answer.status_code == 201]
    assert len(bots) == 55
    assert accepted(await api.get(f"{event.path}/status", token=event.host))["participant_count"] == 60

    accepted(await api.post(f"{event.path}/lock", {"locked": True}, token=event.host))
    assert {
        answer.status_code
        for answer in await asyncio.gather(*(api.delete(f"/participants/{bot}", token=event.host) for bot in bots))
    } == {204}
    refused(await joins(event, "bot again"), 409, "session-locked")
    accepted(await api.post(f"{event.path}/lock", {"locked": False}, token=event.host))

    accepted(await joins(event, "Late"), 201)
    assert await names(event) == [*(person.nickname for person in people), "Late"]
    assert {(await api.get("/participants/me", token=person.token)).status_code for person in people} == {200}


@pytest.mark.catalogue("R-05")
async def test_one_name_is_given_once_however_it_is_written(api: Api) -> None:
    event, other = await make_event(api), await make_event(api)
    twins = await asyncio.gather(*(joins(event, name) for name in ("Anna", "ANNA", "anna", "Ａnna", "Anna ")))  # noqa: RUF001
    assert sorted(answer.status_code for answer in twins) == [201, 409, 409, 409, 409]
    problem = next(answer.json() for answer in twins if answer.status_code == 409)
    assert problem["code"] == "nickname-taken"
    assert [name.casefold() for name in problem["suggestions"]] == ["anna 2", "anna 3", "anna 4"]
    for name in problem["suggestions"]:
        accepted(await joins(event, name), 201)
    assert len(await names(event)) == 4
    accepted(await joins(other, "Anna"), 201)


UNSHOWABLE = ["", "   ", "\u200b", "a\u202eb", "Host", "ａｄｍｉｎ", "x" * 33, "a\nb", "́a", "\u115f", "\ue000"]  # noqa: RUF001


@pytest.mark.catalogue("R-05")
async def test_a_name_that_cannot_be_shown_is_refused(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join("Anna")
    for name in UNSHOWABLE:
        problem = refused(await joins(event, name), 422, "nickname-invalid")
        assert [error["pointer"] for error in problem["errors"]] == ["/nickname"]
        for path, token in (("/participants/me", anna.token), (f"/participants/{anna.id}", event.host)):
            refused(await api.patch(path, {"nickname": name}, token=token), 422, "nickname-invalid")
        query = {"nickname": name, "code": event.code}
        refused(await api.get(f"{event.path}/nicknames/validate", params=query), 422, "nickname-invalid")
        assert await names(event) == ["Anna"]


UNFIT = [{}, {"nickname": "A"}, {"code": "B"}, {"nickname": 1, "code": 2}, {"nickname": None, "code": None}, [], 7, "x"]


async def test_a_join_that_does_not_fit_is_refused(api: Api) -> None:
    event = await make_event(api)
    for body in UNFIT:
        for path in ("/join", f"{event.path}/join"):
            assert refused(await api.post(path, body), 422, "invalid-input")["errors"]
        for extra in ("participant_id", "role", "score", "created_at"):
            refused(await api.post("/join", {"nickname": "A", "code": event.code, extra: 1}), 422, "invalid-input")
        assert await names(event) == []


async def test_a_repeated_join_returns_the_same_seat(api: Api) -> None:
    event = await make_event(api)

    twins = [accepted(answer, 201) for answer in await asyncio.gather(*(joins(event, headers=LONG_KEY) for _ in range(8)))]
    twins.append(accepted(await joins(event, path="/join", headers=LONG_KEY), 201))

    assert len({seat["participant_id"] for seat in twins}) == 1
    assert await names(event) == ["Anna"]
    for seat in twins:
        assert accepted(await api.get("/participants/me", token=seat["participant_token"]))["nickname"] == "Anna"
    refused(await joins(event, "Bert", headers=LONG_KEY), 422, "key-reused")
    accepted(await api.post(f"{event.path}/lock", token=event.host))
    assert accepted(await joins(event, headers=LONG_KEY), 201)["participant_id"] == twins[0]["participant_id"]
    accepted(await api.delete(f"/participants/{twins[0]['participant_id']}", token=event.host), 204)
    refused(await joins(event, headers=LONG_KEY), 410, "seat-gone")


@pytest.mark.parametrize("code_is_renewed", [False, True])
async def test_the_old_phone_of_a_moved_seat_gets_no_token_by_repeating_its_join(api: Api, code_is_renewed: bool) -> None:
    event = await make_event(api)
    first = accepted(await joins(event, headers=LONG_KEY), 201)
    link = accepted(await api.post("/participants/me/seat-link", token=first["participant_token"]), 201)["seat_token"]
    moved = accepted(await api.post("/seats/redeem", {"seat_token": link}))
    if code_is_renewed:
        accepted(await api.post(f"{event.path}/join-code", token=event.host))

    for path in ("/join", None):
        refused(await joins(event, path=path, headers=LONG_KEY), 410, "seat-gone")

    refused(await api.get("/participants/me", token=first["participant_token"]), 401, "token-invalid")
    assert accepted(await api.get("/participants/me", token=moved["participant_token"]))["nickname"] == "Anna"
    assert await names(event) == ["Anna"]


async def test_a_guessable_key_opens_no_seat(api: Api) -> None:
    event = await make_event(api)
    for key in ("short", "x" * 15, '"fifteen-chars-x"'[:-1], "x" * 129, '"with space in it"'):
        refused(await joins(event, headers={"idempotency-key": key}), 400, "idempotency-key-invalid")
    assert await names(event) == []


async def test_a_name_can_be_tried_before_it_is_taken(api: Api) -> None:
    event = await make_event(api)
    assert await free(event, "Anna") == {"available": True, "suggested_nickname": "Anna"}
    await event.join("Anna")
    assert await free(event, " anna ") == {"available": False, "suggested_nickname": "anna 2"}
    await event.join("Anna 2")
    assert await free(event, "Anna") == {"available": False, "suggested_nickname": "Anna 3"}
    refused(await api.get(f"{event.path}/nicknames/validate?nickname=A&code=BBBB-BBBB"), 404, "code-unknown")
    for query in ("nickname=A", f"code={event.code}", f"nickname=A&code={event.code}&x=1"):
        refused(await api.get(f"{event.path}/nicknames/validate?{query}"), 422, "invalid-input")
    assert await names(event) == ["Anna", "Anna 2"]


async def test_the_host_sees_who_is_here_and_who_has_gone_quiet(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")

    async def presence() -> list[str]:
        return [person["presence"] for person in await people(event)]

    assert await names(event) == ["Anna", "Bert"]
    assert await presence() == ["online", "online"]
    clock.advance(45)
    accepted(await api.post(f"/participants/{anna.id}/heartbeat", token=anna.token))
    assert await presence() == ["online", "idle"]
    clock.advance(110)
    accepted(await api.get(f"{event.path}/status", token=bert.token))
    assert await presence() == ["idle", "online"]
    clock.advance(60)
    assert await presence() == ["disconnected", "idle"]
    page = accepted(await api.get(f"{event.path}/participants?limit=1&offset=1", token=event.host))
    assert ([person["nickname"] for person in page["items"]], page["total"], page["has_prev"]) == (["Bert"], 2, True)


async def test_a_heartbeat_has_the_time_and_changes_nothing_that_is_polled(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    anna = await event.join()
    before = await api.get(f"{event.path}/status", token=anna.token)

    clock.advance(3)
    beat = accepted(await api.post(f"/participants/{anna.id}/heartbeat", token=anna.token))
    assert list(beat) == ["server_time"]
    refused(await api.post(f"/participants/{anna.id}/heartbeat", {"x": 1}, token=anna.token), 422, "invalid-input")
    after = await api.get(f"{event.path}/status", token=anna.token, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 304


async def test_a_participant_takes_another_name(api: Api) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")

    renamed = accepted(await api.patch("/participants/me", {"nickname": " Ann "}, token=anna.token))
    assert (renamed["id"], renamed["nickname"], renamed["revision"]) == (anna.id, "Ann", 2)
    assert (await free(event, "Anna"))["available"] is True
    taken = refused(await api.patch("/participants/me", {"nickname": "ANN"}, token=bert.token), 409, "nickname-taken")
    assert taken["suggestions"] == ["ANN 2", "ANN 3", "ANN 4"]
    assert accepted(await api.patch("/participants/me", {"nickname": "ANN"}, token=anna.token))["nickname"] == "ANN"
    assert accepted(await api.patch(f"/participants/{bert.id}", {"nickname": "Berta"}, token=event.host))["nickname"] == "Berta"
    assert accepted(await api.patch(f"/participants/{anna.id}", {"nickname": "Anna"}, token=anna.token))["revision"] == 4
    refused(await api.patch(f"/participants/{bert.id}", {"nickname": "X"}, token=anna.token), 404, "not-found")
    assert await names(event) == ["Anna", "Berta"]
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    refused(await api.patch("/participants/me", {"nickname": "Late"}, token=anna.token), 409, "session-completed")


@pytest.mark.parametrize(("query", "kept"), [("", 1), ("?responses=keep", 1), ("?responses=delete", 0)])
async def test_a_kick_frees_name_and_place_at_once(api: Api, query: str, kept: int) -> None:
    event = await make_event(api, max_participants=1)
    poll, anna = await event.activity(status="active"), await event.join()
    accepted(await event.answer(poll, anna, "mine"), 201)
    path = f"{event.path}/activities/{poll['id']}"

    assert (await api.delete(f"/participants/{anna.id}{query}", token=event.host)).status_code == 204

    assert await is_dead(anna, event)
    refused(await event.answer(poll, anna, 2), 401, "token-invalid")
    assert await names(event) == []
    rows = accepted(await api.get(f"{path}/responses", token=event.host))
    assert ([row["response_data"] for row in rows["items"]], rows["total"]) == (["mine"] * kept, kept)
    assert accepted(await api.get(f"{path}/status", token=event.host))["response_count"] == kept
    refused(await api.delete(f"/participants/{anna.id}", token=event.host), 404, "not-found")
    refused(await api.delete(f"/participants/{anna.id}?responses=all", token=event.host), 422, "invalid-input")
    assert (await event.join("Anna")).id != anna.id


@pytest.mark.parametrize(("path", "query", "kept"), [("me", "", 0), ("me", "?responses=keep", 1), ("{id}", "", 0)])
async def test_leaving_forgets_the_name_and_the_answers(api: Api, path: str, query: str, kept: int) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active"), await event.join("Canary K7")
    accepted(await event.answer(poll, anna, "mine"), 201)

    assert (await api.delete(f"/participants/{path.format(id=anna.id)}{query}", token=anna.token)).status_code == 204

    assert await is_dead(anna, event)
    assert await names(event) == []
    rows = accepted(await api.get(f"{event.path}/activities/{poll['id']}/responses", token=event.host))
    assert rows["total"] == kept
    assert "Canary" not in (await api.get(f"{event.path}/changes/since/0", token=event.host)).text
    assert (await free(event, "Canary K7"))["available"] is True


async def test_a_link_moves_the_seat_once(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active"), await event.join()
    accepted(await event.answer(poll, anna, "mine"), 201)
    first = accepted(await api.post("/participants/me/seat-link", token=anna.token), 201)
    link = accepted(await api.post("/participants/me/seat-link", token=anna.token), 201)
    refused(await api.post("/seats/redeem", {"seat_token": first["seat_token"]}), 404, "seat-link-invalid")

    tries = await asyncio.gather(*(api.post("/seats/redeem", {"seat_token": link["seat_token"]}) for _ in range(5)))

    assert sorted(answer.status_code for answer in tries) == [200, 404, 404, 404, 404]
    seat = next(answer.json() for answer in tries if answer.status_code == 200)
    assert (seat["participant_id"], seat["nickname"], seat["session"]["id"]) == (anna.id, "Anna", event.id)
    assert await is_dead(anna, event)
    me = accepted(await api.get("/participants/me", token=seat["participant_token"]))
    assert [row["response_data"] for row in me["responses"]] == ["mine"]
    assert await names(event) == ["Anna"]
    for bad in ("", "x", "x" * 128, link["seat_token"]):
        refused(await api.post("/seats/redeem", {"seat_token": bad}), 404, "seat-link-invalid")
    accepted(await api.delete(f"/participants/{anna.id}", token=event.host), 204)
    refused(await api.get("/participants/me", token=seat["participant_token"]), 401, "token-invalid")


async def test_a_link_dies_with_its_seat(api: Api) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    links = [accepted(await api.post("/participants/me/seat-link", token=seat.token), 201)["seat_token"] for seat in (anna, bert)]
    accepted(await api.delete(f"/participants/{anna.id}", token=event.host), 204)

    refused(await api.post("/seats/redeem", {"seat_token": links[0]}), 404, "seat-link-invalid")
    accepted(await api.delete(event.path, token=event.host), 204)

    async def refusal() -> bool:
        return (await api.post("/seats/redeem", {"seat_token": links[1]})).status_code == 404

    await eventually(refusal)


async def test_a_seat_in_use_is_renewed_and_an_unused_one_expires(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    assert "renewed-token" not in (await api.get(f"{event.path}/status", token=anna.token)).headers

    clock.advance(8 * DAY_S)
    renewed = (await api.get(f"{event.path}/status", token=anna.token)).headers["renewed-token"]
    clock.advance(7 * DAY_S)

    for seat in (anna, bert):
        refused(await api.get("/participants/me", token=seat.token), 401, "token-invalid")
    assert accepted(await api.get("/participants/me", token=renewed))["id"] == anna.id
