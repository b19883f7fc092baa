"""The highlighted answer: its id is visible to readers of answers, its content in the feed only."""

from typing import Any

from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused


async def focus(event: Event, activity: dict[str, Any], response_id: str | None, token: str | None = None) -> Any:
    path = f"{event.path}/activities/{activity['id']}/focus"
    return await event.api.post(path, {"response_id": response_id}, token=token or event.host)


async def seen(event: Event, activity: dict[str, Any], token: str) -> Any:
    return accepted(await event.api.get(f"{event.path}/activities/{activity['id']}", token=token))["focus_response_id"]


async def test_the_host_shows_one_answer_large_and_takes_it_off(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    wall = await event.activity(status="active", responses_visibility="screen")
    sent = accepted(await event.answer(wall, anna, {"text": "More daylight"}), 201)["id"]

    for wanted in (sent, None, sent):
        assert accepted(await focus(event, wall, wanted)) == {"response_id": wanted}
        assert [await seen(event, wall, token) for token in (event.host, event.screen, anna.token)] == [wanted] * 3
    items = accepted(await api.get(f"{event.path}/changes/since/0", token=event.screen))["items"]
    assert [each["data"]["focus_response_id"] for each in items if each["entity"] == "activity"] == [sent]
    path = f"{event.path}/activities/{wall['id']}"
    again = accepted(await api.post(f"{path}/rounds", {}, token=event.host))
    assert again["focus_response_id"] is None
    refused(await focus(event, wall, sent), 404, "not-found")


async def test_the_focus_is_hidden_from_roles_that_read_no_answers(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    wall = await event.activity(status="active")
    sent = accepted(await event.answer(wall, anna, {"text": "More daylight"}), 201)["id"]
    accepted(await focus(event, wall, sent))

    assert [await seen(event, wall, token) for token in (event.host, event.screen, anna.token)] == [sent, None, None]


async def test_only_hosts_choose_and_only_what_others_may_see(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    wall = await event.activity(responses_visibility="screen", moderation="before", status="active")
    sent = accepted(await event.answer(wall, anna, {"text": "More daylight"}), 201)["id"]
    other = await event.activity()

    refused(await focus(event, wall, sent), 404, "not-found")
    accepted(await api.patch(f"{event.path}/activities/{wall['id']}/responses/{sent}", {"moderation": "visible"}, token=event.host))
    for token in (event.screen, anna.token):
        refused(await focus(event, wall, sent, token), 403, "role-not-allowed")
    refused(await focus(event, other, sent), 404, "not-found")
    refused(await focus(event, wall, "x"), 422, "invalid-input")
    accepted(await focus(event, wall, sent))
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    refused(await focus(event, wall, None), 409, "session-completed")
