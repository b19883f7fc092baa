"""A host installs an activity type for one session: it works there, and nowhere else."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from conflicto.activities.session_types import checking, commands, store
from conflicto.activities.session_types.loader import SessionTypeLoader
from conflicto.activities.session_types.model import MAX_PACK_BYTES, version_of
from conflicto.activity_types import registry
from conflicto.activity_types.packs.archive import write_archive
from conflicto.activity_types.packs.packing import pack_folder
from conflicto.app import App
from conflicto.cli.type_upgrade import upgrade_activities
from conflicto.settings import Settings
from conflicto.web import session_types as files
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused

POINTS = Path(__file__).parents[2] / "examples/types/points"
EXAMPLE = json.loads(next((POINTS / "examples").glob("*.json")).read_text())
PACK = pack_folder(POINTS).body
DIGEST = sha256(PACK).hexdigest()
VERSION = version_of(DIGEST)


def sent(pack: bytes, **more: Any) -> dict[str, Any]:
    return {"pack": base64.b64encode(pack).decode(), **more}


def renamed(name: str) -> bytes:
    """Return the pack of the same type under another name."""
    files = {path.relative_to(POINTS).as_posix(): path.read_bytes() for path in POINTS.rglob("*") if path.is_file()}
    manifest = json.loads(files["activity.json"]) | {"type": name}
    return write_archive(name, files | {"activity.json": json.dumps(manifest).encode()})


async def installed(event: Event, pack: bytes = PACK) -> dict[str, Any]:
    body = sent(pack, sha256=sha256(pack).hexdigest())
    found: dict[str, Any] = accepted(await event.api.post(f"{event.path}/activity-types", body, token=event.host), 201)
    return found


async def running(event: Event) -> dict[str, Any]:
    fields = {"type": "points", "type_version": VERSION, "config": EXAMPLE["config"], "status": "active", "anonymous": False}
    return await event.activity(**fields, secret=EXAMPLE.get("secret"), moderation="off")


@pytest.fixture
async def allowed(settings: Settings, api: Api) -> AsyncIterator[Api]:
    async with App(settings.model_copy(update={"session_types_mb": 1}), clock=api.app.platform.clock).running() as app:
        yield Api(app)


async def test_no_host_installs_a_type_where_the_operator_allows_none(api: Api) -> None:
    event = await make_event(api)
    refused(await api.post(f"{event.path}/activity-types", sent(PACK), token=event.host), 403, "session-types-off")
    assert accepted(await api.get(f"{event.path}/activity-types", event.host)) == {"items": []}


async def test_a_pack_is_shown_before_it_is_installed(allowed: Api) -> None:
    event = await make_event(allowed)
    path = f"{event.path}/activity-types"
    shown = accepted(await allowed.post(path, sent(PACK), token=event.host))
    assert {name: shown[name] for name in ("type", "version", "type_version", "sha256", "is_installed")} == {
        "type": "points", "version": "1", "type_version": VERSION, "sha256": DIGEST, "is_installed": False,
    }  # fmt: skip
    assert accepted(await allowed.get(path, event.host)) == {"items": []}
    refused(await allowed.post(path, sent(PACK, sha256="0" * 64), token=event.host), 422, "pack-not-confirmed")

    assert (await installed(event))["is_installed"]
    again = await installed(event)
    (listed,) = accepted(await allowed.get(path, event.host))["items"]
    assert (listed["type"], listed["type_version"], listed["size_bytes"]) == ("points", VERSION, again["size_bytes"])


async def test_a_type_of_a_session_checks_counts_and_exports_answers(allowed: Api) -> None:
    event = await make_event(allowed)
    await installed(event)
    made, anna = await running(event), await event.join()
    assert made["type_version"] == VERSION
    assert made["aggregate"] == json.loads((POINTS / "aggregate.json").read_text())
    refused(await event.answer(made, anna, {"nonsense": 1}), 422, "invalid-input")
    accepted(await event.answer(made, anna, EXAMPLE["responses"][0]), 201)
    counted = accepted(await allowed.get(f"{event.path}/activities/{made['id']}/results", event.host))
    assert counted["response_count"] == 1
    assert counted["results"]
    headings = (await allowed.get(f"{event.path}/export?format=csv&shape=wide", event.host)).text.splitlines()[0]
    assert EXAMPLE["config"]["options"][0]["text"] in headings


async def test_an_activity_without_a_version_has_the_type_of_its_session(allowed: Api) -> None:
    event = await make_event(allowed)
    await installed(event)
    fields = {"type": "points", "secret": EXAMPLE.get("secret")}

    assert (await event.activity(**fields, config=EXAMPLE["config"]))["type_version"] == VERSION
    body = {"title": "T", **fields, "config": {"nonsense": 1}}
    refused(await allowed.post(f"{event.path}/activities", body, token=event.host), 422, "invalid-input")


async def test_another_process_and_a_restart_know_the_type(allowed: Api, settings: Settings) -> None:
    event = await make_event(allowed)
    await installed(event)
    made, anna = await running(event), await event.join()
    off = settings.model_copy(update={"session_types_mb": 0})
    async with App(off, clock=allowed.app.platform.clock).running() as app:
        there = Event(Api(app), event.id, event.code, event.host, event.screen)
        refused(await there.answer(made, anna, {"nonsense": 1}), 422, "invalid-input")
        accepted(await there.answer(made, anna, EXAMPLE["responses"][0]), 201)
    async with App(off, clock=allowed.app.platform.clock).running() as app:
        table = await Api(app).get(f"{event.path}/export?format=csv&shape=wide", event.host)
        assert EXAMPLE["config"]["options"][0]["text"] in table.text.splitlines()[0]


async def test_other_sessions_do_not_have_the_type(allowed: Api) -> None:
    event, elsewhere = await make_event(allowed), await make_event(allowed)
    await installed(event)
    body = {"type": "points", "type_version": VERSION, "config": EXAMPLE["config"]}
    made = accepted(await allowed.post(f"{event.path}/activities", body, token=event.host), 201)
    problem = refused(await allowed.post(f"{elsewhere.path}/activities", body, token=elsewhere.host), 422, "invalid-input")
    assert problem["errors"] == [{"pointer": "/type_version", "message": "must be that of a type of this session"}]
    assert "points" not in {each["type"] for each in accepted(await allowed.get("/activity-types?limit=1000"))["items"]}
    other = await elsewhere.activity(type="lunch", config=[1])
    refused(await allowed.patch(f"/activities/{other['id']}", body, token=elsewhere.host), 422, "invalid-input")
    changed = {"config": EXAMPLE["config"], "title": "Again"}
    assert accepted(await allowed.patch(f"/activities/{made['id']}", changed, token=event.host))["title"] == "Again"
    assert accepted(await allowed.put(f"/activities/{made['id']}", body, token=event.host))["type_version"] == VERSION


async def test_a_copy_of_the_session_has_its_types(allowed: Api) -> None:
    event = await make_event(allowed)
    await installed(event)
    await running(event)
    copy = accepted(await allowed.post(f"{event.path}/duplicate", {}, token=allowed.admin), 201)
    accepted(await allowed.delete(event.path, event.host), 204)
    path = f"/sessions/{copy['id']}"
    (listed,) = accepted(await allowed.get(f"{path}/activity-types", copy["host_token"]))["items"]
    (activity,) = accepted(await allowed.get(f"{path}/activities", copy["host_token"]))["items"]
    assert listed["type_version"] == activity["type_version"] == VERSION


@pytest.mark.parametrize("folders", [(), (POINTS,)])
async def test_an_upgrade_leaves_types_of_sessions_alone(allowed: Api, folders: tuple[Path, ...]) -> None:
    event = await make_event(allowed)
    await installed(event)
    await running(event)
    summary = upgrade_activities(allowed.app.platform.db, registry.load_registry(folders), ["points"], dry_run=True)
    assert (summary.unavailable, summary.failed, dict(summary.stranded), dict(summary.activities)) == ([], 0, {}, {})


async def test_a_type_is_removed_once_no_activity_has_it(allowed: Api) -> None:
    event = await make_event(allowed)
    await installed(event)
    made = await running(event)
    path = f"{event.path}/activity-types/points"
    assert refused(await allowed.delete(path, event.host), 409, "session-type-in-use")["activities"] == 1
    accepted(await allowed.delete(f"/activities/{made['id']}", event.host), 204)
    accepted(await allowed.delete(path, event.host), 204)
    refused(await allowed.delete(path, event.host), 404, "not-found")
    again = {"type": "points", "type_version": VERSION, "config": EXAMPLE["config"]}
    refused(await allowed.post(f"{event.path}/activities", again, token=event.host), 422, "invalid-input")


async def test_names_do_not_clash(allowed: Api) -> None:
    event = await make_event(allowed)
    path = f"{event.path}/activity-types"
    refused(await allowed.post(path, sent(renamed("poll")), token=event.host), 409, "session-type-clash")
    await installed(event)
    files = {path.relative_to(POINTS).as_posix(): path.read_bytes() for path in POINTS.rglob("*") if path.is_file()}
    changed = write_archive("points", files | {"README.md": files["README.md"] + b"\nMore.\n"})
    body = sent(changed, sha256=sha256(changed).hexdigest())
    refused(await allowed.post(path, body, token=event.host), 409, "session-type-clash")


async def test_all_sessions_together_have_few_bytes(settings: Settings, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.app.endpoints.max_bytes", lambda _: len(PACK))
    async with App(settings.model_copy(update={"session_types_mb": 1}), clock=api.app.platform.clock).running() as app:
        event = await make_event(Api(app))
        await installed(event)
        other = renamed("other")
        body = sent(other, sha256=sha256(other).hexdigest())
        refused(await event.api.post(f"{event.path}/activity-types", body, token=event.host), 409, "session-types-full")


async def test_packs_whose_digests_begin_alike_do_not_meet(allowed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(allowed)
    await installed(event)
    monkeypatch.setattr("conflicto.activities.session_types.commands.version_of", lambda _: VERSION)
    other = renamed("other")
    body = sent(other, sha256=sha256(other).hexdigest())
    refused(await allowed.post(f"{event.path}/activity-types", body, token=event.host), 409, "session-type-clash")


async def test_a_type_is_loaded_once_and_only_while_it_is_stored(allowed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(allowed)
    await installed(event)
    other = renamed("other")
    await installed(event, other)
    types, db = allowed.app.domain.types, allowed.app.platform.db
    loader = SessionTypeLoader(db, types)
    await asyncio.gather(loader.load("points", VERSION), loader.load("points", VERSION))
    first = types.find_version("points", VERSION)
    assert first is not None
    await loader.load("points", VERSION)
    assert types.find_version("points", VERSION) is first

    monkeypatch.setattr(registry, "MAX_SESSION_TYPES", 1)
    await loader.load("other", version_of(sha256(other).hexdigest()))
    assert types.find_version("points", VERSION) is None
    assert await allowed.app.domain.writer.run((), store.purge, event.id, 1) == 2
    await loader.load("points", VERSION)
    assert types.find_version("points", VERSION) is None


async def test_a_session_has_few_types(allowed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(allowed)
    monkeypatch.setattr(commands, "MAX_TYPES", 1)
    await installed(event, renamed("other"))
    body = sent(PACK, sha256=DIGEST)
    refused(await allowed.post(f"{event.path}/activity-types", body, token=event.host), 409, "session-types-full")


@pytest.mark.parametrize(
    ("pack", "fault"),
    [
        (b"no archive", "is no ZIP archive"),
        (b"x" * (MAX_PACK_BYTES + 1), "up to 256 KiB"),
        (write_archive("mood", {"activity.json": b"{}"}), "mood/config.schema.json"),
        (write_archive("mood", {"activity.json": b"{\n\n!"}), "mood/activity.json:3"),
    ],
)
async def test_every_fault_of_a_pack_has_its_place(allowed: Api, pack: bytes, fault: str) -> None:
    event = await make_event(allowed)
    problem = refused(await allowed.post(f"{event.path}/activity-types", sent(pack), token=event.host), 422, "pack-rejected")
    assert any(fault in each for each in problem["faults"]), problem["faults"]


async def test_a_pack_must_be_base64(allowed: Api) -> None:
    event = await make_event(allowed)
    refused(await allowed.post(f"{event.path}/activity-types", {"pack": "§"}, token=event.host), 422, "invalid-input")


async def test_a_check_that_takes_too_long_is_ended(allowed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MAX_CHECK_S", 0.01)
    event = await make_event(allowed)
    problem = refused(await allowed.post(f"{event.path}/activity-types", sent(PACK), token=event.host), 422, "pack-rejected")
    assert "too much time" in problem["faults"][0]


@pytest.mark.parametrize("kind", ["page", "host"])
async def test_pages_fetch_data_and_views_by_their_content(allowed: Api, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(allowed)
    await installed(event)
    build = allowed.app.edge.pages._assets.build
    key = f"points.{VERSION}"
    found = await allowed.http.get(f"{allowed.base}/s/{build}/types/{key}/{kind}.de.json")
    assert (found.status_code, found.json()["version"], found.json()["framed"]) == (200, VERSION, True)
    assert ("config" in found.json()) is (kind == "host")
    frame = await allowed.http.get(f"{allowed.base}/s/{build}/frames/{key}/participant.html")
    assert f'data-type="{key}"' in frame.text
    assert f"/types/{key}/" in frame.headers["content-security-policy"]
    view = await allowed.http.get(f"{allowed.base}/s/{build}/types/{key}/participant.js")
    assert view.text == (POINTS / "ui/participant.js").read_text()
    monkeypatch.setattr(files, "MAX_CACHED_TYPES", 1)
    other = renamed("other")
    await installed(event, other)
    path = f"types/other.{version_of(sha256(other).hexdigest())}/page.de.json"
    assert (await allowed.http.get(f"{allowed.base}/s/{build}/{path}")).status_code == 200
    for missing in (f"types/points.x{'0' * 16}/page.de.json", f"types/{key}/none.js", "types/points.1/page.de.json"):
        assert (await allowed.http.get(f"{allowed.base}/s/{build}/{missing}")).status_code == 404
