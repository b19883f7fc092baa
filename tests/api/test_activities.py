import asyncio
import json
from typing import Any

import httpx2
import pytest

from conflicto.activities.commands.edit import NewActivity, add_activity
from conflicto.activities.model import MAX_ACTIVITIES, Content
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, activity_of, alike, raw, refused, session_of
from tests.support.shapes import SHAPES

JSON = {"content-type": "application/json"}
MISSING = "00000000-0000-4000-8000-000000000000"


async def send(event: Event, method: str, path: str, text: str, token: str | None = None, **kwargs: Any) -> httpx2.Response:
    """Send a literal body."""
    headers = JSON | kwargs.pop("headers", {})
    return await event.api.request(method, path, token=token or event.host, content=text.encode(), headers=headers, **kwargs)


def nested(event: Event, activity: dict[str, Any]) -> str:
    return f"{event.path}/activities/{activity['id']}"


async def listed(event: Event, token: str, query: str = "") -> dict[str, Any]:
    return accepted(await event.api.get(f"{event.path}/activities{query}", token=token))


async def test_a_new_activity_is_a_draft_with_defaults_and_can_be_read_in_two_places(api: Api) -> None:
    event = await make_event(api)
    answer = await api.post(f"{event.path}/activities", {"type": "lunch"}, token=event.host)
    made = accepted(answer, 201)

    expected = {
        "session_id": event.id, "type": "lunch", "type_version": None, "title": None,
        "config": {}, "secret": None, "aggregate": None, "order_index": 0,
        "status": "draft", "response_policy": "one", "results_visibility": "after_reveal", "responses_visibility": "host",
        "moderation": "off", "anonymous": False, "min_group": 3, "duration_seconds": None, "round": 1, "started_at": None, "ends_at": None,
        "results_revealed": False, "secret_revealed": False, "focus_response_id": None, "revision": 1,
    }  # fmt: skip
    assert expected.items() <= made.items()
    assert set(made) - set(expected) == {"id", "created_at", "updated_at"}
    assert answer.headers["location"] == f"/api/v1{nested(event, made)}"
    reads = [await api.get(path, token=event.host) for path in (nested(event, made), f"/activities/{made['id']}")]
    assert [read.json() for read in reads] == [made, made]
    assert {read.headers["etag"] for read in reads} == {answer.headers["etag"]}


async def test_any_json_comes_back_byte_for_byte(api: Api) -> None:
    assert len(SHAPES) >= 10
    event = await make_event(api)
    anna = await event.join()
    for text in SHAPES.values():
        await comes_back(event, anna, text)


async def comes_back(event: Event, anna: Seat, text: str) -> None:
    api = event.api
    body = f'{{"type":"any.kind-1","config":{text},"secret":{text},"status":"active","responses_visibility":"participants"}}'
    made = await send(event, "POST", f"{event.path}/activities", body)
    poll = accepted(made, 201)
    path = nested(event, poll)

    sent = await send(event, "POST", f"{path}/responses", f'{{ "response_data" : {text} }}', anna.token)

    assert sent.status_code == 201
    assert (raw(made, "config"), raw(made, "secret"), raw(sent, "response_data")) == (text, text, text)
    read = await api.get(path, token=event.host)
    assert (raw(read, "config"), raw(read, "secret")) == (text, text)
    assert raw(await api.get(path, token=anna.token), "config") == text
    for where, token in (("/responses", event.host), ("/responses/mine", anna.token), ("/responses/since/0", anna.token)):
        assert f'"response_data":{text}'.encode() in (await api.get(path + where, token=token)).content
    for where in ("/activities", "/changes/since/0"):
        assert f'"config":{text}'.encode() in (await api.get(event.path + where, token=event.screen)).content
    changed = await send(event, "PATCH", f"{path}?force=true", f'{{"config":{{"new":{text}}}}}')
    assert raw(changed, "config") == f'{{"new":{text}}}'


