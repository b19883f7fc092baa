import pytest

from conflicto.platform.http.path_prefix import prefix_of, with_prefix, without_prefix
from conflicto.settings import RESERVED_PATHS, SettingsInvalid, read_settings


@pytest.mark.parametrize(
    ("url", "prefix"), [("", ""), ("https://x.org", ""), ("https://x.org/live", "/live"), ("http://x.org:8/a/b.c", "/a/b.c")]
)
def test_the_path_of_the_public_url(url: str, prefix: str) -> None:
    settings = read_settings({"CONFLICTO_PUBLIC_URL": url + "/" * bool(url)})
    assert settings.public_url == url
    assert prefix_of(settings.public_url) == prefix


@pytest.mark.parametrize(
    "path", ["?x", "#x", "/a b", '/"', "/a//b", "/a%20", "/..", "/a/../b", *(f"/{name}/x" for name in sorted(RESERVED_PATHS))]
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(SettingsInvalid, match="CONFLICTO_PUBLIC_URL"):
        read_settings({"CONFLICTO_PUBLIC_URL": f"https://x.org{path}"})


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (b"/live", b"/"), (b"/live/", b"/"), (b"/live?lang=de", b"/?lang=de"), (b"/live/j/BCDF", b"/j/BCDF"), (b"/j/BCDF", b"/j/BCDF"),
        (b"/lively", b"/lively"), (b"/live//x", b"//x"), (b"/", b"/"), (b"*", b"*"), (b"", b""), (b"/api/live/x", b"/api/live/x"),
    ],
)  # fmt: skip
def test_targets_with_and_without_the_prefix_are_equal(target: bytes, seen: bytes) -> None:
    assert without_prefix(target, b"/live") == seen


def test_own_urls_in_headers_contain_the_prefix() -> None:
    headers = [(b"location", b"/j/A"), (b"link", b'</a>; rel="next"'), (b"location", b"https://y.org/"), (b"x", b"/j/A")]
    assert with_prefix(b"/live", headers) == (
        (b"location", b"/live/j/A"), (b"link", b'</live/a>; rel="next"'), (b"location", b"https://y.org/"), (b"x", b"/j/A"),
    )  # fmt: skip
