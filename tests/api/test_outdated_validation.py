"""A response is stored under the activity by which it was validated, or validated again."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from conflicto.activity_types.registry import Registry, load_registry
from conflicto.app import App
from conflicto.platform.db.transaction import WriteTx
from conflicto.responses.commands.upgrade import carry_out, plan_upgrade
from conflicto.responses.validation import MAX_ATTEMPTS
from conflicto.settings import Settings
from tests.support.api import Api, Event, cold, make_event
from tests.support.checks import accepted, refused
from tests.support.type_versions import OLD, put_both

PIZZA, CURRY = {"id": "pizza", "text": "Pizza"}, {"id": "curry", "text": "Curry"}
POLL: dict[str, Any] = {"type": "poll", "status": "active", "config": {"question": "Lunch?", "options": [PIZZA, CURRY]}}
WITHOUT_CURRY = {"config": {"question": "Lunch?", "options": [PIZZA, {"id": "soup", "text": "Soup"}]}}
TOAST: dict[str, Any] = {
    "type": "toast", "type_version": OLD, "config": {"question": "Bread?", "breads": [{"name": "Rye"}], "most": 4},
    "secret": {"best": "Rye"}, "moderation": "off", "anonymous": False, "response_policy": "one", "status": "active",
}  # fmt: skip
Change = Callable[[], Awaitable[object]]


def before_each(monkeypatch: pytest.MonkeyPatch, app: App, method: str, changes: list[Change]) -> None:
    """Make one of `changes` before each command that enters the writer by a method.

    Validation is over by then.
    """
    writer, enter = app.domain.writer, getattr(app.domain.writer, method)

    async def entered(*args: Any, **kwargs: Any) -> Any:
        if changes:
            await changes.pop(0)()
        return await enter(*args, **kwargs)

    monkeypatch.setattr(writer, method, entered)


def editing(event: Event, activity: dict[str, Any], change: dict[str, Any]) -> Change:
    async def edit() -> None:
        accepted(await event.api.patch(f"/activities/{activity['id']}?force=true", change, token=event.host))

    return edit


async def stored(event: Event, activity: dict[str, Any]) -> list[Any]:
    listed = accepted(await event.api.get(f"{event.path}/activities/{activity['id']}/responses", event.host))
    return [each["response_data"] for each in listed["items"]]


@pytest.mark.parametrize("anonymous", [False, True])
async def test_an_edit_meanwhile_decides_about_a_new_response(api: Api, monkeypatch: pytest.MonkeyPatch, anonymous: bool) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(**POLL, anonymous=anonymous), await event.join()
    before_each(monkeypatch, api.app, "submit", [editing(event, poll, WITHOUT_CURRY)])

    refused(await event.answer(poll, anna, {"choices": ["curry"]}), 422, "invalid-input")
    accepted(await event.answer(poll, anna, {"choices": ["soup"]}), 201)

    own = accepted(await api.get(f"{event.path}/activities/{poll['id']}/responses/mine", anna.token))["items"]
    assert [each["response_data"] for each in own] == [{"choices": ["soup"]}]


@pytest.mark.parametrize("anonymous", [False, True])
async def test_an_edit_meanwhile_decides_about_a_changed_response(
    api: Api, monkeypatch: pytest.MonkeyPatch, anonymous: bool
) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(**POLL, anonymous=anonymous), await event.join()
    first = accepted(await event.answer(poll, anna, {"choices": ["pizza"]}), 201)
    own = f"{event.path}/activities/{poll['id']}/responses/{first['id']}"
    with monkeypatch.context() as patch:
        before_each(patch, api.app, "run", [editing(event, poll, WITHOUT_CURRY)])
        refused(await api.put(own, {"response_data": {"choices": ["curry"]}}, token=anna.token), 422, "invalid-input")

    assert accepted(await api.get(own, anna.token))["response_data"] == {"choices": ["pizza"]}
    changed = accepted(await api.put(own, {"response_data": {"choices": ["soup"]}}, token=anna.token))
    assert changed["response_data"] == {"choices": ["soup"]}


async def test_a_response_that_stays_valid_is_stored_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api, word_filter={"mode": "mask", "languages": [], "words": ["dull"]})
    wall, anna = await event.activity(type="wall", config={"question": "Well?"}, status="active"), await event.join()
    renamed = [editing(event, wall, {"config": {"question": f"Well, {number}?"}}) for number in range(MAX_ATTEMPTS)]
    before_each(monkeypatch, api.app, "submit", renamed)

    answer = await event.answer(wall, anna, {"text": "A dull day"}, headers={"idempotency-key": "k"})
    again = await event.answer(wall, anna, {"text": "A dull day"}, headers={"idempotency-key": "k"})

    assert (renamed, accepted(answer, 201)["id"]) == ([], accepted(again, 201)["id"])
    assert await stored(event, wall) == [{"text": "A dull day"}]


async def test_an_activity_that_never_rests_takes_no_response(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(**POLL), await event.join()
    changes = [editing(event, poll, {"title": f"Lunch {number}"}) for number in range(MAX_ATTEMPTS + 1)]
    before_each(monkeypatch, api.app, "submit", changes)

    problem = await event.answer(poll, anna, {"choices": ["curry"]})

    refused(problem, 503, "unavailable")
    assert (problem.headers["retry-after"], changes, await stored(event, poll)) == ("1", [], [])


async def test_a_memory_that_is_behind_decides_about_no_response(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    poll, draft = await event.activity(**POLL), await event.activity(**POLL | {"status": "draft"})
    anna = await event.join()
    async with cold(app, monkeypatch) as behind:
        there = Event(behind, event.id, event.code, event.host, event.screen)
        await there.answer(poll, anna, {"choices": ["pizza"]})
        await editing(event, poll, WITHOUT_CURRY)()
        refused(await there.answer(poll, anna, {"choices": ["curry"]}), 422, "invalid-input")
        accepted(await event.move(poll, "expired"))
        accepted(await event.move(draft, "active"))
        refused(await there.answer(draft, anna, {"choices": ["none"]}), 422, "invalid-input")

    assert await stored(event, draft) == []


def upgrading(event: Event, activity: dict[str, Any], types: Registry) -> Change:
    def command(tx: WriteTx) -> None:
        plan = plan_upgrade(tx, UUID(activity["id"]), types)
        assert plan is not None
        carry_out(tx, plan)

    async def upgrade() -> None:
        await event.api.app.domain.writer.run(event.id, command)

    return upgrade


async def test_an_upgrade_meanwhile_decides_about_a_response(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_both(tmp_path / "types/toast")
    chosen = settings.model_copy(update={"activity_types": (tmp_path / "types",)})
    async with App(chosen).running() as app:
        event = await make_event(Api(app))
        toast, anna, bert = await event.activity(**TOAST), await event.join(), await event.join("Bert")
        accepted(await event.answer(toast, bert, {"bread": "Rye", "shade": 2}), 201)
        before_each(monkeypatch, app, "submit", [upgrading(event, toast, load_registry(chosen.activity_types))])

        refused(await event.answer(toast, anna, {"bread": "Rye", "shade": 2}), 422, "invalid-input")
        kept = await stored(event, toast)
        shown = accepted(await event.api.get(f"/activities/{toast['id']}", event.host))

    assert kept == [{"loaf": "Rye", "shade": 2, "crust": True}]
    assert shown["type_version"] == "3"
