import gzip
import json
import re

import pytest

from conflicto.app import App
from conflicto.settings import Settings
from conflicto.web.pages import PAGES as PAGES_POLICY
from conflicto.web.request import MAX_COOKIE_BYTES, MAX_QUERY_BYTES
from tests.support.api import Api, make_event
from tests.support.checks import refused
from tests.support.clocks import StoppedClock

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
async def test_pictures_come_from_named_origins_and_no_other(settings: Settings, pictures: tuple[str, ...]) -> None:
    async with App(settings.model_copy(update={"image_origins": pictures})).running() as app:
        api = Api(app)
        page = await api.http.get("/")
        await api.http.aclose()

    allowed = re.search(r"img-src ([^;]*);", page.headers["content-security-policy"])
    assert allowed is not None
    assert allowed[1].split() == ["'self'", "data:", *pictures]
    assert json.loads(re.search(r'id="boot">(.*?)</script>', page.text)[1])["image_origins"] == list(pictures)


async def test_static_files_may_be_kept_for_ever_and_come_packed(api: Api) -> None:
    page = await api.http.get("/")
    core = re.search(r'href="(/s/[0-9a-f]{10}/chunks/core\.js)"', page.text)
    assert core is not None

    plain = await api.http.get(core[1], headers={"accept-encoding": "identity"})
    packed = await api.http.get(core[1], headers={"accept-encoding": "gzip"})

    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, 9, mtime=0)) < len(plain.content) / 2
    assert packed.content == plain.content
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert "x-request-id" not in plain.headers, "caches serve it to others"
    of_pages = {"content-security-policy", "permissions-policy", "cross-origin-opener-policy", "referrer-policy"}
    assert of_pages & set(plain.headers) == set()


@pytest.mark.parametrize("path", ["/s/0000000000/sdk/v1.js", "/s/", "/s/x", "/s/../settings.py"])
async def test_files_of_another_build_are_not_there(api: Api, path: str) -> None:
    assert (await api.http.get(path)).status_code == 404


async def test_the_worker_is_served_at_the_root_of_its_scope_and_never_cached(api: Api) -> None:
    worker = await api.http.get("/sw.js?build=0123456789")

    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"
    assert "unsafe" not in worker.headers["content-security-policy"]
    assert "/api" not in worker.text


async def test_compressible_responses_vary_for_caches_in_both_encodings(api: Api) -> None:
    page = await api.http.get("/")
    files = set(re.findall(r'"(/s/[^"]+\.[a-z]+)"', page.text))
    assert {each.rpartition(".")[2] for each in files} == {"css", "js", "json"}

    for path in ("/", "/host", "/sw.js?build=0123456789", *files):
        packed, plain = [await api.http.get(path, headers={"accept-encoding": each}) for each in ("gzip", "identity")]
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        for each in (packed, plain):
            assert "Accept-Encoding" in each.headers["vary"], path


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
        ({"accept-language": "de;q=0, fr; q=0.3"}, "", "fr"),
        ({"accept-language": "de", "cookie": "other=1;lang=es ; lang=fr"}, "?utm=1&lang=&lang=fr", "es"),
        ({"accept-language": "de", "cookie": "x=" + "y" * 20_000 + "; lang=ar"}, "", "de"),
    ],
)
@pytest.mark.in_process
async def test_a_page_uses_the_readers_language(api: Api, headers: dict[str, str], query: str, lang: str) -> None:
    page = await api.http.get(f"/{query}", headers=headers)

    assert f'<html lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"' in page.text
    assert "Accept-Language" in page.headers["vary"]


@pytest.mark.parametrize(
    ("cookie", "query", "appearance", "kept"),
    [
        ("", "", ("auto", "normal"), []),
        ("theme=dark; size=large", "", ("dark", "large"), []),
        ("theme=dark", "?theme=light&size=largest&lang=de", ("light", "largest"), ["lang=de", "theme=light", "size=largest"]),
        ("theme=pink; size=<b>", "?theme=<script>&lang=tlh", ("auto", "normal"), []),
    ],
)
async def test_a_page_comes_as_its_reader_wants_it(
    api: Api, cookie: str, query: str, appearance: tuple[str, str], kept: list[str]
) -> None:
    page = await api.http.get(f"/{query}", headers={"cookie": cookie})

    assert f'data-theme="{appearance[0]}" data-size="{appearance[1]}"' in page.text
    set_cookies = page.headers.get_list("set-cookie")
    assert [each.partition(";")[0] for each in set_cookies] == kept
    assert all(each.endswith("; Path=/; Max-Age=31536000; SameSite=Lax") for each in set_cookies)


async def test_phones_do_not_download_the_words_of_hosts_and_screens(api: Api) -> None:
    phone, host, screen = await api.http.get("/"), await api.http.get("/host"), await api.http.get("/screen/1")

    assert re.findall(r'"(?:host|key|step|screen|appearance)\.', phone.text) == []
    assert '"host.new":' in host.text
    assert '"screen.lobby":' in screen.text


