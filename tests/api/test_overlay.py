"""The overlay of the screen: hosts set it, the next activity clears it, and it may show names."""

from typing import Any

from conflicto.participants.model import MAX_SHOWN_NAMES
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused


async def cover(event: Event, overlay: Any, token: str | None = None) -> Any:
    return await event.api.post(f"{event.path}/overlay", {"overlay": overlay}, token=token or event.host)


async def seen(event: Event, token: str) -> Any:
    return accepted(await event.api.get(event.path, token=token)).get("overlay", "not told")


async def test_the_host_covers_and_uncovers_the_screen(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()

    for overlay in ("join", "black", "leaderboard", "names", None):
        assert accepted(await cover(event, overlay))["overlay"] == overlay
        assert [await seen(event, token) for token in (event.host, event.screen, anna.token)] == [overlay, overlay, "not told"]
        newest = accepted(await api.get(f"{event.path}/changes/since/0", token=event.screen))["items"][-1]
        assert (newest["entity"], newest["data"]["overlay"]) == ("session", overlay)


async def test_the_same_cover_again_draws_no_timestamp(api: Api) -> None:
    event = await make_event(api)
    first = accepted(await cover(event, "black"))

    assert accepted(await cover(event, "black")) == first


async def test_what_begins_is_not_covered_and_what_ends_stays_so(api: Api) -> None:
    event = await make_event(api)
    first, second = await event.activity(status="active"), await event.activity()
    accepted(await cover(event, "leaderboard"))

    accepted(await event.move(first, "expired"))
    assert await seen(event, event.host) == "leaderboard"
    accepted(await event.move(second, "active"))
    assert await seen(event, event.host) is None


async def test_only_hosts_cover_a_screen_with_what_there_is_while_the_session_lasts(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()

    for token in (event.screen, anna.token):
        refused(await cover(event, "black", token), 403, "role-not-allowed")
    for wrong in ("curtain", "", 1, {}):
        refused(await cover(event, wrong), 422, "invalid-input")
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    refused(await cover(event, "black"), 409, "session-completed")


async def names(event: Event, token: str | None = None) -> Any:
    return await event.api.get(f"{event.path}/names", token=token or event.screen)


async def test_a_screen_receives_presence_only_while_a_host_shows_it(api: Api) -> None:
    event = await make_event(api)
    anna, bo = await event.join("Anna"), await event.join("Bo")
    activity = await event.activity()

    refused(await names(event), 403, "names-hidden")
    accepted(await cover(event, "names"))
    assert accepted(await names(event)) == {"items": ["Bo", "Anna"]}
    accepted(await api.delete(f"/participants/{bo.id}", token=event.host), 204)
    assert accepted(await names(event)) == {"items": ["Anna"]}
    refused(await names(event, anna.token), 403, "role-not-allowed")

    accepted(await event.move(activity, "active"))
    refused(await names(event), 403, "names-hidden")
    assert accepted(await names(event, event.host)) == {"items": ["Anna"]}
    accepted(await cover(event, "names"))
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    refused(await names(event), 403, "names-hidden")


async def test_names_on_the_screen_are_filtered_and_bounded(api: Api) -> None:
    event = await make_event(api)
    for at in range(MAX_SHOWN_NAMES):
        await event.join(f"Anna {at}")
    await event.join("Odd Bo")
    accepted(await cover(event, "names"))

    assert accepted(await names(event))["items"] == ["Odd Bo", *(f"Anna {at}" for at in range(MAX_SHOWN_NAMES - 1, 0, -1))]
    accepted(await api.patch(event.path, {"word_filter": {"mode": "mask", "words": ["odd"]}}, token=event.host))
    for token in (event.screen, event.host):
        assert accepted(await names(event, token))["items"][0] == "*** Bo"
