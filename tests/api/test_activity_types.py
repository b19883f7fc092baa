"""Registered types over the API: rejections, defaults, hidden parts, and opaque other types."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conflicto.activity_types.registry import installed
from conflicto.app import App
from conflicto.settings import Settings, read_settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused
from tests.support.queries import counted_statements

TYPES = Path(__file__).parents[1] / "support/types"
BREADS = [{"name": "Rye"}, {"name": "Wheat"}]
CONFIG = {"notes": "Ask Bert", "question": "Bread?", "breads": BREADS, "origin": "A bakery", "most": 4}
SEEN = {"question": "Bread?", "breads": BREADS, "most": 4}
TOAST = {"type": "toast", "config": CONFIG, "secret": {"best": "Rye"}}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"activity_types": (TYPES,)})


@pytest.fixture
async def event(api: Api) -> Event:
    return await make_event(api)


async def toast(event: Event, **fields: Any) -> dict[str, Any]:
    return await event.activity(**{**TOAST, "moderation": "off", "anonymous": False, **fields})


def pointers(answer: Any) -> list[str]:
    return [each["pointer"] for each in refused(answer, 422, "invalid-input")["errors"]]


async def test_types_are_listed_in_their_order(api: Api) -> None:
    page = accepted(await api.get("/activity-types?limit=3&offset=2"))
    names = [each["type"] for each in accepted(await api.get("/activity-types"))["items"]]

    assert names == [known.name for known in sorted(installed().types, key=lambda known: known.order)] + ["toast"]
    assert [each["type"] for each in page["items"]] == names[2:5]
    assert (page["total"], page["has_next"], page["has_prev"]) == (len(names), True, True)
    assert page["items"][0]["texts"]["de"].keys() == {"title", "description"}


async def test_a_type_is_shown_with_all_that_a_front_end_needs(api: Api) -> None:
    answer = await api.get("/activity-types/toast")
    shown = accepted(answer)

    assert (shown["type"], shown["version"], shown["icon"], shown["sdk"], shown["ui"]) == ("toast", "2.1", "🍞", "1", [])
    assert shown["config_schema"]["properties"]["notes"] == {"type": "string", "x-scope": "host"}
    assert shown["response_schema"]["required"] == ["bread", "shade"]
    assert shown["secret_schema"]["required"] == ["best"]
    assert shown["aggregate"]["breads"] == {"path": "/bread", "op": "count"}
    assert shown["examples"][0]["responses"] == [{"bread": "Rye", "shade": 3}]
    assert shown["catalogs"]["en"]["config.breads.name"] == "Name"
    again = await api.get("/activity-types/toast", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    refused(await api.get("/activity-types/nobody"), 404, "not-found")


async def test_json_can_be_tried_before_it_is_sent(api: Api) -> None:
    path = "/activity-types/toast/validate"
    whole = {"config": CONFIG, "secret": {"best": "Rye"}, "response_data": {"bread": "Rye", "shade": 4}}
    wrong = {"config": CONFIG, "secret": {"best": "Corn"}, "response_data": {"bread": "Corn", "shade": 5}}
    loose = {"secret": {"best": "Corn"}, "response_data": {"bread": "Corn"}}

    assert accepted(await api.post(path, whole)) == {"valid": True, "errors": []}
    assert accepted(await api.post(path, {})) == {"valid": True, "errors": []}
    verdict = accepted(await api.post(path, wrong))
    assert not verdict["valid"]
    assert [each["pointer"] for each in verdict["errors"]] == ["/secret/best", "/response_data/bread", "/response_data/shade"]
    assert [each["pointer"] for each in accepted(await api.post(path, loose))["errors"]] == ["/response_data/shade"]
    assert [each["pointer"] for each in accepted(await api.post(path, {"secret": {}}))["errors"]] == ["/secret/best"]
    assert accepted(await api.post("/activity-types/poll/validate", {"secret": {"any": 1}}))["valid"]
    refused(await api.post("/activity-types/nobody/validate", {}), 404, "not-found")
    refused(await api.post(path, {"answer": 1}), 422, "invalid-input")


@pytest.mark.parametrize("known", installed().types, ids=lambda known: known.name)
async def test_examples_of_every_type_play_over_the_api(event: Event, known: Any) -> None:
    seats = [await event.join(name) for name in ("Anna", "Bert", "Cleo", "Dora")]
    for example in known.examples:
        fields = {name: example[name] for name in ("config", "secret") if name in example}
        made = await event.activity(type=known.name, status="active", **fields)
        assert made["config"] == example["config"]
        assert made["aggregate"]
        for response, seat in zip(example["responses"], seats, strict=False):
            assert accepted(await event.answer(made, seat, response), 201)["response_data"] == response
        for wrong in (None, {}, [], "x", {"strange": 1}, example["responses"][0] | {"strange": 1}):
            assert pointers(await event.answer(made, seats[3], wrong))[0].startswith("/response_data")
        status = accepted(await event.api.get(f"{event.path}/activities/{made['id']}/status", event.host))
        assert status["response_count"] == len(example["responses"])


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"config": None}, ["/config"]),
    ({"config": {}}, ["/config/breads", "/config/question"]),
    ({"config": {**CONFIG, "extra": 1}}, ["/config"]),
    ({"config": {**CONFIG, "breads": [{"name": "Rye"}, {"name": "Rye"}]}}, ["/config/breads"]),
    ({"config": {**CONFIG, "least": 5}}, ["/config/most"]),
    ({"secret": {"best": "Corn"}}, ["/secret/best"]),
    ({"secret": {"best": "Rye", "x": 1}}, ["/secret"]),
    ({"secret": None}, ["/secret/best"]),
]


@pytest.mark.parametrize(("fields", "expected"), WRONG, ids=str)
async def test_what_does_not_fit_is_refused_with_pointers(event: Event, fields: dict[str, Any], expected: list[str]) -> None:
    path = f"{event.path}/activities"
    made = await toast(event)
    one = f"/activities/{made['id']}"

    for answer in (
        await event.api.post(path, TOAST | fields, token=event.host),
        await event.api.put(one, TOAST | fields, token=event.host),
        await event.api.patch(one, fields, token=event.host),
        await event.api.patch(one, {"title": "Also", **fields}, token=event.host),
    ):
        assert sorted(pointers(answer)) == expected
    assert accepted(await event.api.get(one, event.host)) == made
    assert accepted(await event.api.get(path, event.host))["total"] == 1


async def test_a_change_is_held_against_what_stays(event: Event) -> None:
    made = await toast(event)
    one = f"/activities/{made['id']}"
    rye = {"question": "Bread?", "breads": [{"name": "Wheat"}]}

    assert pointers(await event.api.patch(one, {"config": rye}, token=event.host)) == ["/secret/best"]
    assert pointers(await event.api.patch(one, {"type": "quiz"}, token=event.host)) != []
    accepted(await event.api.patch(one, {"config": rye, "secret": {"best": "Wheat"}}, token=event.host))
    accepted(await event.api.patch(one, {"type": "anything-else", "config": [1]}, token=event.host))
    assert pointers(await event.api.patch(one, {"type": "toast"}, token=event.host)) == ["/config"]


async def test_types_that_nobody_registered_take_any_json(event: Event) -> None:
    made = await event.activity(
        type="my.own-type_2", config=[1, {"x": None}], secret="s", aggregate={"x": {"path": "", "op": "count"}}, status="active"
    )
    anna = await event.join()

    for response in (None, [], {"a": 1}, "x"):
        assert accepted(await event.answer(made, anna, response), 201 if response is None else 200)["response_data"] == response
    assert (made["config"], made["secret"], made["aggregate"]) == ([1, {"x": None}], "s", {"x": {"path": "", "op": "count"}})


async def test_a_type_sets_what_the_host_leaves_out(event: Event) -> None:
    plain = await event.activity(**TOAST)
    explicit = await event.activity(**TOAST, response_policy="one", duration_seconds=None, anonymous=False)
    names = ("response_policy", "moderation", "duration_seconds", "anonymous", "results_visibility")

    assert [plain[name] for name in names] == ["first", "before", 45, True, "after_reveal"]
    assert [explicit[name] for name in names] == ["one", "before", None, False, "after_reveal"]
    put = accepted(await event.api.put(f"/activities/{explicit['id']}", TOAST, token=event.host))
    assert [put[name] for name in names] == ["first", "before", 45, True, "after_reveal"]
    assert put["order_index"] == explicit["order_index"]


async def test_a_type_declares_how_answers_are_counted_unless_the_host_does(event: Event) -> None:
    default = {"breads": {"path": "/bread", "op": "count"}, "score": {"path": "/bread", "op": "score", "key": "/best"}}
    own = {"shades": {"path": "/shade", "op": "number"}}
    made = await toast(event)
    one = f"/activities/{made['id']}"

    async def changed(**fields: Any) -> Any:
        return accepted(await event.api.patch(one, fields, token=event.host))["aggregate"]

    assert made["aggregate"] == default
    assert await changed(title="x") == default
    assert await changed(aggregate=own) == own
    assert await changed(config={**CONFIG, "most": 3}) == own
    assert await changed(aggregate=None) == default
    assert await changed(type="other") is None
    assert await changed(type="toast") == default
    assert await changed(type="other", aggregate=own) == own
    assert await changed(type="toast") == own
    put = accepted(await event.api.put(one, TOAST, token=event.host))
    assert put["aggregate"] == default


async def test_the_engines_own_bytes_come_back(event: Event) -> None:
    text = '{"type":"toast","config":{"question":"\\u00e9","breads":[{"name":"Rye"}],"most":1e1},"secret":{"best":"Rye"}}'
    answer = await event.api.request(
        "POST", f"{event.path}/activities", token=event.host, content=text, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 201
    shown = await event.api.get(f"/activities/{answer.json()['id']}", event.host)
    assert '"config":{"question":"\\u00e9","breads":[{"name":"Rye"}],"most":1e1}' in shown.text


async def seen(event: Event, made: dict[str, Any], token: str) -> list[Any]:
    """Return an activity's config from every route."""
    path, api = f"{event.path}/activities", event.api
    feed = accepted(await api.get(f"{event.path}/changes/since/0", token))["items"]
    return [
        accepted(await api.get(f"{path}/{made['id']}", token))["config"],
        accepted(await api.get(f"/activities/{made['id']}", token))["config"],
        accepted(await api.get(f"{path}/active", token))["config"],
        accepted(await api.get(path, token))["items"][0]["config"],
        next(each["data"]["config"] for each in feed if each["id"] == made["id"]),
    ]


