"""Headers of frames, of what they import, and of the pages around them."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api
from tests.support.clocks import HandClock
from tests.support.custom_types import put_type

HOST = "poll.example:8000"
VIEW = 'export { ActivityElement as default } from "../../sdk/v1.js";\n'


@pytest.fixture
async def framed(settings: Settings, clock: HandClock, tmp_path: Path) -> AsyncIterator[Api]:
    """Yield the API of a server with a type of its own."""
    put_type(tmp_path / "wave", "wave", {"participant": VIEW})
    with_type = settings.model_copy(update={"activity_types": (tmp_path,), "public_url": "https://conflicto.example/live"})
    async with App(with_type, clock=clock).running() as app:
        client = Api(app)
        yield client
        await client.http.aclose()


def base(api: Api) -> str:
    return f"/s/{api.app.edge.pages._assets.build}/"


@pytest.mark.in_process
async def test_a_frame_gets_scripts_of_its_type_and_the_interface_and_nothing_else(framed: Api) -> None:
    page = await framed.http.get(base(framed) + "frames/wave/participant.html", headers={"host": HOST})

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["referrer-policy"] == "no-referrer"
    directives = dict(each.strip().partition(" ")[::2] for each in page.headers["content-security-policy"].split(";"))
    nothing = ("default-src", "connect-src", "form-action", "frame-src", "worker-src", "base-uri")
    assert {name: directives[name] for name in nothing} == dict.fromkeys(nothing, "'none'")
    assert directives["sandbox"] == "allow-scripts"
    own = [f"http://{host}/live{base(framed)}" for host in (HOST, "conflicto.example")]
    folders = ("types/wave/", "chunks/", "frame/", "sdk/")
    assert directives["script-src"].split() == [f"{root}{folder}" for folder in folders for root in own]
    assert directives["img-src"].split() == ["data:", *(f"{root}types/wave/" for root in own)]
    assert directives["frame-ancestors"].split() == [f"http://{HOST}", "http://conflicto.example"]
    assert "=(" in page.headers["permissions-policy"]
    assert "self" not in page.headers["permissions-policy"]
    assert page.headers["connection-allowlist"].startswith(f'("http://{HOST}/live/s/')


@pytest.mark.in_process
@pytest.mark.parametrize("host", ["", "a b", "x;script-src *", "[::1]:8000", "x" * 300])
async def test_a_host_that_no_policy_can_name_is_left_out(framed: Api, host: str) -> None:
    page = await framed.http.get(base(framed) + "frames/wave/participant.html", headers={"host": host})
    if page.status_code == 200:
        assert host not in page.headers["content-security-policy"] or not host
        assert "http://conflicto.example/live/s/" in page.headers["content-security-policy"]


@pytest.mark.in_process
async def test_only_what_a_frame_imports_is_for_every_origin(framed: Api) -> None:
    for name in ("sdk/v1.js", "frame/main.js", "types/wave/participant.js", "chunks/sdk.js"):
        assert (await framed.http.get(base(framed) + name)).headers["access-control-allow-origin"] == "*", name
    for name in ("pages/control.js", "css/base.css", "words/en.json", "frames/wave/participant.html"):
        assert "access-control-allow-origin" not in (await framed.http.get(base(framed) + name)).headers, name
    for name in ("frames/wave/screen.html", "frames/poll/participant.html"):
        assert (await framed.http.get(base(framed) + name)).status_code == 404, name


@pytest.mark.in_process
@pytest.mark.parametrize(("name", "origins"), [("sdk/v2.js", "*"), ("types/wave/none.js", "*"), ("pages/none.js", None)])
async def test_a_frame_can_read_that_a_module_is_missing(framed: Api, name: str, origins: str | None) -> None:
    for root in (base(framed), "/s/0123456789/"):
        missing = await framed.http.get(root + name)

        assert (missing.status_code, missing.headers.get("access-control-allow-origin")) == (404, origins)


@pytest.mark.in_process
async def test_only_pages_of_activities_may_hold_frames_and_only_ours(framed: Api) -> None:
    for path, has_frames in {"/p/1": True, "/host/s/1": True, "/screen/1": True, "/host": False, "/host/s/1/report": True}.items():
        policy = (await framed.http.get(path, headers={"host": HOST})).headers["content-security-policy"]
        assert (f"frame-src http://{HOST}/live{base(framed)}frames/" in policy) is has_frames, path


async def test_a_server_without_types_of_its_own_has_no_frames(api: Api) -> None:
    assert "frame-src" not in (await api.http.get("/p/1")).headers["content-security-policy"]
    assert "access-control-allow-origin" not in (await api.http.get(base(api) + "sdk/v1.js")).headers


@pytest.mark.in_process
async def test_a_frame_of_an_earlier_build_keeps_its_policy(framed: Api) -> None:
    pages = framed.app.edge.pages
    found = pages._assets.files["frames/wave/participant.html"]
    pages._kept_builds = SimpleNamespace(find=lambda build, name: found if build == "0123456789" else None)

    page = await framed.http.get("/s/0123456789/frames/gone/screen.html", headers={"host": HOST})

    assert page.status_code == 200
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert f"http://{HOST}/live/s/0123456789/types/gone/" in page.headers["content-security-policy"]
