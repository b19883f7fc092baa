import asyncio
import re

from sqlalchemy import func, select

from conflicto.platform.db.tables import metadata_obj
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, activity_of, alike, audit_of, eventually, raw, refused, session_of

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
CODE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")


async def titles(api: Api, query: str = "") -> list[str]:
    return [item["title"] for item in accepted(await api.get(f"/sessions{query}", token=api.admin))["items"]]


async def alive(event: Event, token: str) -> bool:
    return (await event.api.get(f"{event.path}/status", token=token)).status_code == 200


async def test_a_new_session_is_a_draft_with_a_code_and_two_living_tokens(api: Api) -> None:
    body = {"title": "Town hall", "description": "All hands", "max_participants": 30}
    answer = await api.post("/sessions", body, token=api.admin)
    made = accepted(answer, 201)

    assert {name: made[name] for name in body} == body
    assert (made["status"], made["locked"], made["revision"]) == ("draft", False, 1)
    assert (made["current_activity_id"], made["shown_activity_id"]) == (None, None)
    assert 0 < made["id"] < 2**48
    assert CODE.fullmatch(made["join_code"])
    assert INSTANT.fullmatch(made["created_at"])
    assert answer.headers["location"] == f"/api/v1/sessions/{made['id']}"
    assert answer.headers["cache-control"] == "no-store"
    stored = accepted(await api.get(f"/sessions/{made['id']}", token=made["host_token"]))
    assert stored == {name: value for name, value in made.items() if not name.endswith("_token") and name != "server"}
    assert accepted(await api.get(f"/sessions/{made['id']}", token=made["screen_token"]))["id"] == made["id"]


async def test_ids_and_codes_of_sessions_reveal_nothing_about_one_another(api: Api) -> None:
    events = [await make_event(api, active=False) for _ in range(8)]

    ids = [event.id for event in events]
    assert ids != sorted(ids)
    assert ids != sorted(ids, reverse=True)
    assert len({event.code for event in events}) == 8


UNFIT = [
    ({}, "/title"),
    ({"title": ""}, "/title"),
    ({"title": "   "}, "/title"),
    ({"title": "x" * 201}, "/title"),
    ({"title": 7}, "/title"),
    ({"title": "T", "description": "x" * 2001}, "/description"),
    ({"title": "T", "max_participants": 0}, "/max_participants"),
    ({"title": "T", "max_participants": 50_001}, "/max_participants"),
    ({"title": "T", "max_participants": 2.5}, "/max_participants"),
    ({"title": "T", "max_participants": True}, "/max_participants"),
    ({"title": "T", "status": "active"}, ""),
    ({"title": "T", "id": 1}, ""),
]


async def test_a_session_that_does_not_fit_is_refused_by_field(api: Api) -> None:
    for body, pointer in UNFIT:
        problem = refused(await api.post("/sessions", body, token=api.admin), 422, "invalid-input")

        assert [error["pointer"] for error in problem["errors"]] == [pointer]
        assert await titles(api) == []


async def test_sessions_are_listed_newest_first_and_in_pages(api: Api) -> None:
    for title in "ABCDE":
        await make_event(api, active=title in "BD", title=title)

    page = accepted(await api.get("/sessions?limit=2&offset=2", token=api.admin))
    assert [item["title"] for item in page["items"]] == ["C", "B"]
    assert {name: page[name] for name in ("total", "limit", "offset", "has_next", "has_prev")} == {
        "total": 5, "limit": 2, "offset": 2, "has_next": True, "has_prev": True,
    }  # fmt: skip
    assert await titles(api) == ["E", "D", "C", "B", "A"]
    last = accepted(await api.get("/sessions?limit=3&offset=3", token=api.admin))
    assert (len(last["items"]), last["has_next"]) == (2, False)
    active = accepted(await api.get("/sessions?status=active", token=api.admin))
    assert ([item["title"] for item in active["items"]], active["total"]) == (["D", "B"], None)
    assert not any("token" in name for item in page["items"] for name in item)


OUT_OF_BOUNDS = ["limit=0", "limit=-1", "limit=1001", "limit=NaN", "limit=", "offset=-1", "status=gone"]


