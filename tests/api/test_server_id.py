"""The installation's id: in problem documents and responses to joins, and equal on all workers."""

import asyncio
import json
from pathlib import Path

import jwt

from conflicto.app import App
from conflicto.platform.db.metadata import EPOCH, load_metadata
from conflicto.settings import Settings
from tests.support import databases
from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.patience import PATIENCE_S
from tests.support.wire import connected, listening


async def test_joining_or_creating_a_session_returns_it(api: Api) -> None:
    event = await make_event(api)
    server = api.app.platform.identity.issuer
    made = accepted(await api.post("/sessions", {"title": "Another"}, token=api.admin), 201)
    renewed = accepted(await api.delete(f"{event.path}/tokens", token=event.host))
    seat = accepted(await api.post("/join", {"nickname": "Anna", "code": event.code}), 201)
    link = accepted(await api.post("/participants/me/seat-link", token=seat["participant_token"]), 201)
    moved = accepted(await api.post("/seats/redeem", {"seat_token": link["seat_token"]}))

    assert {each["server"] for each in (made, renewed, seat, moved)} == {server}
    assert jwt.decode(seat["participant_token"], options={"verify_signature": False})["iss"] == server


async def test_it_is_in_responses_of_all_endpoints_and_of_malformed_requests(api: Api) -> None:
    event = await make_event(api)
    answers = [
        await api.get(f"{event.path}/status", token="x.y.z"),
        await api.post("/join", {"nickname": "Anna", "code": "x"}),
        await api.post("/sessions", {"titel": "?"}, token=api.admin),
        await api.get("/nowhere"),
        await api.http.get("/s/0123456789/sdk/v1.js"),
    ]
    assert [each.status_code for each in answers] == [401, 404, 422, 404, 404]
    assert {each.json()["server"] for each in answers} == {api.app.platform.identity.issuer}


async def test_it_is_in_the_response_of_a_connection(app: App) -> None:
    async with listening(app) as port:
        for sent in (b"\x16\x03\x01 TLS\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 200 + b"\r\n"):
            async with connected(port) as line:
                await line.send(sent)
                raw = await asyncio.wait_for(line.reader.read(), PATIENCE_S)
                assert json.loads(raw.partition(b"\r\n\r\n")[2])["server"] == app.platform.identity.issuer


async def test_it_is_in_the_pages_and_kept_in_the_database(api: Api) -> None:
    page = (await api.http.get("/")).text
    boot = json.loads(page.partition('id="boot">')[2].partition("</script>")[0])
    assert boot["server"] == api.app.platform.identity.issuer == await asyncio.to_thread(load_metadata, api.app.platform.db, EPOCH)


async def test_of_two_installations_in_one_process_each_names_itself(
    settings: Settings, tmp_path: Path, sqlite_template: Path
) -> None:
    """Two apps in a process share only the framework's knowledge of endpoints."""
    (tmp_path / "other").mkdir()
    elsewhere = {"database_url": databases.sqlite_copy(sqlite_template, tmp_path / "other"), "data_dir": tmp_path / "other"}
    async with App(settings).running() as one, App(settings.model_copy(update=elsewhere)).running() as other:
        for app in (one, other, one):
            api = Api(app)
            event = await make_event(api)
            refused = [await api.post("/sessions", {"titel": "?"}, token=api.admin), await api.post("/join", {"code": event.code})]
            assert [(each.status_code, each.json()["server"]) for each in refused] == [(422, app.platform.identity.issuer)] * 2
            assert [each["id"] for each in accepted(await api.get("/sessions", token=api.admin))["items"]][:1] == [event.id]
            await api.http.aclose()
    assert one.platform.identity.issuer != other.platform.identity.issuer
