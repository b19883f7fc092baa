"""What covers the screen: set by hosts, seen by hosts and screens, gone when something begins."""

from typing import Any

from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused


async def cover(event: Event, overlay: Any, token: str | None = None) -> Any:
    return await event.api.post(f"{event.path}/overlay", {"overlay": overlay}, token=token or event.host)


async def seen(event: Event, token: str) -> Any:
    return accepted(await event.api.get(event.path, token=token)).get("overlay", "not told")


async def test_the_host_covers_and_uncovers_the_screen(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()

    for overlay in ("join", "black", "leaderboard", None):
        assert accepted(await cover(event, overlay))["overlay"] == overlay
        assert [await seen(event, token) for token in (event.host, event.screen, anna.token)] == [overlay, overlay, "not told"]
        told = accepted(await api.get(f"{event.path}/changes/since/0", token=event.screen))["items"][-1]
        assert (told["entity"], told["data"]["overlay"]) == ("session", overlay)


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
