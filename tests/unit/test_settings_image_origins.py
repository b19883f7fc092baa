import pytest

from conflicto.settings import SettingsInvalid, read_settings


def test_origins_of_pictures_are_a_list_and_none_by_default() -> None:
    assert read_settings({}).image_origins == ()
    given = read_settings({"CONFLICTO_IMAGE_ORIGINS": "https://images.example.org, https://cdn.example.org:8443"})
    assert given.image_origins == ("https://images.example.org", "https://cdn.example.org:8443")


@pytest.mark.parametrize(
    "wrong",
    [
        "*",
        "http://a.example",
        "https://a.example/x",
        "https://a.example; script-src *",
        "https:",
        "data:",
        "https://a.example 'unsafe-inline'",
    ],
)
def test_what_is_no_origin_ends_the_start(wrong: str) -> None:
    with pytest.raises(SettingsInvalid, match="CONFLICTO_IMAGE_ORIGINS"):
        read_settings({"CONFLICTO_IMAGE_ORIGINS": wrong})
