"""Check of a type's README: four sections, a picture, and every field and result by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from conflicto.activity_types.kit.places import README, fault_at, text_of_readme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.model import ActivityType

PICTURE, CONFIG, ANSWER, RESULTS = "Picture", "Config", "Answer", "Results"
SECTIONS = (PICTURE, CONFIG, ANSWER, RESULTS)

_CONTENTS = {
    PICTURE: "a drawing of the screen in a block of text, between lines of ```",
    ANSWER: "an example of an answer",
}
"""Contents of sections; the others name fields or results."""

_SECTION = re.compile(r"^## (\w+)[^\S\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^(```|~~~)", re.MULTILINE)


def readme_is_complete(activity_type: ActivityType) -> Iterator[str]:
    """Yield sections, the picture, and names of fields and results that the README lacks."""
    text = text_of_readme(activity_type)
    if text is None:
        yield fault_at(activity_type, README, "is missing", f"Write it with the sections {', '.join(SECTIONS)}.")
        return
    found = {match[1]: match for match in _SECTION.finditer(text)}
    required = {
        CONFIG: list(activity_type.config_schema.get("properties", {})),
        RESULTS: list(msgspec.json.decode(activity_type.aggregate or "{}")),
    }
    for section in SECTIONS:
        names, match = required.get(section, []), found.get(section)
        if match is None or not match[2].strip():
            content = _CONTENTS.get(section, f"the names {_quoted(names)}" if names else "a sentence")
            yield fault_at(activity_type, README, f"has no section {section}", f"Write `## {section}`, and below it {content}.")
            continue
        line = text.count("\n", 0, match.start()) + 1
        missing = [name for name in names if f"`{name}`" not in match[2]]
        if missing:
            message = f"does not mention {_quoted(missing)} under {section}"
            yield fault_at(activity_type, README, message, "Say what each means, with its name between backticks.", line=line)
        if section == PICTURE and not _BLOCK.search(match[2]):
            remedy = f"Add {_CONTENTS[PICTURE]}."
            yield fault_at(activity_type, README, "has no picture in a block of text", remedy, line=line)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
