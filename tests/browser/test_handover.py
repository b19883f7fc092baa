"""Tokens in addresses: a link that works signs in with one click, and no link signs anybody out."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LAPTOP, PHONE, PROJECTOR, LiveSession
from tests.support.processes import ADMIN

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = pytest.mark.browser


def held(page: "Page", name: str) -> str | None:
    """Return a token of a page: the operator's is kept in the tab alone."""
    place = "sessionStorage" if name == "admin" else "localStorage"
    found: str | None = page.evaluate(f"(name) => {place}.getItem(`conflicto.${{name}}`)", name)
    return found


def visits(page: "Page", address: str) -> None:
    """Open an address again, since another fragment alone would load nothing."""
    page.goto("about:blank")
    page.goto(address)


def answering(page: "Page", *, yes: bool) -> list[str]:
    """Answer every question of the page, and return where they are noted."""
    questions: list[str] = []

    def answer(dialog: "Dialog") -> None:
        questions.append(dialog.message)
        if yes:
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    return questions


def test_one_click_signs_the_operator_in_from_any_page_and_junk_changes_nothing(live: LiveSession) -> None:
    for start in ("/", "/host"):
        page = live.window(f"{start}#admin={ADMIN}", **LAPTOP)
        page.get_by_role("heading", name="Sessions").wait_for()
        assert page.url == f"{live.server.url}/host"
        questions = answering(page, yes=True)
        for junk in ("/host#admin=x", "/#admin=x", f"/host/s/{live.session['id']}#admin=x"):
            visits(page, live.server.url + junk)
            page.get_by_role("heading").first.wait_for()
            page.wait_for_url(lambda url: "#" not in url)
            assert held(page, "admin") == ADMIN
        assert questions == []


def test_junk_in_a_link_of_a_host_leaves_what_works(live: LiveSession) -> None:
    page = live.host()
    page.get_by_role("button", name="Code and links").wait_for()
    mine, questions = live.session["host_token"], answering(page, yes=True)
    for junk in ("junk", "a.b.c", live.session["screen_token"], mine[:-2]):
        for path in (f"/host/s/{live.session['id']}", f"/host/s/{live.session['id']}/report"):
            visits(page, f"{live.server.url}{path}#token={junk}")
            page.wait_for_url(lambda url: "#" not in url)
            assert held(page, f"host.{live.session['id']}") == mine
    assert questions == []
    stranger = live.window(f"/host/s/{live.session['id']}#token=junk", **LAPTOP)
    stranger.get_by_text("This page needs a host link.").wait_for()
    assert held(stranger, f"host.{live.session['id']}") is None


@pytest.mark.parametrize("yes", [True, False])
def test_another_link_that_works_replaces_only_what_one_gives_up(live: LiveSession, yes: bool) -> None:
    page, questions = live.host(), []
    page.get_by_role("button", name="Code and links").wait_for()
    questions = answering(page, yes=yes)
    other = live.call("POST", "/links", {"scope": "host"})["token"]

    visits(page, f"{live.server.url}/host/s/{live.session['id']}#token={other}")
    page.get_by_role("button", name="Code and links").wait_for()

    assert len(questions) == 1
    assert held(page, f"host.{live.session['id']}") == (other if yes else live.session["host_token"])


def test_what_is_dead_is_replaced_unasked(live: LiveSession) -> None:
    first = live.call("POST", "/links", {"scope": "host"})
    page = live.window(f"/host/s/{live.session['id']}#token={first['token']}", **LAPTOP)
    page.get_by_role("button", name="Code and links").wait_for()
    questions = answering(page, yes=False)
    live.call("DELETE", f"/links/{first['id']}")

    visits(page, f"{live.server.url}/host/s/{live.session['id']}#token={live.session['host_token']}")
    page.get_by_role("button", name="Code and links").wait_for()

    assert questions == []
    assert held(page, f"host.{live.session['id']}") == live.session["host_token"]


def test_junk_leaves_the_screen_and_the_seat_alone(live: LiveSession) -> None:
    screen, phone = live.screen(), live.phone()
    screen.locator(".big-code").wait_for()
    seat = held(phone, f"seat.{live.session['id']}")
    visits(screen, f"{live.server.url}/screen/{live.session['id']}#token=junk")
    screen.locator(".big-code").wait_for()
    visits(phone, f"{live.server.url}/p/{live.session['id']}#seat=junk")
    phone.get_by_text("You are in").wait_for()

    assert held(screen, f"screen.{live.session['id']}") == live.session["screen_token"]
    assert held(phone, f"seat.{live.session['id']}") == seat
    assert screen.context.pages[0].viewport_size == PROJECTOR["viewport"]
    assert PHONE["is_mobile"]


def test_a_moved_seat_of_another_session_than_the_address_names_replaces_none_unasked(live: LiveSession) -> None:
    phone = live.phone()
    kept = held(phone, f"seat.{live.session['id']}")
    stranger = live.server.call("POST", "/join", {"nickname": "Mallory", "code": live.session["join_code"]})
    link = live.server.call("POST", "/participants/me/seat-link", {}, token=stranger["participant_token"])
    questions: list[str] = []
    phone.once("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    visits(phone, f"{live.server.url}/p/5#move={link['seat_token']}")
    phone.get_by_role("button").first.click()
    phone.wait_for_url(f"**/p/{live.session['id']}")

    assert len(questions) == 1
    assert held(phone, f"seat.{live.session['id']}") == kept


def test_a_wrong_token_on_the_operators_page_replaces_nothing(live: LiveSession) -> None:
    page = live.window("/host", **LAPTOP)
    page.get_by_label("Admin token").fill("not the token at all")
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_role("alert").filter(has_text="no longer valid").wait_for()
    assert held(page, "admin") is None
    page.get_by_label("Admin token").fill(ADMIN)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_role("heading", name="Sessions").wait_for()


def test_hosts_list_name_and_revoke_links(live: LiveSession) -> None:
    page = live.host()
    page.get_by_role("button", name="Code and links").click()
    page.get_by_role("button", name="Links of this session").click()
    page.get_by_label("Name, to recognize it later").fill("Second host")
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_label("The new link “Second host”")
    link.wait_for()
    second = live.window(link.input_value().removeprefix(live.server.url), **LAPTOP)
    second.get_by_role("button", name="Code and links").wait_for()

    page.once("dialog", lambda dialog: dialog.accept("Stage left"))
    page.get_by_role("button", name="Rename: Second host").click()
    page.get_by_text("Stage left", exact=True).wait_for()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke: Stage left").click()
    page.get_by_text("Stage left", exact=True).wait_for(state="detached")

    second.reload()
    second.get_by_text("This page needs a host link.").wait_for()
    assert [link["scope"] for link in live.call("GET", "/links")["items"] if link["revoked_at"]] == ["host"]


def test_a_host_reads_that_only_the_owner_revokes_the_owners_link(live: LiveSession) -> None:
    token = live.call("POST", "/links", {"scope": "host", "name": "Second host"})["token"]
    page = live.window(f"/host/s/{live.session['id']}#token={token}", **LAPTOP)
    page.get_by_role("button", name="Code and links").click()
    page.get_by_role("button", name="Links of this session").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke: Owner").click()
    page.get_by_role("dialog").get_by_text("Only the owner of the session, or the operator, can do this.").wait_for()
