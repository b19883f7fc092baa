"""A type that was left out at start, or is gone, never becomes one that accepts any JSON."""

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
from tests.support.type_versions import OLD, put_version

CONFIG = {"question": "Bread?", "breads": [{"name": "Rye"}], "most": 4}
TOAST: dict[str, Any] = {
    "type": "toast", "config": CONFIG, "secret": {"best": "Rye"}, "moderation": "off", "anonymous": False, "response_policy": "one",
}  # fmt: skip
ANYTHING = {"type": "toast", "config": {"foo": 1}}
Servers = Callable[[], AbstractAsyncContextManager[Api]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_version(tmp_path / "types/toast", OLD)


@pytest.fixture
def servers(folder: Path, settings: Settings, api: Api) -> Servers:
    """Servers on one database and folder of types. Each reads the folder at its start."""

    @asynccontextmanager
    async def serve() -> AsyncIterator[Api]:
        chosen = settings.model_copy(update={"activity_types": (folder.parent,)})
        async with App(chosen, clock=api.app.platform.clock).running() as app:
            yield Api(app)

    return serve


def spoil(folder: Path) -> None:
    (folder / "config.schema.json").write_text('{"type": "object", "minimumItems": 1}')


async def test_a_type_that_was_left_out_takes_no_new_activities(servers: Servers, folder: Path) -> None:
    spoil(folder)
    async with servers() as server:
        event = await make_event(server)
        problem = refused(await server.post(f"{event.path}/activities", ANYTHING, token=event.host), 409, "type-unavailable")
        versioned = ANYTHING | {"type_version": OLD}
        refused(await server.post(f"{event.path}/activities", versioned, token=event.host), 409, "type-unavailable")
        lunch = await event.activity(type="lunch", config=[1])
        to_toast = await server.patch(f"/activities/{lunch['id']}", {"type": "toast"}, token=event.host)
        refused(to_toast, 409, "type-unavailable")
        kept = accepted(await server.patch(f"/activities/{lunch['id']}", {"config": [2]}, token=event.host))

    assert "GET /api/v1/rejected-activity-types" in problem["detail"]
    assert (problem["type"], problem["activity_type"]) == ("/problems/type-unavailable", "toast")
    assert (kept["type"], kept["type_version"], kept["config"]) == ("lunch", None, [2]), "never registered: opaque as ever"


async def test_a_type_whose_folder_is_gone_takes_no_new_activities(servers: Servers, folder: Path) -> None:
    async with servers() as server:
        event = await make_event(server)
        await event.activity(**TOAST)
    shutil.rmtree(folder)
    other = put_version(folder.parent / "other", OLD)
    manifest = other / "activity.json"
    manifest.write_text(manifest.read_text().replace('"toast"', '"other"'))
    async with servers() as server:
        problem = refused(await server.post(f"{event.path}/activities", ANYTHING, token=event.host), 409, "type-unavailable")
        later = Event(server, event.id, event.code, event.host, event.screen)
        lunch = await later.activity(type="lunch", config=[1])

    assert problem["detail"].startswith("The activity type toast is not registered on this server any more.")
    assert lunch["type_version"] is None


async def test_opaque_json_of_a_missing_type_does_not_change(servers: Servers, folder: Path) -> None:
    shutil.move(folder, folder.parent.parent / "toast")
    async with servers() as server:
        event = await make_event(server)
        opaque = await event.activity(type="toast", config={"foo": 1})
    shutil.move(folder.parent.parent / "toast", folder)
    spoil(folder)
    async with servers() as server:
        path = f"/activities/{opaque['id']}"
        refused(await server.patch(path, {"config": {"foo": 2}}, token=event.host), 409, "type-unavailable")
        accepted(await server.patch(path, {"title": "T"}, token=event.host))
        put = accepted(await server.put(path, ANYTHING | {"title": "U"}, token=event.host))

    assert (opaque["type_version"], put["title"], put["config"]) == (None, "U", {"foo": 1})


async def test_an_activity_without_a_recorded_version_takes_no_answers_while_its_type_is_left_out(
    servers: Servers, folder: Path
) -> None:
    async with servers() as server:
        event = await make_event(server)
        made = await event.activity(**TOAST, status="active")
        anna = await event.join()
        with server.app.platform.db.writer_connection() as connection, connection.begin():
            connection.exec_driver_sql("UPDATE activities SET type_version = 'unknown' WHERE type = 'toast'")
    spoil(folder)
    async with servers() as server:
        later = Event(server, event.id, event.code, event.host, event.screen)
        problem = refused(await later.answer(made, anna, {"nonsense": [1, 2, 3]}), 409, "type-unavailable")

    assert json.dumps(problem["detail"]).count("left out") == 1