async def test_scopes_hide_parts_of_the_config(event: Event) -> None:
    anna = await event.join()
    made = await toast(event, status="active")
    reveal = f"{event.path}/activities/{made['id']}/reveal"
    others = (event.screen, anna.token)

    assert await seen(event, made, event.host) == [CONFIG] * 5
    for token in others:
        assert await seen(event, made, token) == [SEEN] * 5
    accepted(await event.api.post(reveal, {"results": True}, token=event.host))
    for token in others:
        assert await seen(event, made, token) == [SEEN | {"origin": "A bakery"}] * 5
    accepted(await event.api.post(reveal, {"results": False}, token=event.host))
    for token in others:
        assert await seen(event, made, token) == [SEEN] * 5
    assert await seen(event, made, event.host) == [CONFIG] * 5


async def test_what_was_hidden_stays_hidden_without_the_type(event: Event, settings: Settings) -> None:
    anna = await event.join()
    made = await toast(event, status="active")
    copy = accepted(await event.api.post(f"{event.path}/duplicate", {}, token=event.api.admin), 201)
    bare = settings.model_copy(update={"activity_types": ()})

    async with App(bare, clock=event.api.app.platform.clock).running() as without:
        shown = await Api(without).get(f"/activities/{made['id']}", anna.token)
        assert accepted(shown)["config"] == SEEN
        own = Event(Api(without), copy["id"], copy["join_code"], copy["host_token"], copy["screen_token"])
        listed = accepted(await own.api.get(f"{own.path}/activities", own.host))["items"][0]
        accepted(await own.api.patch(f"/activities/{listed['id']}", {"title": "T"}, token=own.host))
        accepted(await own.move(listed, "published"))
        assert accepted(await own.api.get(f"/activities/{listed['id']}", own.screen))["config"] == SEEN


