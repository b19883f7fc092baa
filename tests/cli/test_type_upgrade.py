"""`conflicto types upgrade`: previews, changes whole activities, continues, and loses nothing."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from conflicto.activity_types.registry import load_registry
from conflicto.app import App
from conflicto.cli import type_upgrade
from conflicto.cli.type_upgrade import Stride, upgrade_activities
from conflicto.platform.db.engine import Database
from conflicto.responses.recount.differences import bytes_of_sessions, counter_differences
from conflicto.sessions.feed_heads.store import read_head
from conflicto.settings import Settings
from tests.support import revisions
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused
from tests.support.patience import PATIENT
from tests.support.processes import environment, run
from tests.support.type_versions import NEW, OLD, put_both, put_version

CONFIG = {"question": "Bread?", "breads": [{"name": "Rye"}, {"name": "Wheat"}], "most": 4}
NEW_CONFIG = {"ask": "Bread?", "breads": [{"name": "Rye"}, {"name": "Wheat"}], "most": 4, "least": 1}
TOAST = {
    "type": "toast",
    "config": CONFIG,
    "secret": {"best": "Rye"},
    "moderation": "off",
    "anonymous": False,
    "response_policy": "one",
}
Servers = Callable[[str], AbstractAsyncContextManager[Api]]


@pytest.fixture
def types(tmp_path: Path) -> Path:
    """Folders `old` and `new` with the type in version 2.1, and in both."""
    put_version(tmp_path / "old/toast", OLD)
    put_both(tmp_path / "new/toast")
    return tmp_path


@pytest.fixture
def servers(types: Path, settings: Settings, api: Api) -> Servers:
    @asynccontextmanager
    async def serve(which: str) -> AsyncIterator[Api]:
        chosen = settings.model_copy(update={"activity_types": (types / which,)})
        async with App(chosen, clock=api.app.platform.clock).running() as app:
            yield Api(app)

    return serve


@pytest.fixture
def env(database_url: str, types: Path) -> dict[str, str]:
    return environment(types, DATABASE_URL=database_url, CONFLICTO_ACTIVITY_TYPES=str(types / "new"))


def upgrade(env: dict[str, str], *arguments: str) -> Any:
    return run("types", "upgrade", *arguments, env=env)


async def _answered(old: Api) -> tuple[Event, list[dict[str, Any]]]:
    """Return an event with a plain, an anonymous and an opaque activity, the first two answered."""
    event = await make_event(old)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    plain = await event.activity(**TOAST, status="active")
    accepted(await event.answer(plain, anna, {"bread": "Rye", "shade": 1}), 201)
    accepted(await event.answer(plain, bert, {"bread": "Wheat", "shade": 3}), 201)
    accepted(await event.api.post(f"{event.path}/activities/{plain['id']}/rounds", {}, token=event.host))
    accepted(await event.answer(plain, anna, {"bread": "Wheat", "shade": 2}), 201)
    accepted(await event.move(plain, "expired"))
    hidden = await event.activity(**TOAST | {"anonymous": True, "min_group": 3}, status="active")
    accepted(await event.answer(hidden, anna, {"bread": "Rye", "shade": 1}), 201)
    opaque = await event.activity(type="lunch", config=[1])
    return event, [plain, hidden, opaque]


def _activities(url: str) -> dict[str, dict[str, Any]]:
    """Return the rows of activities by id."""
    rows = revisions.dump(url)["activities"]
    return {str(row["id"] if isinstance(row["id"], UUID) else UUID(bytes=row["id"])): row for row in rows}


def _check_counters(url: str, session_id: int) -> None:
    db = Database(url, timeouts=PATIENT)
    try:
        assert db.query(counter_differences) == []
        assert db.query(read_head, session_id).counts["stored_bytes"] == db.query(bytes_of_sessions)[session_id]
    finally:
        db.close()


async def test_a_dry_run_reports_everything_and_changes_nothing(servers: Servers, env: dict[str, str], database_url: str) -> None:
    async with servers("old") as old:
        await _answered(old)
    before = revisions.dump(database_url)

    done = upgrade(env, "--dry-run")

    assert (done.exit_code, done.stdout) == (0, "Would upgrade toast 2.1 → 3: 2 activities of 1 sessions, 4 answers.\n")
    assert revisions.dump(database_url) == before


async def test_an_upgrade_changes_activities_and_answers_and_keeps_the_rest(
    servers: Servers, env: dict[str, str], database_url: str
) -> None:
    async with servers("old") as old:
        event, (plain, hidden, opaque) = await _answered(old)
        path = f"{event.path}/activities/{plain['id']}"
        earlier = accepted(await old.get(f"{path}/responses/since/0", event.host))
        results = accepted(await old.get(f"{path}/results?round=1", event.host))["results"]

    done = upgrade(env)
    assert (done.exit_code, done.stdout) == (0, "Upgraded toast 2.1 → 3: 2 activities of 1 sessions, 4 answers.\n")
    _check_counters(database_url, event.id)

    async with servers("new") as new:
        shown = accepted(await new.get(path, event.host))
        assert (shown["type_version"], shown["config"], shown["secret"]) == (NEW, NEW_CONFIG, {"right": "Rye"})
        assert shown["aggregate"]["breads"] == {"path": "/loaf", "op": "count"}
        page = accepted(await new.get(f"{path}/responses/since/{earlier['cursor']}", event.host))["items"]
        assert [each["response_data"] for each in page] == [
            {"loaf": "Rye", "shade": 2, "crust": True}, {"loaf": "Wheat", "shade": 3, "crust": True},
            {"loaf": "Wheat", "shade": 2, "crust": True},
        ]  # fmt: skip
        kept = ("id", "participant_id", "round", "created_at", "received_at", "moderation")
        assert [[each[name] for name in kept] for each in page] == [[each[name] for name in kept] for each in earlier["items"]]
        assert accepted(await new.get(f"{path}/results?round=1", event.host))["results"] == results
        later = Event(new, event.id, event.code, event.host, event.screen)
        cleo = await later.join("Cleo")
        assert refused(await later.answer(hidden, cleo, {"bread": "Rye", "shade": 1}), 422, "invalid-input")
        accepted(await later.answer(hidden, cleo, {"loaf": "Rye", "shade": 1}), 201)
        assert accepted(await new.get(f"{event.path}/activities/{opaque['id']}", event.host))["type_version"] is None

    rows = revisions.dump(database_url)["pooled_responses"]
    assert {"loaf": "Rye", "shade": 2, "crust": True} in [json.loads(row["response_text"]) for row in rows]
    again = upgrade(env)
    assert (again.exit_code, again.stdout) == (0, "Every activity has the newest version of its type.\n")


def _add_note(folder: Path) -> None:
    """Give the answers of all versions of a type below a folder a free text."""
    for file in folder.rglob("response.schema.json"):
        schema = json.loads(file.read_text())
        schema["properties"]["note"] = {"type": "string"}
        file.write_text(json.dumps(schema))


async def test_masked_texts_stay_masked_for_all_but_the_host(
    servers: Servers, env: dict[str, str], types: Path, database_url: str
) -> None:
    _add_note(types)
    word, opened = "zyzzyva", TOAST | {"responses_visibility": "participants", "results_visibility": "always", "status": "active"}
    answer = {"bread": "Rye", "shade": 1, "note": f"the {word}"}
    async with servers("old") as old:
        event = await make_event(old, word_filter={"mode": "mask", "languages": [], "words": [word]})
        anna, bert = await event.join("Anna"), await event.join("Bert")
        plain = await event.activity(**opened)
        accepted(await event.answer(plain, anna, answer), 201)
        accepted(await event.move(plain, "expired"))
        hidden = await event.activity(**opened | {"anonymous": True, "min_group": 3})
        accepted(await event.answer(hidden, anna, answer), 201)

    assert upgrade(env).stdout == "Upgraded toast 2.1 → 3: 2 activities of 1 sessions, 2 answers.\n"
    _check_counters(database_url, event.id)

    path = f"{event.path}/activities/{plain['id']}/responses"
    async with servers("new") as new:
        for token, text in ((event.host, word), (bert.token, "***"), (event.screen, "***")):
            shown = accepted(await new.get(f"{path}/since/0", token))["items"]
            assert [each["response_data"] for each in shown] == [{"loaf": "Rye", "shade": 2, "note": f"the {text}", "crust": True}]
    (pooled,) = revisions.dump(database_url)["pooled_responses"]
    assert [json.loads(pooled[name]) for name in ("response_text", "masked_text")] == [
        {"loaf": "Rye", "shade": 2, "note": f"the {text}", "crust": True} for text in (word, "***")
    ]


async def test_each_answer_of_many_by_one_author_is_upgraded(servers: Servers, env: dict[str, str], database_url: str) -> None:
    async with servers("old") as old:
        event = await make_event(old)
        anna, bert = await event.join("Anna"), await event.join("Bert")
        many = await event.activity(**TOAST | {"response_policy": "many"}, status="active")
        path = f"{event.path}/activities/{many['id']}"
        for seat, shade in ((anna, 1), (bert, 3), (anna, 2), (anna, 4)):
            accepted(await event.answer(many, seat, {"bread": "Rye", "shade": shade}), 201)
        earlier = accepted(await old.get(f"{path}/responses/since/0", event.host))
        accepted(await old.request("DELETE", f"{path}/responses/{earlier['items'][1]['id']}", token=event.host), 204)
        left = [each for place, each in enumerate(earlier["items"]) if place != 1]

    assert upgrade(env).stdout == "Upgraded toast 2.1 → 3: 1 activities of 1 sessions, 3 answers.\n"
    _check_counters(database_url, event.id)

    async with servers("new") as new:
        page = accepted(await new.get(f"{path}/responses/since/0", event.host))["items"]
        alive = [each for each in page if not each["deleted"]]
        assert [each["response_data"] for each in alive] == [{"loaf": "Rye", "shade": n, "crust": True} for n in (2, 2, 4)]
        assert [each["id"] for each in alive] == [each["id"] for each in left]
        assert {each["participant_id"] for each in alive} == {anna.id}
        assert accepted(await new.get(f"{path}/results", event.host))["results"]["breads"]["values"] == [
            {"value": "Rye", "count": 3}
        ]
        later = Event(new, event.id, event.code, event.host, event.screen)
        accepted(await later.answer(many, anna, {"loaf": "Wheat", "shade": 1}), 201)


async def test_what_does_not_fit_stays_as_it_is(servers: Servers, env: dict[str, str], types: Path, database_url: str) -> None:
    async with servers("old") as old:
        event, (plain, hidden, _) = await _answered(old)
        other = await event.activity(**TOAST)
    steps = types / f"new/toast/upgrades/{OLD}.json"
    declared = json.loads(steps.read_text())
    declared["response"].append({"op": "map", "path": "/shade", "values": [[3, 9]]})
    steps.write_text(json.dumps(declared))

    done = upgrade(env)

    assert done.exit_code == 1
    assert done.stdout == "Upgraded toast 2.1 → 3: 2 activities of 1 sessions, 1 answers.\n"
    assert f"session {event.id}, activity {plain['id']} (toast 2.1): answer " in done.stderr
    assert "/response_data/shade must be at most 4" in done.stderr
    assert "1 activities do not fit and stay as they are." in done.stderr
    rows = _activities(database_url)
    assert [rows[each["id"]]["type_version"] for each in (plain, hidden, other)] == [OLD, NEW, NEW]
    assert json.loads(rows[plain["id"]]["config_text"]) == CONFIG
    _check_counters(database_url, event.id)


async def test_an_upgrade_that_stops_has_whole_activities_only_and_continues(
    servers: Servers, types: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with servers("old") as old:
        event, _ = await _answered(old)
    registry, carry_out, calls = load_registry([types / "new"]), type_upgrade.carry_out, 0

    def cut(tx: Any, plan: Any) -> None:
        nonlocal calls
        calls += 1
        carry_out(tx, plan)
        if calls == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(type_upgrade, "carry_out", cut)
    db = Database(database_url, timeouts=PATIENT)
    try:
        with pytest.raises(KeyboardInterrupt):
            upgrade_activities(db, registry, ["toast"], dry_run=False)
        _check_counters(database_url, event.id)
        done = upgrade_activities(db, registry, ["toast"], dry_run=False)
    finally:
        db.close()

    assert done.activities == {Stride("toast", OLD, NEW): 1}, "the other one was upgraded before the cut"
    assert {row["type_version"] for row in revisions.dump(database_url)["activities"]} == {NEW, None}
    _check_counters(database_url, event.id)


async def test_activities_without_steps_are_named(servers: Servers, env: dict[str, str], types: Path) -> None:
    async with servers("old") as old:
        await _answered(old)
    (types / f"new/toast/upgrades/{OLD}.json").unlink()

    done = upgrade(env, "toast")

    assert done.exit_code == 0
    assert done.stdout == "toast 2.1 → 3: no declared steps for 2 activities. Keep that version registered.\n"
    assert upgrade(env, "bread").exit_code == 2


async def test_an_aggregate_that_would_count_nothing_stays_with_its_activity(
    servers: Servers, env: dict[str, str], types: Path, database_url: str
) -> None:
    own = {"x": {"path": "/bread", "op": "count"}}
    async with servers("old") as old:
        event = await make_event(old)
        plain, counted = await event.activity(**TOAST), await event.activity(**TOAST, aggregate=own)
    steps = types / f"new/toast/upgrades/{OLD}.json"
    declared = json.loads(steps.read_text())
    del declared["aggregate"]
    steps.write_text(json.dumps(declared))

    tried, done = upgrade(env, "--dry-run"), upgrade(env)

    reason = "/aggregate/x/path leads nowhere in response.schema.json. Correct the pointer."
    assert (tried.exit_code, done.exit_code) == (1, 1)
    for each in (tried, done):
        assert f"activity {counted['id']} (toast 2.1): {reason}" in each.stderr
    rows = _activities(database_url)
    assert [rows[each["id"]]["type_version"] for each in (plain, counted)] == [NEW, OLD]
    assert json.loads(rows[counted["id"]]["aggregate_text"]) == own


@pytest.mark.parametrize(
    ("spoiled", "arguments", "reason"),
    [
        ("config.schema.json", (), "the type is left out. Correct its faults, which are listed above."),
        (None, (), "the type is not registered. Is CONFLICTO_ACTIVITY_TYPES that of the server?"),
        (None, ("toast", "--dry-run"), "the type is not registered. Is CONFLICTO_ACTIVITY_TYPES that of the server?"),
    ],
)
async def test_activities_of_a_missing_type_are_named(
    servers: Servers, env: dict[str, str], types: Path, spoiled: str | None, arguments: tuple[str, ...], reason: str
) -> None:
    async with servers("old") as old:
        await _answered(old)
    if spoiled:
        for file in (types / "new/toast").rglob(spoiled):
            file.write_text('{"type": "object", "minimumItems": 1}')
    else:
        env = env | {"CONFLICTO_ACTIVITY_TYPES": ""}

    done = upgrade(env, *arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert f"toast 2.1: 2 activities stay as they are and take no answers: {reason}" in done.stderr


async def test_activities_of_a_missing_version_without_steps_are_named(servers: Servers, env: dict[str, str], types: Path) -> None:
    async with servers("old") as old:
        await _answered(old)
    shutil.rmtree(types / "new/toast/versions")
    assert upgrade(env, "--dry-run").exit_code == 0, "the steps are enough"
    (types / f"new/toast/upgrades/{OLD}.json").unlink()

    done = upgrade(env)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "only version 3 is registered. Register it too, or declare upgrades/2.1.json." in done.stderr


async def test_a_version_that_was_not_stored_is_found_out(servers: Servers, env: dict[str, str], database_url: str) -> None:
    async with servers("old") as old:
        _, (plain, hidden, _) = await _answered(old)
    with revisions.connected(database_url) as connection:
        connection.exec_driver_sql("UPDATE activities SET type_version = 'unknown' WHERE type = 'toast'")

    assert upgrade(env).stdout == "Upgraded toast unknown → 3: 2 activities of 1 sessions, 4 answers.\n"
    assert [_activities(database_url)[each["id"]]["type_version"] for each in (plain, hidden)] == [NEW, NEW]
