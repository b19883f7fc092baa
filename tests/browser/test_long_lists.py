"""Lists that are longer than a page of the API: they show the total and load more."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.browser.live_session import LAPTOP, LiveSession, screenshot
from tests.support.processes import ADMIN, PLAIN

pytestmark = pytest.mark.browser

PAGE = 1_000
SESSIONS_PAGE = 100
PEOPLE = PAGE + 60


def in_parallel(what: Callable[[int], object], amount: int) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(what, range(amount)))


def test_a_host_sees_how_many_people_there_are_and_can_list_all_of_them(live: LiveSession) -> None:
    code = live.session["join_code"]
    with httpx2.Client(timeout=30, **PLAIN) as client:

        def join(number: int) -> None:
            body = {"nickname": f"Guest {number}", "code": code}
            assert client.post(f"{live.server.url}/api/v1/join", json=body).status_code == 201

        join(PEOPLE)
        in_parallel(join, PEOPLE - 1)
    host = live.host()
    host.locator("summary", has_text="People").click()
    people = host.locator("details", has=host.get_by_role("button", name="Show more"))
    host.get_by_text("1,060 joined").wait_for()
    host.get_by_text("1,000 of 1,060 are listed.").wait_for()
    assert people.get_by_role("button", name="Remove: ").count() == PAGE
    screenshot(host, "host-people-many")

    live.call("POST", "/join", {"nickname": "Latecomer", "code": code})
    host.get_by_text("1,061 joined").wait_for()
    host.get_by_text("1,001 of 1,061 are listed.").wait_for()
    last = live.call("GET", "/participants?limit=1&offset=1050")["items"][0]
    live.server.call("DELETE", f"/participants/{last['id']}", token=live.session["host_token"])
    host.get_by_text("1,060 joined").wait_for()

    host.get_by_role("button", name="Show more").click()
    host.get_by_text("are listed.").wait_for(state="detached")
    host.get_by_text("1,060 joined").wait_for()
    assert host.get_by_role("button", name="Remove: Guest").count() == PEOPLE - 1
    assert host.get_by_role("button", name="Remove: Latecomer").count() == 1
    assert host.get_by_role("button", name=f"Remove: {last['nickname']}", exact=True).count() == 0


def test_an_operator_can_list_every_session(own: LiveSession) -> None:
    in_parallel(lambda number: own.server.call("POST", "/sessions", {"title": f"Lunch {number}"}), SESSIONS_PAGE + 4)
    home = own.window(f"/#admin={ADMIN}", **LAPTOP)
    home.get_by_text("100 of 105 are listed.").wait_for()
    assert home.get_by_role("link", name="Lunch").count() + home.get_by_role("link", name="Town hall").count() == SESSIONS_PAGE

    home.get_by_role("button", name="Show more").click()
    home.get_by_text("are listed.").wait_for(state="detached")
    assert home.get_by_role("link", name="Lunch").count() == SESSIONS_PAGE + 4
    assert home.get_by_role("link", name="Town hall").count() == 1