async def test_an_activity_is_shown_whole_once_it_has_another_type(event: Event) -> None:
    made = await toast(event, status="active")
    accepted(await event.api.patch(f"/activities/{made['id']}", {"type": "other"}, token=event.host))

    assert accepted(await event.api.get(f"/activities/{made['id']}", event.screen))["config"] == CONFIG


async def test_answers_are_held_against_config_and_defaults(event: Event) -> None:
    made = await toast(event, status="active", response_policy="one")
    anna = await event.join()

    for response, expected in [
        ({"bread": "Corn", "shade": 2}, ["/response_data/bread"]),
        ({"bread": "Rye", "shade": 5}, ["/response_data/shade"]),
        ({"bread": "Rye", "shade": 0}, ["/response_data/shade"]),
        ({"bread": "Rye"}, ["/response_data/shade"]),
        ({"bread": "Rye", "shade": 2, "x": 1}, ["/response_data"]),
        ("Rye", ["/response_data"]),
    ]:
        assert pointers(await event.answer(made, anna, response)) == expected
    first = accepted(await event.answer(made, anna, {"bread": "Rye", "shade": 4}), 201)
    assert first["revision"] == 1
    one = f"{event.path}/activities/{made['id']}/responses/{first['id']}"
    assert pointers(await event.api.put(one, {"response_data": {"bread": "Rye", "shade": 9}}, token=anna.token)) == [
        "/response_data/shade"
    ]
    assert accepted(await event.api.put(one, {"response_data": {"bread": "Wheat", "shade": 1}}, token=anna.token))["revision"] == 2


