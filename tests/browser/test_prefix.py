"""Pages below a path prefix, behind proxies that keep the path and that strip it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.browser.live_session import LiveSession, new_session, wait_until
from tests.deploy.programs import program
from tests.deploy.proxies import running
from tests.support.ports import free_port
from tests.support.processes import PLAIN, served

pytestmark = pytest.mark.browser

NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/err; events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location = /health/live {{ proxy_pass http://127.0.0.1:{upstream}; }}
    location /live/ {{ proxy_pass http://127.0.0.1:{upstream}{path}; proxy_buffering off; proxy_http_version 1.1; }}
  }}
}}
"""


@pytest.fixture(params=["/live/", "/"], ids=["kept", "stripped"])
def below(request: pytest.FixtureRequest, tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    """A session that is open below `/live`; everything else of that host name is 404."""
    binary, port = program("nginx"), free_port()
    with ExitStack() as stack:
        server = stack.enter_context(served(tmp_path / "data", CONFLICTO_PUBLIC_URL=f"http://127.0.0.1:{port}/live"))
        config = tmp_path / "nginx.conf"
        upstream = server.url.rpartition(":")[2]
        config.write_text(NGINX.format(folder=tmp_path, port=port, upstream=upstream, path=request.param))
        stack.enter_context(running([binary, "-p", str(tmp_path), "-c", str(config), "-e", f"{tmp_path}/err"], tmp_path, port))
        server.url = f"http://127.0.0.1:{port}/live"
        yield stack.enter_context(new_session(server, browser))


def test_a_session_from_the_code_to_the_report(below: LiveSession) -> None:
    wall = below.activity("wall", {"question": "What would help?"})
    host = below.host()
    host.locator(".next").wait_for()
    screen = below.screen()
    screen.get_by_text("/live").first.wait_for()

    phone = below.window("/", viewport={"width": 412, "height": 839}, locale="en-US")
    phone.locator("#code").fill(below.session["join_code"])
    phone.locator("form[data-door] button").click()
    phone.locator("#nickname").fill("Anna")
    phone.locator("form[data-door] button").click()
    phone.wait_for_url("**/live/p/*")
    phone.get_by_label("Your text").fill("More daylight")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    screen.get_by_text("More daylight").first.wait_for()
    phone.reload()
    phone.get_by_text("What would help?").first.wait_for()
    phone.locator("details.appearance summary, [data-appearance] summary").first.click()
    phone.locator("#appearance-theme").select_option("dark")
    wait_until(lambda: len(phone.context.cookies()) == 1)
    (cookie,) = phone.context.cookies()
    report = below.host("/report")
    report.get_by_text("More daylight").first.wait_for()
    report.locator("a.brand").click()
    report.wait_for_url("**/live/host")

    assert below.answers(wall) == [{"text": "More daylight"}]
    assert cookie["path"] == "/live/"
    assert phone.evaluate("navigator.serviceWorker.ready.then((found) => found.scope)").endswith("/live/")


def test_pages_links_and_the_contract_lie_below_the_path(below: LiveSession) -> None:
    def location(path: str) -> str:
        answer = httpx2.get(below.base + path, **PLAIN)
        return answer.headers["location"]

    code = below.session["join_code"].replace("-", "")
    assert location(f"/join?code={code}") == f"/live/j/{code}"
    assert location(f"/J/{code}/") == f"/live/j/{code}"
    headers = {"authorization": f"Bearer {below.session['host_token']}"}
    for _ in range(3):  # the whole way, and what lies ready
        page = httpx2.get(f"{below.base}/api/v1{below.path}/changes/since/0", headers=headers, **PLAIN)
        assert page.headers["link"].startswith(f"</live/api/v1{below.path}/changes/since/")
    made = httpx2.post(
        f"{below.base}/api/v1{below.path}/activities", json={"type": "anything"}, headers=headers, **PLAIN
    )  # fmt: skip
    assert made.headers["location"].startswith(f"/live/api/v1{below.path}/activities/")
    contract = httpx2.get(f"{below.base}/api/v1/openapi.json", **PLAIN).json()
    assert [each["url"] for each in contract["servers"]] == [below.base]


def test_links_that_hosts_share_name_the_public_address(below: LiveSession) -> None:
    host, links = below.host(), []
    host.on("dialog", lambda dialog: (links.append(dialog.default_value), dialog.accept()))
    host.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    host.get_by_role("button", name="Code and links").click()
    for name, path in (("screen", "/screen/"), ("co-host", "/host/s/")):
        with host.expect_event("dialog"):
            host.get_by_role("button", name=re.compile(f"Copy: Link for (a|the) {name}")).click()
        assert links[-1].startswith(f"{below.base}{path}{below.session['id']}#token=")
