"""Texts of every problem in every language, and limits of fields."""

import json
from string import Formatter

import pytest

import conflicto.app  # noqa: F401 - every error class is registered
from conflicto.participants.nickname import MAX_CHARS, NicknameInvalid, clean_nickname
from conflicto.platform.problems import registry
from conflicto.sessions.schemas import MAX_TITLE_CHARS
from conflicto.web.languages import NAMES, catalogs
from conflicto.web.page_renderer import PAGES, Appearance, deferred_text_files
from conflicto.web.pages import Pages

MADE_BY_PAGES = ("offline", "unknown", "foreign", "unsent")
BAD_NAMES = {"too-long": "x" * 37, "empty": "...", "unseen": "a\nb", "marks": "\u0301a", "reserved": "admin"}


@pytest.mark.parametrize("locale", NAMES)
def test_every_problem_has_its_words_in_every_language(locale: str) -> None:
    words = catalogs()[locale]
    missing = [code for code in (*registry(), *MADE_BY_PAGES) if not words.get(f"problem.{code}")]
    assert missing == []


@pytest.mark.parametrize("reason", BAD_NAMES)
def test_every_reason_to_refuse_a_name_has_its_words(reason: str) -> None:
    with pytest.raises(NicknameInvalid) as refused:
        clean_nickname(BAD_NAMES[reason])
    assert refused.value.extensions["reason"] == reason
    assert [locale for locale, words in catalogs().items() if f"problem.nickname-invalid.{reason}" not in words] == []


@pytest.mark.parametrize("locale", NAMES)
def test_what_is_filled_in_is_the_same_in_every_language(locale: str) -> None:
    words, english = catalogs()[locale], catalogs()["en"]
    problems = [key for key in english if key.startswith(("problem.", "state.no_storage", "notice.")) and not key.endswith(".one")]
    assert {key: _fields(words[key]) for key in problems} == {key: _fields(english[key]) for key in problems}


def _fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("locale", NAMES)
def test_a_phone_gets_every_word_of_its_own_now_or_later_and_none_twice(locale: str) -> None:
    pages = Pages()
    boot = json.loads(
        pages._renderer.render("participant", Appearance(locale, "auto", "normal"))
        .body.decode()
        .partition('id="boot">')[2]
        .partition("</script>")[0]
    )
    later = json.loads(deferred_text_files()[f"words/{locale}.json"])
    assert boot["deferred"].endswith(f"/words/{locale}.json")
    assert later.keys().isdisjoint(boot["texts"])
    wanted = {f"problem.{code}" for code in (*registry(), *MADE_BY_PAGES)} | {"notice.dismiss", "menu.answers", "state.offline"}
    assert wanted <= later.keys() | boot["texts"].keys()
    assert "problem.foreign" in boot["texts"], "data cannot be downloaded when it is needed"


@pytest.mark.parametrize("page", PAGES)
def test_fields_have_the_bounds_of_the_server(page: str) -> None:
    boot = json.loads(
        Pages()
        ._renderer.render(page, Appearance("en", "auto", "normal"))
        .body.decode()
        .partition('id="boot">')[2]
        .partition("</script>")[0]
    )
    assert boot["limits"] == {"nickname": MAX_CHARS, "title": MAX_TITLE_CHARS}
