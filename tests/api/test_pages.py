import gzip
import json
import re

import httpx2
import pytest

from conflicto.web.pages import Pages
from tests.support.api import Api

PAGES = ["/", "/j/BCDFGHJK", "/p/123", "/host", "/host/s/123", "/host/s/123/report", "/screen/123"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_strict_about_what_it_runs(api: Api, path: str) -> None:
    page = await api.http.get(path)

    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'; trusted-types conflicto" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-cache"
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))|style=|\son\w+=", page.text) == []


@pytest.mark.in_process
@pytest.mark.parametrize("pictures", [(), ("https://images.example.org",)])
async def test_pictures_come_from_named_origins_and_no_other(pictures: tuple[str, ...]) -> None:
    pages = Pages(None, pictures=pictures)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=pages), base_url="http://testserver") as http:
        page = await http.get("/")

    allowed = re.search(r"img-src ([^;]*);", page.headers["content-security-policy"])
    assert allowed is not None
    assert allowed[1].split() == ["'self'", "data:", *pictures]
    assert json.loads(re.search(r'id="boot">(.*?)</script>', page.text)[1])["pictures"] == list(pictures)


async def test_static_files_may_be_kept_for_ever_and_come_packed(api: Api) -> None:
    page = await api.http.get("/")
    core = re.search(r'href="(/s/[0-9a-f]{10}/core\.js)"', page.text)
    assert core is not None

    plain = await api.http.get(core[1], headers={"accept-encoding": "identity"})
    packed = await api.http.get(core[1], headers={"accept-encoding": "gzip"})

    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, 9, mtime=0)) < len(plain.content) / 2
    assert packed.content == plain.content
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert plain.headers["referrer-policy"] == "no-referrer"
    assert {"content-security-policy", "permissions-policy", "cross-origin-opener-policy"} & set(plain.headers) == set()


@pytest.mark.parametrize("path", ["/s/0000000000/core.js", "/s/", "/s/x", "/s/../settings.py"])
async def test_files_of_another_build_are_not_there(api: Api, path: str) -> None:
    assert (await api.http.get(path)).status_code == 404


async def test_the_worker_is_served_where_it_may_look_after_the_pages_and_never_kept(api: Api) -> None:
    worker = await api.http.get("/sw.js?build=0123456789")

    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"
    assert "unsafe" not in worker.headers["content-security-policy"]
    assert "/api" not in worker.text


async def test_the_join_form_works_without_scripts(api: Api) -> None:
    page = await api.http.get("/", headers={"accept-language": "en"})
    sent = await api.http.get("/join", params={"code": " bcdf-ghjk/../x"})
    empty = await api.http.get("/join")

    assert '<form class="stack" action="/join" method="get">' in page.text
    assert (sent.status_code, sent.headers["location"]) == (303, "/j/bcdfghjkx")
    assert (empty.status_code, empty.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("headers", "query", "lang"),
    [
        ({"accept-language": "de-AT,en;q=0.5"}, "", "de"),
        ({"accept-language": "de", "cookie": "lang=ar"}, "", "ar"),
        ({"accept-language": "de", "cookie": "lang=ar"}, "?lang=fr", "fr"),
        ({"accept-language": "xx", "cookie": "lang=\x01;="}, "", "en"),
    ],
)
@pytest.mark.in_process
async def test_a_page_speaks_the_readers_language(api: Api, headers: dict[str, str], query: str, lang: str) -> None:
    page = await api.http.get(f"/{query}", headers=headers)

    assert f'<html lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"' in page.text
    assert "Accept-Language" in page.headers["vary"]


@pytest.mark.parametrize(
    ("cookie", "query", "looks", "kept"),
    [
        ("", "", ("auto", "normal"), []),
        ("theme=dark; size=large", "", ("dark", "large"), []),
        ("theme=dark", "?theme=light&size=largest&lang=de", ("light", "largest"), ["lang=de", "theme=light", "size=largest"]),
        ("theme=pink; size=<b>", "?theme=<script>&lang=tlh", ("auto", "normal"), []),
    ],
)
async def test_a_page_comes_as_its_reader_wants_it(
    api: Api, cookie: str, query: str, looks: tuple[str, str], kept: list[str]
) -> None:
    page = await api.http.get(f"/{query}", headers={"cookie": cookie})

    assert f'data-theme="{looks[0]}" data-size="{looks[1]}"' in page.text
    set_cookies = page.headers.get_list("set-cookie")
    assert [each.partition(";")[0] for each in set_cookies] == kept
    assert all(each.endswith("; Path=/; Max-Age=31536000; SameSite=Lax") for each in set_cookies)


async def test_phones_do_not_download_the_words_of_hosts_and_screens(api: Api) -> None:
    phone, host, screen = await api.http.get("/"), await api.http.get("/host"), await api.http.get("/screen/1")

    assert re.findall(r'"(?:host|key|step|screen|looks)\.', phone.text) == []
    assert '"host.new":' in host.text
    assert '"screen.lobby":' in screen.text


async def test_the_code_that_phones_read_is_a_picture(api: Api) -> None:
    first = await api.http.get("/qr/BCDF-GHJK.svg")
    other = await api.http.get("/qr/BCDF-GHJL.svg")

    assert first.headers["content-type"] == "image/svg+xml"
    assert first.text.startswith("<svg ")
    assert first.text != other.text
    assert (await api.http.get("/qr/BCDF.svg")).status_code == 404


async def test_a_head_has_no_body_and_no_other_method_is_taken(api: Api) -> None:
    head = await api.http.head("/")

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 1_000
    assert (await api.http.post("/")).status_code == 404
    assert (await api.http.get("/favicon.ico")).status_code == 204