async def test_a_changed_config_is_the_measure_from_then_on(event: Event) -> None:
    made = await toast(event, status="active", response_policy="one")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    four, key = {"bread": "Wheat", "shade": 4}, {"idempotency-key": "k1"}
    accepted(await event.answer(made, anna, four, headers=key), 201)
    changed = {"question": "Bread?", "breads": [{"name": "Rye"}], "most": 3}

    accepted(await event.api.patch(f"/activities/{made['id']}?force=true", {"config": changed}, token=event.host))

    assert pointers(await event.answer(made, bert, four)) == ["/response_data/bread", "/response_data/shade"]
    assert pointers(await event.answer(made, bert, four, headers={"idempotency-key": "k2"})) != []
    assert accepted(await event.answer(made, anna, four, headers=key), 201)["response_data"] == four, "a replay remains a replay"
    accepted(await event.answer(made, bert, {"bread": "Rye", "shade": 3}), 201)


async def test_refusals_reveal_nothing_about_drafts(event: Event) -> None:
    anna = await event.join()
    made = await toast(event)
    other = await make_event(event.api)
    foreign = await toast(other, status="active")

    refused(await event.answer(made, anna, {"bread": "Corn"}), 404, "not-found")
    refused(await event.answer(foreign, anna, {"bread": "Corn"}), 404, "not-found")
    refused(await event.answer({"id": "00000000-0000-4000-8000-000000000000"}, anna, {}), 404, "not-found")


