"""Tests of the glossary: its size, its words in the source, and no synonyms in public names."""

import re
from typing import Any

import pytest

from conflicto.app import App
from conflicto.platform.db.tables import metadata_obj
from conflicto.settings import Settings
from tests.docs.pages import PAGES, ROOT, prose

BANNED = {
    r"users?": "participant, host or operator",
    r"rooms? code|meeting rooms?": "session",
    r"live events? id": "session",
    r"attendees?|players?|audience|voters?": "participant",
    r"presenters?|organi[sz]ers?|facilitators?": "host",
    r"votes?|submissions?": "response",
    r"slides?|widgets?|questionnaires?": "activity",
    r"pseudonyms?|usernames?|display names?": "nickname",
    r"polls? page|projector|beamer": "screen",
}
FIELDS = re.compile(
    r"^(user|room|event|vote|submission|attendee|player|audience|presenter|slide|username)(s?$|_)|_(user|room|event|player)s?$"
)
ALLOWED = {
    "SECURITY.md": {"votes"},
    "metrics.md": {"user"},
    "renames.md": {"votes"},
    "0013-anonymity.md": {"vote"},
}
"""Words that a page uses in their ordinary sense."""

MAX_OWN_WORDS = 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_use_the_glossary(page: Any) -> None:
    for banned, instead in BANNED.items():
        found = {word.lower() for word in re.findall(rf"\b(?:{banned})\b", prose(page), re.IGNORECASE)}
        assert found <= ALLOWED.get(page.name, set()), f"say {instead}"


async def test_public_names_use_the_glossary(app: App, document: dict[str, Any]) -> None:
    names: set[str] = set()
    for schema in document["components"]["schemas"].values():
        names |= set(schema.get("properties", ()))
    for route in app.edge.routes:
        names |= set(re.findall(r"\w+", route.path.removeprefix("/api/v1")))
    names |= {field.alias.lower() for field in Settings.model_fields.values() if field.alias}
    for table in metadata_obj.tables.values():
        names |= {table.name, *table.columns.keys()}

    assert {name for name in names if FIELDS.search(name)} == {"events"}, "the contract's URL of Server-Sent Events"
    assert {"session_id", "activity_id", "participant_id", "response_data", "round"} <= names


def own_words() -> list[str]:
    """Return the words in the first column of the section "Own words"."""
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^\| ([a-z ]+) \| ", page.partition("## Own words\n")[2], re.MULTILINE)


def test_glossary_holds_at_most_twenty_own_words() -> None:
    words = own_words()

    assert 0 < len(words) <= MAX_OWN_WORDS
    assert len(set(words)) == len(words)


def test_every_own_word_occurs_in_the_source() -> None:
    files = [path for pattern in ("*.py", "*.js") for path in (ROOT / "src").rglob(pattern)]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)

    assert [word for word in own_words() if not re.search(rf"\b{word}s?\b", source, re.IGNORECASE)] == []


def test_glossary_explains_the_objects_of_the_api() -> None:
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")

    for word in ("session", "activity", "participant", "response", "round", "feed", "cursor", "tombstone", "seat", "head", "group"):
        assert re.search(rf"^\| {word} \| ", page, re.MULTILINE), word