async def test_a_page_out_of_bounds_is_refused(api: Api) -> None:
    for query in OUT_OF_BOUNDS:
        problem = refused(await api.get(f"/sessions?{query}", token=api.admin), 422, "invalid-input")
        assert problem["errors"][0]["pointer"] == "/query/" + query.partition("=")[0]


async def test_each_role_reads_its_own_view(api: Api) -> None:
    event = await make_event(api, max_participants=9)
    anna = await event.join()

    host, screen, seat = [accepted(await api.get(event.path, token=token)) for token in (event.host, event.screen, anna.token)]
    assert host == accepted(await api.get(event.path, token=api.admin))
    assert {name: value for name, value in host.items() if name != "word_filter"} == screen
    assert (host["join_code"], host["max_participants"]) == (event.code, 9)
    shared = {"join_code", "link_key", "max_participants", "overlay", "word_filter"}
    assert seat == {name: value for name, value in host.items() if name not in shared}


async def test_the_lifecycle_goes_forward_only(api: Api) -> None:
    event = await make_event(api, active=False)

    async def step(to: str) -> object:
        return await api.patch(event.path, {"status": to}, token=event.host)

    problem = refused(await step("completed"), 409, "transition-not-allowed")
    assert (problem["from"], problem["to"], problem["allowed"]) == ("draft", "completed", ["active"])
    assert accepted(await step("active"))["status"] == "active"
    refused(await step("draft"), 409, "transition-not-allowed")
    assert accepted(await step("active"))["revision"] == 2
    assert accepted(await step("completed"))["status"] == "completed"
    for to in ("draft", "active"):
        refused(await step(to), 409, "transition-not-allowed")
    refused(await step("paused"), 422, "invalid-input")
    assert await audit_of(event) == [("session", "draft", "active"), ("session", "active", "completed")]