@pytest.mark.usefixtures("undisturbed")
async def test_all_who_answer_at_once_share_one_reading_of_the_config(event: Event) -> None:
    made = await toast(event, status="active")
    seats = [await event.join(f"Guest {number}") for number in range(12)]

    with counted_statements(event.api.app.platform.db) as statements:
        answers = await asyncio.gather(*(event.answer(made, seat, {"bread": "Rye", "shade": 2}) for seat in seats))

    assert {answer.status_code for answer in answers} == {201}
    assert len([text for text in statements if "config_text" in text]) == 1


async def test_checks_that_nobody_needs_are_forgotten(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.responses.validation.MAX_CACHED_CHECKS", 1)
    anna = await event.join()
    for _ in range(2):
        made = await toast(event, status="active")
        for _ in range(2):
            assert pointers(await event.answer(made, anna, {"bread": "Corn", "shade": 2})) == ["/response_data/bread"]


@pytest.fixture
async def before(settings: Settings, api: Api) -> AsyncIterator[Api]:
    """The server before the type was added."""
    bare = settings.model_copy(update={"activity_types": ()})
    async with App(bare, clock=api.app.platform.clock).running() as app:
        yield Api(app)


async def test_an_activity_older_than_its_type_stays_opaque_until_it_is_changed(before: Api, api: Api) -> None:
    earlier = await make_event(before)
    made = await earlier.activity(type="toast", config={"any": "thing"}, status="active")
    event = Event(api, earlier.id, earlier.code, earlier.host, earlier.screen)
    anna = await event.join()

    assert accepted(await event.answer(made, anna, {"any": "answer"}), 201)["response_data"] == {"any": "answer"}
    titled = accepted(await api.patch(f"/activities/{made['id']}", {"title": "Old"}, token=event.host))
    assert titled["config"] == {"any": "thing"}
    assert pointers(await api.patch(f"/activities/{made['id']}?force=true", {"config": {"any": 1}}, token=event.host)) != []


def test_folders_come_from_the_environment() -> None:
    read = read_settings({"CONFLICTO_ACTIVITY_TYPES": f"{TYPES}::{TYPES / 'toast'}"})

    assert read.activity_types == (TYPES, TYPES / "toast")
    assert read_settings({}).activity_types == ()


@pytest.fixture
async def broken(settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    """A server whose folders hold a type without schemas, and a valid one."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/activity.json").write_text('{"type": "bad", "version": "1",\n"title": "Bad", "icon": "B", "sdk": "1", "a": 1}')
    async with App(settings.model_copy(update={"activity_types": (tmp_path / "bad", TYPES)})).running() as app:
        yield Api(app)


async def test_hosts_and_operators_read_why_a_type_was_left_out(broken: Api) -> None:
    event = await make_event(broken)
    anna = await event.join()

    accepted(await broken.get("/activity-types/toast"))
    refused(await broken.get("/activity-types/bad"), 404, "not-found")
    refused(await broken.get("/rejected-activity-types"), 401, "token-missing")
    refused(await broken.get("/rejected-activity-types", anna.token), 403, "role-not-allowed")
    (rejected,) = accepted(await broken.get("/rejected-activity-types", event.host))["items"]
    assert (rejected["name"], rejected["origin"]) == ("bad", "folder")
    assert rejected["faults"][0] == {
        "file": "bad/activity.json", "line": 2, "pointer": "/a", "message": "is not known here",
        "remedy": "Remove it. Allowed: type, version, title, icon, sdk, order, authors, license, homepage, requires, fresh, defaults,"
        " defaults_for_many.",
    }  # fmt: skip
    assert [each["file"] for each in rejected["faults"][1:]] == ["bad/config.schema.json", "bad/response.schema.json"]
    ready = accepted(await broken.get("/health/ready"))
    assert (ready["status"], ready["warnings"]) == ("ready", ["activity-type-rejected: bad"])


async def test_a_server_without_faults_has_no_warnings(api: Api, event: Event) -> None:
    assert accepted(await api.get("/rejected-activity-types", event.host)) == {"items": []}
    assert accepted(await api.get("/health/ready"))["warnings"] == []