async def test_activities_stand_in_their_order_and_in_pages(api: Api) -> None:
    event = await make_event(api)
    for title, index in (("b", None), ("c", None), ("a", -1), ("e", 9), ("f", None), ("d", 5)):
        made = await event.activity(title=title, **({} if index is None else {"order_index": index}))
    assert made["order_index"] == 5

    page = await listed(event, event.host, "?limit=2&offset=2")
    assert [item["title"] for item in page["items"]] == ["c", "d"]
    assert (page["total"], page["has_next"], page["has_prev"]) == (6, True, True)
    everything = await listed(event, event.host)
    assert [item["title"] for item in everything["items"]] == list("abcdef")
    assert [item["order_index"] for item in everything["items"]] == [-1, 0, 1, 5, 9, 10]
    assert everything["items"][3] == made


async def test_a_list_can_be_filtered_by_status(api: Api) -> None:
    event = await make_event(api)
    for status in ("draft", "published", "active", "draft"):
        await event.activity(title=status, status=status)

    for status, titles in {"draft": ["draft", "draft"], "active": ["active"], "expired": []}.items():
        page = await listed(event, event.host, f"?status={status}")
        assert ([item["title"] for item in page["items"]], page["total"]) == (titles, None)
    refused(await api.get(f"{event.path}/activities?status=open", token=event.host), 422, "invalid-input")


async def test_drafts_are_hidden_from_screen_and_participants(api: Api) -> None:
    event = await make_event(api)
    draft, shown = await event.activity(status="draft"), await event.activity(status="published")
    anna = await event.join()

    for token in (event.screen, anna.token):
        missing = await api.get(f"/activities/{MISSING}", token=token)
        for path in (nested(event, draft), f"/activities/{draft['id']}", nested(event, draft) + "/status"):
            assert alike(await api.get(path, token=token), missing)
        assert [item["id"] for item in (await listed(event, token))["items"]] == [shown["id"]]
        assert (await listed(event, token, "?status=draft"))["items"] == []
        assert draft["id"] not in (await api.get(f"{event.path}/changes/since/0", token=token)).text
    refused(await event.answer(draft, anna, 1), 404, "not-found")
    accepted(await event.move(shown, "draft"))
    for token in (event.screen, anna.token):
        refused(await api.get(nested(event, shown), token=token), 404, "not-found")


async def test_a_secret_is_for_hosts_until_it_is_revealed_and_again_when_it_is_hidden(api: Api) -> None:
    event = await make_event(api)
    quiz = await event.activity(
        type="riddle", secret={"right": "K7"}, aggregate={"k7": {"path": "", "op": "count"}}, status="active"
    )
    anna = await event.join()

    async def seen(token: str) -> Any:
        shown = await activity_of(event, quiz, token)
        assert "aggregate" not in shown
        return shown["secret"]

    assert (await activity_of(event, quiz))["secret"] == {"right": "K7"}
    assert [await seen(event.screen), await seen(anna.token)] == [None, None]
    accepted(await event.move(quiz, "expired"))
    for revealed, secret in ((True, {"right": "K7"}), (False, None)):
        accepted(await api.post(f"{nested(event, quiz)}/reveal", {"secret": revealed}, token=event.host))
        assert [await seen(event.screen), await seen(anna.token)] == [secret, secret]


