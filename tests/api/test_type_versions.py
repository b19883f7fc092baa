"""The version of its type is stored with each activity and decides about its JSON."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused

TOAST = Path(__file__).parents[1] / "support/types/toast"
CONFIG = {"question": "Bread?", "breads": [{"name": "Rye"}], "most": 4}
NEW_CONFIG = {"ask": "Bread?", "breads": [{"name": "Rye"}]}
GOOD, NONSENSE = {"bread": "Rye", "shade": 2}, {"nonsense": [1, 2, 3]}
Servers = Callable[[str], AbstractAsyncContextManager[Api]]


def put_version(folder: Path, version: str, *, question: str = "question") -> None:
    """Write the type `toast` in a version whose configs name the question so."""
    shutil.copytree(TOAST, folder / "toast")
    for name, old in (("activity.json", "2.1"), ("config.schema.json", "question"), ("examples/kitchen.json", "question")):
        file = folder / "toast" / name
        file.write_text(file.read_text().replace(f'"{old}"', f'"{version if old == "2.1" else question}"'))


@pytest.fixture
def servers(tmp_path: Path, settings: Settings, api: Api) -> Servers:
    """Servers on one database: with version 2.1, with 3, and without the type."""
    put_version(tmp_path / "old", "2.1")
    put_version(tmp_path / "new", "3", question="ask")

    @asynccontextmanager
    async def serve(which: str) -> AsyncIterator[Api]:
        folders = {"old": ("old",), "new": ("new",), "both": ("new", "old"), "none": ()}[which]
        chosen = settings.model_copy(update={"activity_types": tuple(tmp_path / each for each in folders)})
        async with App(chosen, clock=api.app.platform.clock).running() as app:
            yield Api(app)

    return serve


def on(server: Api, event: Event) -> Event:
    return Event(server, event.id, event.code, event.host, event.screen)


async def _toast(server: Api, **fields: Any) -> tuple[Event, dict[str, Any]]:
    event = await make_event(server)
    fixed = {"config": CONFIG, "secret": {"best": "Rye"}, "moderation": "off", "anonymous": False, "response_policy": "one"}
    return event, await event.activity(**{"type": "toast", "status": "active", **fixed, **fields})


async def test_an_activity_holds_the_version_of_its_type(servers: Servers) -> None:
    async with servers("old") as old:
        event, made = await _toast(old)
        opaque = await event.activity(type="lunch", config=[1])
        copy = accepted(await old.post(f"{event.path}/duplicate", {}, token=old.admin), 201)
        feed = accepted(await old.get(f"{event.path}/changes/since/0", event.host))["items"]
        copied = accepted(await old.get(f"/sessions/{copy['id']}/activities", copy["host_token"]))["items"]
        anna = await event.join()
        accepted(await event.answer(made, anna, GOOD), 201)
        exported = (await old.get(f"{event.path}/export?format=jsonl", event.host)).text

    assert (made["type_version"], opaque["type_version"]) == ("2.1", None)
    assert [each["type_version"] for each in copied] == ["2.1", None]
    assert {each["data"]["type_version"] for each in feed if each["id"] == made["id"]} == {"2.1"}
    assert json.loads(exported)["activity_type_version"] == "2.1"


@pytest.mark.parametrize("which", ["new", "none"])
async def test_a_version_that_is_gone_takes_no_answers_and_loses_none(servers: Servers, which: str) -> None:
    async with servers("old") as old:
        event, made = await _toast(old)
        anna = await event.join()
        first = accepted(await event.answer(made, anna, GOOD, headers={"idempotency-key": "k1"}), 201)

    async with servers(which) as later:
        event = on(later, event)
        problem = refused(await event.answer(made, anna, NONSENSE), 409, "type-unavailable")
        refused(await event.answer(made, anna, GOOD), 409, "type-unavailable")
        own = f"{event.path}/activities/{made['id']}/responses/{first['id']}"
        refused(await later.put(own, {"response_data": NONSENSE}, token=anna.token), 409, "type-unavailable")
        again = await event.answer(made, anna, GOOD, headers={"idempotency-key": "k1"})
        assert accepted(again, 201)["response_data"] == GOOD, "a replay remains a replay"
        patch = {"config": {"ask": "?"}}
        refused(await later.patch(f"/activities/{made['id']}?force=true", patch, token=event.host), 409, "type-unavailable")
        assert accepted(await later.patch(f"/activities/{made['id']}", {"title": "T"}, token=event.host))["config"] == CONFIG
        kept = accepted(await later.get(own, event.host))["response_data"]

    assert kept == GOOD
    assert problem["type_version"] == "2.1"
    assert problem["versions"] == (["3"] if which == "new" else [])
    assert ("types upgrade" if which == "new" else "install it again") in problem["detail"]
    assert (problem["type"], problem["activity_type"]) == ("/problems/type-unavailable", "toast")


async def test_versions_stand_side_by_side(servers: Servers) -> None:
    async with servers("both") as both:
        event, new = await _toast(both, config=NEW_CONFIG)
        old = await event.activity(
            type="toast", type_version="2.1", config=CONFIG, secret={"best": "Rye"}, moderation="off", anonymous=False
        )
        assert (new["type_version"], old["type_version"]) == ("3", "2.1")
        wrong = {"type": "toast", "type_version": "2.1", "config": NEW_CONFIG, "secret": {"best": "Rye"}}
        refused(await both.post(f"{event.path}/activities", wrong, token=event.host), 422, "invalid-input")
        patched = accepted(await both.patch(f"/activities/{old['id']}", {"config": CONFIG | {"most": 3}}, token=event.host))
        put = {"type": "toast", "config": CONFIG, "secret": {"best": "Rye"}}
        replaced = accepted(await both.put(f"/activities/{old['id']}", put, token=event.host))
        newer = {"type_version": "3", "config": NEW_CONFIG}
        moved = accepted(await both.patch(f"/activities/{old['id']}", newer, token=event.host))

    assert [each["type_version"] for each in (patched, replaced, moved)] == ["2.1", "2.1", "3"]


async def test_every_version_is_read_and_tried(servers: Servers) -> None:
    async with servers("both") as both:
        newest = accepted(await both.get("/activity-types/toast"))
        older = accepted(await both.get("/activity-types/toast?version=2.1"))
        refused(await both.get("/activity-types/toast?version=1"), 404, "not-found")
        refused(await both.get("/activity-types/toast?version=new"), 422, "invalid-input")
        path, body = "/activity-types/toast/validate", {"config": CONFIG, "secret": {"best": "Rye"}}
        valid = [accepted(await both.post(path + query, body))["valid"] for query in ("", "?version=3", "?version=2.1")]

    assert [(each["version"], each["versions"]) for each in (newest, older)] == [("3", ["3", "2.1"]), ("2.1", ["3", "2.1"])]
    assert "ask" in newest["config_schema"]["properties"]
    assert "question" in older["config_schema"]["properties"]
    assert valid == [False, False, True]


async def test_a_version_does_not_change_under_answers(servers: Servers) -> None:
    async with servers("both") as both:
        event, made = await _toast(both, type_version="2.1")
        accepted(await event.answer(made, await event.join(), GOOD), 201)
        newer = {"type_version": "3", "config": NEW_CONFIG}
        answer = await both.patch(f"/activities/{made['id']}?force=true", newer, token=event.host)

    assert refused(answer, 409, "answers-exist")["fields"] == ["type_version"]


async def test_opaque_answers_do_not_come_under_a_version(servers: Servers) -> None:
    async with servers("none") as none:
        event, made = await _toast(none)
        accepted(await event.answer(made, await event.join(), NONSENSE), 201)
        empty = await event.activity(type="toast", config=CONFIG)
    async with servers("both") as both:
        path = f"/activities/{made['id']}?force=true"
        versioned = refused(await both.patch(path, {"type_version": "2.1"}, token=event.host), 409, "answers-exist")
        config = {"config": NEW_CONFIG}
        changed = refused(await both.patch(path, config, token=event.host), 409, "answers-exist")
        untouched = accepted(await both.patch(path, {"title": "T"}, token=event.host))
        fields = {"type_version": "2.1", "secret": {"best": "Rye"}}
        unanswered = accepted(await both.patch(f"/activities/{empty['id']}", fields, token=event.host))

    assert (versioned["fields"], changed["fields"]) == (["type_version"], ["type_version"])
    assert (untouched["type_version"], unanswered["type_version"]) == (None, "2.1")


async def test_an_unrecorded_version_becomes_the_oldest_one_under_answers(servers: Servers) -> None:
    async with servers("old") as old:
        event, made = await _toast(old)
        accepted(await event.answer(made, await event.join(), GOOD), 201)
        with old.app.platform.db.writer_connection() as connection, connection.begin():
            connection.exec_driver_sql("UPDATE activities SET type_version = 'unknown' WHERE type = 'toast'")
    async with servers("both") as both:
        path = f"/activities/{made['id']}?force=true"
        newest = refused(
            await both.patch(path, {"type_version": "3", "config": NEW_CONFIG}, token=event.host), 409, "answers-exist"
        )
        oldest = accepted(await both.patch(path, {"type_version": "2.1"}, token=event.host))

    assert newest["fields"] == ["type_version"]
    assert oldest["type_version"] == "2.1"


NOWHERE = {"x": {"path": "/crumb", "op": "count"}}
FAULT = {
    "pointer": "/aggregate/x/path",
    "message": "leads nowhere in response.schema.json. Correct the pointer. Names at its last step: bread, shade",
}


async def test_an_aggregate_leads_into_the_schemas_of_the_type(servers: Servers) -> None:
    fields = {"type": "toast", "config": CONFIG, "secret": {"best": "Rye"}}
    own = {"x": {"path": "/bread", "op": "score", "key": "/best"}}
    async with servers("both") as both:
        event, made = await _toast(both, type_version="2.1", aggregate=own)
        body = fields | {"type_version": "2.1", "aggregate": NOWHERE}
        created = refused(await both.post(f"{event.path}/activities", body, token=event.host), 422, "invalid-input")
        path = f"/activities/{made['id']}"
        patched = refused(await both.patch(path, {"aggregate": NOWHERE}, token=event.host), 422, "invalid-input")
        put = refused(await both.put(path, fields | {"aggregate": NOWHERE}, token=event.host), 422, "invalid-input")
        opaque = await event.activity(type="lunch", aggregate=NOWHERE)

    assert made["aggregate"] == own
    assert [created["errors"], patched["errors"], put["errors"]] == [[FAULT]] * 3
    assert opaque["aggregate"] == NOWHERE, "nothing describes the answers of a type that was never registered"


async def test_a_stored_aggregate_that_leads_nowhere_does_not_hinder_other_changes(servers: Servers) -> None:
    async with servers("old") as old:
        event, made = await _toast(old)
        with old.app.platform.db.writer_connection() as connection, connection.begin():
            connection.exec_driver_sql("""UPDATE activities SET aggregate_text = '{"x":{"path":"/crumb","op":"count"}}'""")
        path = f"/activities/{made['id']}"
        changed = accepted(await old.patch(path, {"config": CONFIG | {"most": 3}}, token=event.host))

    assert (changed["config"]["most"], changed["aggregate"]) == (3, NOWHERE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"type": "toast", "type_version": "9"}, "must be one of 3, 2.1"),
     ({"type": "lunch", "type_version": "1"}, "must be omitted, as this server has no such type")],
)  # fmt: skip
async def test_a_version_that_the_server_lacks_is_refused(servers: Servers, fields: dict[str, Any], message: str) -> None:
    async with servers("both") as both:
        event = await make_event(both)
        answer = await both.post(f"{event.path}/activities", fields, token=event.host)

    assert refused(answer, 422, "invalid-input")["errors"] == [{"pointer": "/type_version", "message": message}]


async def test_another_schema_under_the_same_version_takes_no_answers(servers: Servers, tmp_path: Path) -> None:
    async with servers("old") as old:
        event, made = await _toast(old)
        anna = await event.join()
    shutil.rmtree(tmp_path / "old")
    put_version(tmp_path / "old", "2.1", question="ask")
    async with servers("old") as changed:
        event = on(changed, event)
        problem = refused(await event.answer(made, anna, NONSENSE), 409, "type-unavailable")

    assert problem["detail"].startswith("The activity's config does not fit version 2.1 of toast")