async def test_a_completed_session_is_final(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity()
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    over = await session_of(event)

    tries = [
        api.patch(event.path, {"title": "New"}, token=event.host),
        api.put(event.path, {"title": "New"}, token=event.host),
        api.post(f"{event.path}/lock", token=event.host),
        api.post(f"{event.path}/show", {"activity_id": None}, token=event.host),
        api.post(f"{event.path}/activities", {"type": "lunch"}, token=event.host),
        api.patch(f"/activities/{poll['id']}", {"title": "New"}, token=event.host),
        api.delete(f"/activities/{poll['id']}", token=event.host),
        event.move(poll, "active"),
    ]
    for each in tries:
        refused(await each, 409, "session-completed")
    assert await session_of(event) == over


async def test_patch_replaces_the_named_fields_and_keeps_the_rest(api: Api) -> None:
    event = await make_event(api, description="Old", max_participants=5)
    before = await session_of(event)

    after = accepted(await api.patch(event.path, {"title": "New", "description": None}, token=event.host))

    assert (after["title"], after["description"], after["max_participants"]) == ("New", None, 5)
    assert after["revision"] == before["revision"] + 1
    assert after["updated_at"] > before["updated_at"]
    assert await session_of(event) == after
    assert accepted(await api.patch(event.path, {"title": "New"}, token=event.host)) == after
    assert accepted(await api.patch(event.path, {}, token=event.host)) == after


NOT_TO_BE_SET = [{"title": None}, {"status": None}, {"join_code": "BCDFGHJK"}, {"locked": True}, {"revision": 9}]


async def test_patch_refuses_what_cannot_be_set(api: Api) -> None:
    event = await make_event(api)
    before = await session_of(event)
    for body in NOT_TO_BE_SET:
        refused(await api.patch(event.path, body, token=event.host), 422, "invalid-input")
        assert await session_of(event) == before


async def test_put_replaces_the_session_whole(api: Api) -> None:
    event = await make_event(api, description="Old", max_participants=5)

    after = accepted(await api.put(event.path, {"title": "New"}, token=event.host))
    assert (after["title"], after["description"], after["max_participants"]) == ("New", None, None)
    assert (after["status"], after["join_code"]) == ("active", event.code)
    refused(await api.put(event.path, {"description": "Without a title"}, token=event.host), 422, "invalid-input")
    assert await session_of(event) == after


async def test_if_match_keeps_two_hosts_from_overwriting_each_other(api: Api) -> None:
    event = await make_event(api)
    first = await api.get(event.path, token=event.host)
    tag = {"if-match": first.headers["etag"]}

    changed = await api.patch(event.path, {"title": "One"}, token=event.host, headers=tag)
    assert changed.headers["etag"] != first.headers["etag"]
    for late in (
        api.patch(event.path, {"title": "Two"}, token=event.host, headers=tag),
        api.put(event.path, {"title": "Two"}, token=event.host, headers=tag),
        api.delete(event.path, token=event.host, headers=tag),
    ):
        assert refused(await late, 412, "revision-stale")["revision"] == changed.json()["revision"]
    refused(await api.patch(event.path, {"title": "Two"}, token=event.host, headers={"if-match": "x"}), 400, "condition-invalid")
    several = {"if-match": f'{first.headers["etag"]}, "r99"'}
    refused(await api.patch(event.path, {"title": "Two"}, token=event.host, headers=several), 412, "revision-stale")
    assert (await session_of(event))["title"] == "One"
    now = changed.headers["etag"]
    for good in ("*", now, f"W/{now}", f'"r99", {now}', f'"of something else",{now}'):
        accepted(await api.patch(event.path, {"title": "One"}, token=event.host, headers={"if-match": good}))


async def test_a_known_body_is_not_sent_again(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    for token in (event.host, event.screen, anna.token):
        first = await api.get(event.path, token=token)
        again = await api.get(event.path, token=token, headers={"if-none-match": f'"x", {first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    accepted(await api.patch(event.path, {"title": "New"}, token=event.host, headers={"if-none-match": "*"}))
    fresh = await api.get(event.path, token=anna.token, headers={"if-none-match": first.headers["etag"]})
    assert accepted(fresh)["title"] == "New"


async def test_head_responds_like_get_without_the_body(api: Api) -> None:
    event = await make_event(api)
    for path in (event.path, f"{event.path}/status", f"{event.path}/activities"):
        got = await api.get(path, token=event.host)
        head = await api.request("HEAD", path, token=event.host)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers.get("etag") == got.headers.get("etag")
        assert head.headers["content-length"] == str(len(got.content))


async def test_the_same_key_makes_one_session(api: Api) -> None:
    body, key = {"title": "Once"}, {"idempotency-key": '"the-first-session"'}

    twins = await asyncio.gather(*(api.post("/sessions", body, token=api.admin, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in twins} == {201}
    assert len({answer.json()["id"] for answer in twins}) == 1
    refused(await api.post("/sessions", {"title": "Twice"}, token=api.admin, headers=key), 422, "key-reused")
    bad = {"idempotency-key": '"a b"'}
    refused(await api.post("/sessions", body, token=api.admin, headers=bad), 400, "idempotency-key-invalid")
    assert await titles(api) == ["Once"]


async def test_a_replay_shows_the_session_as_it_is_now_with_tokens_that_live(api: Api) -> None:
    body, key = {"title": "Once"}, {"idempotency-key": "k"}
    made = accepted(await api.post("/sessions", body, token=api.admin, headers=key), 201)
    accepted(await api.patch(f"/sessions/{made['id']}", {"title": "Renamed"}, token=made["host_token"]))

    again = accepted(await api.post("/sessions", body, token=api.admin, headers=key), 201)
    assert (again["id"], again["title"]) == (made["id"], "Renamed")
    accepted(await api.get(f"/sessions/{made['id']}", token=again["host_token"]))


async def test_a_deleted_session_is_unknown_to_everyone_and_its_rows_go(api: Api) -> None:
    event, other = await make_event(api), await make_event(api, title="Other")
    poll = await event.activity(status="active", secret={"right": 1})
    anna = await event.join()
    accepted(await event.answer(poll, anna, 1, headers={"idempotency-key": "k"}), 201)
    accepted(await api.post("/participants/me/seat-link", token=anna.token), 201)

    assert (await api.delete(event.path, token=event.host)).status_code == 204

    for token in (event.host, event.screen, anna.token):
        refused(await api.get(event.path, token=token), 401, "token-invalid")
        refused(await api.get(f"{event.path}/status", token=token), 401, "token-invalid")
    for path in (event.path, f"{event.path}/status", f"/activities/{poll['id']}"):
        refused(await api.get(path, token=api.admin), 404, "not-found")
    refused(await api.get(f"/sessions/by-code/{event.code}"), 404, "code-unknown")
    assert await titles(api) == ["Other"]
    assert accepted(await api.get("/sessions", token=api.admin))["total"] == 1
    await eventually(lambda: nothing_left_of(event))
    assert (await session_of(other))["title"] == "Other"


async def nothing_left_of(event: Event) -> bool:
    tables = [table for table in metadata_obj.tables.values() if "session_id" in table.c]
    assert len(tables) >= 7

    def rows(tx: object) -> int:
        return sum(tx.scalar(select(func.count()).where(table.c.session_id == event.id)) for table in tables)

    return await event.api.app.platform.db.read(rows) == 0


def visible_fields(activity: dict) -> dict:
    """Return the fields of an activity that a host can set."""
    own = ("id", "session_id", "revision", "status", "created_at", "updated_at", "started_at")
    return {name: value for name, value in activity.items() if name not in own}


async def test_a_copy_has_the_same_activities_and_no_answers(api: Api) -> None:
    event = await make_event(api, description="Weekly", max_participants=7)
    spec = {"n": {"path": "", "op": "count"}}
    poll = await event.activity(title="Q", config={"a": 1.5}, secret=[1], aggregate=spec, moderation="before")
    await event.activity(title="R", order_index=-5, duration_seconds=30, anonymous=True, response_policy="many")
    anna = await event.join()
    accepted(await event.move(poll, "active"))
    accepted(await event.answer(poll, anna, 1), 201)

    made = accepted(await api.post(f"{event.path}/duplicate", token=api.admin), 201)
    copy = Event(api, made["id"], made["join_code"], made["host_token"], made["screen_token"])
    named = accepted(await api.post(f"{event.path}/duplicate", {"title": "Next"}, token=api.admin), 201)

    assert (made["title"], made["description"], made["max_participants"], made["status"]) == ("Town hall", "Weekly", 7, "draft")
    assert (named["title"], made["join_code"] != event.code) == ("Next", True)
    old, new = [accepted(await api.get(f"{each.path}/activities", token=each.host))["items"] for each in (event, copy)]
    assert [visible_fields(item) for item in new] == [visible_fields(item) for item in old]
    assert {item["status"] for item in new} == {"draft"}
    assert not {item["id"] for item in new} & {item["id"] for item in old}
    assert raw(await api.get(f"/activities/{new[1]['id']}", token=copy.host), "config") == '{"a":1.5}'
    counted = accepted(await api.get(f"{copy.path}/activities/{new[1]['id']}/status", token=copy.host))
    assert counted["response_count"] == 0
    assert accepted(await api.get(f"{copy.path}/participants", token=copy.host))["total"] == 0


async def test_further_tokens_live_until_all_are_rotated(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    made = [accepted(await api.post(f"{event.path}/tokens", {"role": role}, token=event.host), 201) for role in ("host", "screen")]
    assert [each["role"] for each in made] == ["host", "screen"]
    assert all([await alive(event, each["token"]) for each in made])
    refused(await api.post(f"{event.path}/lock", token=made[1]["token"]), 403, "role-not-allowed")

    pair = accepted(await api.delete(f"{event.path}/tokens", token=event.host))

    for dead in (event.host, event.screen, made[0]["token"], made[1]["token"]):
        refused(await api.get(f"{event.path}/status", token=dead), 401, "token-invalid")
    assert all([await alive(event, token) for token in (pair["host_token"], pair["screen_token"], anna.token)])
    event.host = pair["host_token"]
    assert (await audit_of(event))[-1] == ("session", None, "tokens-rotated")
    for role in ("participant", "admin", None, "Host"):
        refused(await api.post(f"{event.path}/tokens", {"role": role}, token=event.host), 422, "invalid-input")


async def test_the_audit_records_who_moved_what_when_and_why(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity()
    accepted(await event.move(poll, "active", reason="Let’s go"))
    accepted(await api.patch(event.path, {"status": "completed"}, token=api.admin))

    page = accepted(await api.get(f"{event.path}/transitions?limit=3", token=event.host))
    rest = accepted(await api.get(f"{event.path}/transitions?offset=3", token=event.host))
    lines = page["items"] + rest["items"]
    assert [line["number"] for line in lines] == [1, 2, 3, 4]
    assert (page["total"], page["has_next"], rest["has_prev"], rest["has_next"]) == (4, True, True, False)
    assert lines[1] == {
        "number": 2, "actor": lines[0]["actor"], "entity": "activity", "entity_id": poll["id"], "from_status": "draft",
        "to_status": "active", "reason": "Let’s go", "at": lines[1]["at"],
    }  # fmt: skip
    assert lines[0]["actor"].startswith("host-")
    moved = {(line["entity"], line["to_status"], line["actor"]) for line in lines[2:]}
    assert moved == {("session", "completed", "admin"), ("activity", "expired", "admin")}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


async def test_a_code_opens_the_lobby_however_it_is_typed(api: Api) -> None:
    event = await make_event(api, active=False, description="Not for strangers")
    plain = event.code.replace("-", "")

    for typed in (event.code, plain, plain.lower(), " ".join(plain), event.code.replace("-", " – "), f"_{plain}."):
        lobby = accepted(await api.get(f"/sessions/by-code/{typed}"))
        assert lobby == {"session_id": event.id, "title": "Town hall", "status": "draft"}


async def test_unknown_completed_and_deleted_codes_are_alike(api: Api) -> None:
    over, gone = await make_event(api), await make_event(api)
    accepted(await api.patch(over.path, {"status": "completed"}, token=over.host))
    assert (await api.delete(gone.path, token=gone.host)).status_code == 204

    unknown = await api.get("/sessions/by-code/BBBB-BBBB")
    refused(unknown, 404, "code-unknown")
    for code in (over.code, gone.code, "BBBBBBB", "AEIO-UAEI", "x", "B" * 400, "ＢＢＢＢＢＢＢＢ"):  # noqa: RUF001 - full-width letters
        assert alike(await api.get(f"/sessions/by-code/{code}"), unknown), code


async def test_joining_can_be_stopped_and_allowed(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join("Anna")

    assert accepted(await api.post(f"{event.path}/lock", token=event.host))["locked"] is True
    refused(await api.post(f"{event.path}/join", {"nickname": "Bert", "code": event.code}), 409, "session-locked")
    for token in (event.screen, anna.token):
        assert accepted(await api.get(f"{event.path}/status", token=token))["locked"] is True
    assert accepted(await api.get(f"/sessions/by-code/{event.code}"))["session_id"] == event.id
    assert accepted(await api.post(f"{event.path}/lock", {"locked": False}, token=event.host))["locked"] is False
    await event.join("Bert")
    refused(await api.post(f"{event.path}/lock", {"locked": 1}, token=event.host), 422, "invalid-input")


async def test_the_host_chooses_what_the_screen_shows(api: Api) -> None:
    event, other = await make_event(api), await make_event(api)
    draft, shown = await event.activity(), await event.activity(status="published")
    foreign = await other.activity(status="published")

    after = accepted(await api.post(f"{event.path}/show", {"activity_id": shown["id"]}, token=event.host))
    assert (after["shown_activity_id"], after["current_activity_id"]) == (shown["id"], None)
    for hidden in (draft["id"], foreign["id"], "00000000-0000-4000-8000-000000000000"):
        refused(await api.post(f"{event.path}/show", {"activity_id": hidden}, token=event.host), 404, "not-found")
    refused(await api.post(f"{event.path}/show", {"activity_id": "x"}, token=event.host), 422, "invalid-input")
    refused(await api.post(f"{event.path}/show", {}, token=event.host), 422, "invalid-input")
    assert await session_of(event) == after
    assert (await activity_of(event, shown))["status"] == "published"
    assert accepted(await api.post(f"{event.path}/show", {"activity_id": None}, token=event.host))["shown_activity_id"] is None