async def test_patch_replaces_named_fields_whole_and_no_others(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(title="Old", config={"a": {"b": 1}, "c": 2}, secret={"s": 1}, duration_seconds=30, order_index=4)

    after = accepted(await api.patch(nested(event, made), {"config": {"a": {"d": 1}}, "title": None}, token=event.host))

    changed = {"config": {"a": {"d": 1}}, "title": None, "revision": 2, "updated_at": after["updated_at"]}
    assert after == made | changed
    assert after["updated_at"] > made["updated_at"]
    assert accepted(await api.patch(f"/activities/{made['id']}", {"title": None}, token=event.host)) == after
    cleared = accepted(await api.patch(f"/activities/{made['id']}", {"secret": None, "duration_seconds": None}, token=event.host))
    assert (cleared["secret"], cleared["duration_seconds"], cleared["revision"]) == (None, None, 3)
    assert await activity_of(event, made) == cleared


async def test_put_replaces_the_activity_and_keeps_place_and_status(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(
        title="Old", config=[1], secret=[2], order_index=4, status="published", moderation="after", anonymous=True
    )

    after = accepted(await api.put(nested(event, made), {"type": "stars", "title": "New"}, token=event.host))

    replaced = {"type": "stars", "title": "New", "config": {}, "secret": None, "moderation": "off", "anonymous": False}
    assert after == made | replaced | {"revision": made["revision"] + 1, "updated_at": after["updated_at"]}
    assert await activity_of(event, made) == after
    refused(await api.put(nested(event, made), {"title": "No type"}, token=event.host), 422, "invalid-input")
    refused(await api.put(nested(event, made), {"type": "lunch", "status": "active"}, token=event.host), 422, "invalid-input")


UNFIT = [
    {"type": "Poll"}, {"type": ""}, {"type": "x" * 65}, {"type": None}, {"type": "lunch", "duration_seconds": 0},
    {"type": "lunch", "duration_seconds": 86_401}, {"type": "lunch", "order_index": 1.0}, {"type": "lunch", "order_index": 1_000_001},
    {"type": "lunch", "status": "open"}, {"type": "lunch", "response_policy": "two"}, {"type": "lunch", "anonymous": 1},
    {"type": "lunch", "moderation": None}, {"type": "lunch", "round": 2}, {"type": "lunch", "id": MISSING},
]  # fmt: skip


async def test_an_activity_that_does_not_fit_is_refused(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity()
    for body in UNFIT:
        problem = refused(await api.post(f"{event.path}/activities", body, token=event.host), 422, "invalid-input")
        assert problem["errors"][0]["pointer"] in {f"/{list(body)[-1]}", ""}
        patch = {name: value for name, value in body.items() if body["type"] != "lunch" or name != "type"}
        refused(await api.patch(nested(event, made), patch, token=event.host), 422, "invalid-input")
        assert (await listed(event, event.host))["items"] == [made]


async def test_if_match_and_if_none_match_go_by_revision(api: Api) -> None:
    event = await make_event(api)
    made = await event.activity(status="published")
    path, tag = nested(event, made), (await api.get(nested(event, made), token=event.host)).headers["etag"]

    assert (await api.get(path, token=event.host, headers={"if-none-match": tag})).status_code == 304
    after = accepted(await api.patch(path, {"title": "One"}, token=event.host, headers={"if-match": tag}))
    for late in (
        api.patch(path, {"title": "Two"}, token=event.host, headers={"if-match": tag}),
        api.put(path, {"type": "lunch"}, token=event.host, headers={"if-match": tag}),
        api.delete(f"/activities/{made['id']}", token=event.host, headers={"if-match": tag}),
    ):
        assert refused(await late, 412, "revision-stale")["revision"] == after["revision"]
    assert await activity_of(event, made) == after
    either = {"if-match": f'{tag}, "r{after["revision"]}"'}
    assert accepted(await api.patch(path, {"title": "One"}, token=event.host, headers=either)) == after
    for token in (event.screen, (await event.join()).token):
        first = await api.get(path, token=token)
        assert (await api.get(path, token=token, headers={"if-none-match": first.headers["etag"]})).status_code == 304
    refused(await api.patch(path, {"title": "Two"}, token=event.host, headers={"if-match": '"7"'}), 400, "condition-invalid")


async def test_once_people_answered_what_they_answered_to_is_frozen(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(config={"a": 1}, secret=1, status="active")
    anna = await event.join()
    sent = accepted(await event.answer(poll, anna, 1), 201)
    path = nested(event, poll)

    for body in ({"config": {"a": 2}}, {"secret": None}, {"response_policy": "many"}, {"type": "riddle"}):
        problem = refused(await api.patch(path, body, token=event.host), 409, "answers-exist")
        assert problem["fields"] == list(body)
    for body in ({"response_policy": "many"}, {"type": "riddle"}):
        refused(await api.patch(f"{path}?force=true", body, token=event.host), 409, "answers-exist")
    assert (await activity_of(event, poll))["revision"] == poll["revision"]
    assert accepted(await api.patch(path, {"title": "Free", "config": {"a": 1}}, token=event.host))["title"] == "Free"
    forced = accepted(await api.patch(f"{path}?force=true", {"config": {"a": 2}, "secret": 2}, token=event.host))
    assert (forced["config"], forced["secret"]) == ({"a": 2}, 2)
    refused(await api.patch(f"{path}?force=maybe", {"config": 3}, token=event.host), 422, "invalid-input")

    accepted(await api.delete(f"{path}/responses/{sent['id']}", token=event.host), 204)
    assert accepted(await api.patch(path, {"response_policy": "many"}, token=event.host))["response_policy"] == "many"


STRICT = {"anonymous": True, "min_group": 5, "results_visibility": "after_reveal", "responses_visibility": "screen"}
LOOSER = [
    {"anonymous": False}, {"min_group": 4}, {"min_group": 0}, {"results_visibility": "after_answer"}, {"results_visibility": "always"},
    {"responses_visibility": "participants"}, {"min_group": 4, "results_visibility": "always"},
]  # fmt: skip
STRICTER = [{"min_group": 6}, {"min_group": 20}, {"results_visibility": "host"}, {"responses_visibility": "host"}]


@pytest.mark.parametrize("anonymous", [True, False])
async def test_what_people_relied_on_is_never_loosened(api: Api, *, anonymous: bool) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", **{**STRICT, "anonymous": anonymous})
    accepted(await event.answer(poll, await event.join(), 1), 201)
    path = nested(event, poll)

    for body in LOOSER[not anonymous :]:
        for query in ("", "?force=true"):
            problem = refused(await api.patch(path + query, body, token=event.host), 409, "answers-exist")
            assert problem["fields"] == sorted(body)
    whole = {"type": "lunch", **STRICT, "anonymous": anonymous}
    refused(await api.put(path, whole | {"min_group": 4}, token=event.host), 409, "answers-exist")
    assert accepted(await api.put(path, whole, token=event.host))["min_group"] == 5
    for body in STRICTER:
        assert body.items() <= accepted(await api.patch(path, body, token=event.host)).items()
    if not anonymous:
        assert accepted(await api.patch(path, {"anonymous": True}, token=event.host))["anonymous"]


async def test_the_settings_of_an_anonymous_activity_bind_from_its_start(api: Api) -> None:
    """A refusal only after the first response would reveal that response."""
    event = await make_event(api)
    poll, named = [await event.activity(anonymous=anonymous, min_group=3) for anonymous in (True, False)]
    for each in (poll, named):
        accepted(await api.patch(nested(event, each), {"min_group": 2, "results_visibility": "always"}, token=event.host))
        accepted(await event.move(each, "active"))

    refused(await api.patch(nested(event, poll), {"min_group": 1}, token=event.host), 409, "answers-exist")
    assert accepted(await api.patch(nested(event, named), {"min_group": 1}, token=event.host))["min_group"] == 1


@pytest.mark.parametrize("value", [-1, 21, 2**40, 1.5, "3", None, True])
async def test_a_group_is_a_whole_number_up_to_20(api: Api, value: object) -> None:
    event = await make_event(api)
    made = await event.activity(min_group=20)
    refused(
        await api.post(f"{event.path}/activities", {"type": "lunch", "min_group": value}, token=event.host), 422, "invalid-input"
    )
    refused(await api.patch(nested(event, made), {"min_group": value}, token=event.host), 422, "invalid-input")


@pytest.mark.parametrize(("kind", "fields", "group"), [
    ("lunch", {}, 3), ("poll", {}, 3), ("questions", {}, 0), ("questions", {"response_policy": "one"}, 0), ("pulse", {}, 0),
    ("wall", {}, 3), ("wall", {"response_policy": "many"}, 0), ("words", {"response_policy": "many"}, 0), ("words", {}, 3),
    ("wall", {"response_policy": "many", "min_group": 7}, 7), ("poll", {"response_policy": "many"}, 3),
])  # fmt: skip
async def test_types_declare_the_group_of_their_answers(api: Api, kind: str, fields: dict[str, Any], group: int) -> None:
    event = await make_event(api)
    config = {
        "poll": {"question": "Q", "options": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]},
        "pulse": {"emojis": ["👍", "👎"]},
        "lunch": {},
    }
    body = {"type": kind, "config": config.get(kind, {"question": "Q"} if kind != "questions" else {"prompt": "Q"}), **fields}
    made = accepted(await api.post(f"{event.path}/activities", body, token=event.host), 201)
    assert made["min_group"] == group


async def test_a_deleted_activity_leaves_a_tombstone_and_nothing_else(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(config={"canary": "K7"}, status="active")
    anna = await event.join()
    accepted(await event.answer(poll, anna, "K7"), 201)
    cursor = accepted(await api.get(f"{event.path}/changes/since/now", token=anna.token))["cursor"]

    assert (await api.delete(nested(event, poll), token=event.host)).status_code == 204

    for token in (event.host, event.screen, anna.token):
        for path in (nested(event, poll), f"/activities/{poll['id']}", nested(event, poll) + "/status"):
            refused(await api.get(path, token=token), 404, "not-found")
        assert (await listed(event, token))["items"] == []
        page = accepted(await api.get(f"{event.path}/changes/since/{cursor}", token=token))
        items = [item for item in page["items"] if item["id"] == poll["id"]]
        assert [(item["deleted"], item["data"]) for item in items] == [(True, None)]
        assert "K7" not in json.dumps(page)
    refused(await event.answer(poll, anna, 2), 404, "not-found")
    refused(await api.delete(nested(event, poll), token=event.host), 404, "not-found")
    assert (await listed(event, event.host))["total"] == 0
    after = await session_of(event)
    assert (after["current_activity_id"], after["shown_activity_id"]) == (None, None)


@pytest.mark.parametrize(("status", "answer"), [("draft", 201), ("published", 201), ("active", 201), ("expired", 409)])
async def test_an_activity_can_be_made_in_a_status_that_its_lifecycle_reaches(api: Api, status: str, answer: int) -> None:
    event = await make_event(api)
    made = accepted(await api.post(f"{event.path}/activities", {"type": "lunch", "status": status}, token=event.host), answer)

    if answer == 201:
        assert made["status"] == status
        assert await activity_of(event, made) == made
        assert (await session_of(event))["current_activity_id"] == (made["id"] if status == "active" else None)
    else:
        assert made["code"] == "move-not-allowed"
        assert (await listed(event, event.host))["total"] == 0


async def test_an_active_activity_cannot_be_made_in_a_draft_session(api: Api) -> None:
    event = await make_event(api, active=False)
    refused(
        await api.post(f"{event.path}/activities", {"type": "lunch", "status": "active"}, token=event.host),
        409,
        "session-not-active",
    )
    assert (await listed(event, event.host))["items"] == []
    assert (await event.activity(status="published"))["status"] == "published"


async def test_the_same_key_makes_one_activity_in_each_session(api: Api) -> None:
    event, other = await make_event(api), await make_event(api)
    body, key = {"type": "lunch", "config": [1]}, {"idempotency-key": "k1"}

    async def post(where: Event, **fields: Any) -> httpx2.Response:
        return await api.post(f"{where.path}/activities", body | fields, token=api.admin, headers=key)

    made = [accepted(answer, 201) for answer in await asyncio.gather(*(post(event) for _ in range(4)))]
    assert len({each["id"] for each in made}) == 1
    refused(await post(event, title="Other"), 422, "key-reused")
    assert accepted(await post(other), 201)["id"] != made[0]["id"]
    assert [(await listed(each, each.host))["total"] for each in (event, other)] == [1, 1]


async def test_a_session_holds_a_limited_number_of_activities(api: Api) -> None:
    event = await make_event(api)
    new = NewActivity(type="lunch", content=Content(config="{}", secret=None, aggregate=None), order_index=0)
    await api.app.domain.writer.run(event.id, lambda tx: [add_activity(tx, event.id, new) for _ in range(MAX_ACTIVITIES - 1)])
    last = await event.activity()

    refused(await api.post(f"{event.path}/activities", {"type": "lunch"}, token=event.host), 409, "too-many-activities")
    assert (await listed(event, event.host, "?limit=1000"))["total"] == MAX_ACTIVITIES
    assert (await api.delete(nested(event, last), token=event.host)).status_code == 204
    await event.activity()