@pytest.mark.parametrize(
    "address", ["/qr/{code}.svg", "/qr/{code}", "/j/{code}", "/join?code={code}", "/p/{id}", "/host/s/{id}", "/screen/{id}"]
)
async def test_no_page_reveals_whether_a_session_exists(api: Api, address: str) -> None:
    """Only lookups and joins reveal sessions, and both are limited against guessing."""
    event = await make_event(api)
    there = await api.http.get(address.format(code=event.code.replace("-", ""), id=event.id))
    other = await api.http.get(address.format(code="BCDFGHJK", id=5))

    assert there.status_code == other.status_code
    assert [name for name, _ in there.headers.raw] == [name for name, _ in other.headers.raw]
    bodies = [each.text.replace(each.headers.get("x-request-id", "-"), "") for each in (there, other)]
    assert bodies[0] == bodies[1]


async def test_a_head_response_has_no_body_and_other_methods_are_refused(api: Api) -> None:
    head = await api.http.head("/")

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 1_000
    sent = await api.http.post("/")
    assert (sent.status_code, sent.headers["allow"]) == (405, "GET")
    assert (await api.http.get("/favicon.ico")).status_code == 204


async def test_bytes_beyond_the_bounds_of_head_and_query_are_not_read(api: Api) -> None:
    filling = "x=" + "y" * MAX_COOKIE_BYTES
    whole = await api.http.get("/", headers={"cookie": f"{filling[: MAX_COOKIE_BYTES - 12]}; theme=dark"})
    cut = await api.http.get("/", headers={"cookie": f"{filling[: MAX_COOKIE_BYTES - 12]};  size=largest"})
    long = "lang=de&" + "x" * (MAX_QUERY_BYTES - 8)

    assert 'data-theme="dark"' in whole.text
    assert 'data-size="normal"' in cut.text, "a truncated value is invalid"
    assert '<html lang="de"' in (await api.http.get(f"/?{long}")).text
    for path in ("/", "/join"):
        assert refused(await api.http.get(f"{path}?{long}x"), 422, "invalid-input")["errors"][0]["pointer"] == "/query"


@pytest.mark.in_process
async def test_pages_and_files_have_one_limit(settings: Settings) -> None:
    async with App(settings.model_copy(update={"rate_limits": True}), clock=StoppedClock()).running() as app:
        api = Api(app)
        app.platform.limiter.memory.drain(PAGES_POLICY, "")
        for path in [*PAGES, "/join?code=BCDF", "/sw.js", "/favicon.ico", "/s/0/sdk/v1.js"]:
            answer = refused(await api.http.get(path), 429, "too-many-requests")
            assert answer["retry_after_s"] >= 1
        await api.http.aclose()


@pytest.mark.in_process
async def test_pages_are_counted_like_everything_else(api: Api) -> None:
    await api.http.get("/j/BCDFGHJK")
    await api.http.get("/s/0/types/poll/phone.js")
    text = (await api.get("/metrics", api.admin)).text

    assert 'conflicto_requests_total{method="GET",route="/j/{code}",status="200"} 1' in text
    assert 'conflicto_requests_total{method="GET",route="/s/{build}/{name:path}",status="404"} 1' in text
    assert "BCDFGHJK" not in text


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("/j", "/"), ("/j/", "/"), ("/J", "/"), ("/join/", "/"), ("/Join", "/"),
        ("/j/BCDFGHJK/", "/j/BCDFGHJK"), ("/J/bcdf-ghjk", "/j/bcdf-ghjk"), ("/J/BCDFGHJK/", "/j/BCDFGHJK"),
        ("/join/BCDFGHJK", "/j/BCDFGHJK"),
        ("/JOIN/BCDF-GHJK", "/j/BCDF-GHJK"), ("/BCDFGHJK", "/j/BCDFGHJK"), ("/BCDF-GHJKL/", "/j/BCDF-GHJKL"),
        ("/bcdf%20ghjk", "/j/bcdf%20ghjk"), ("/host/", "/host"), ("/Host", "/host"), ("/HOST/", "/host"),
        ("/BCDFGHJKLM", "/j/BCDFGHJKLM"), ("/BCDFGHJO", "/j/BCDFGHJO"),
    ],
)  # fmt: skip
async def test_what_people_type_leads_to_the_way_in(api: Api, typed: str, leads_to: str) -> None:
    answer = await api.http.get(typed)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)
    kept = await api.http.get(f"{typed}?lang=de")
    assert kept.headers["location"] == f"{leads_to}?lang=de"
    assert (await api.http.get(leads_to)).headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/x", "/abc", "/settings.py", "/%2F%2Fevil.example", "/a-very-long-word-that-is-no-code", "/j/a/b", "/12345678"]
)
async def test_what_nobody_types_for_a_code_is_not_there(api: Api, path: str) -> None:
    refused(await api.http.get(path), 404, "not-found")


async def test_other_addresses_stay_what_they_are(api: Api) -> None:
    assert (await api.http.get("/health/live")).status_code == 200
    refused(await api.http.get("/metrics"), 401, "token-missing")
