"""The aggregation spec: at most 8 names, each a pointer into the answers, an op, and the op's options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from conflicto.platform.problems import FieldError, InvalidInput
from conflicto.platform.strict_json import pointer_escape
from conflicto.results.folds import KINDS
from conflicto.results.pointer import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.results.folds.base import Circumstances, Fold

MOST_NAMES = 8
OF_CONFIG = ("of", "stop_words")
"""Options that may be a JSON pointer into the activity's config."""


_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_decode = msgspec.json.Decoder().decode


class Entry(NamedTuple):
    """One name's part of a spec, known to be right."""

    path: tuple[str, ...]
    op: str
    options: Mapping[str, Any]

    def fold(self, circumstances: Circumstances) -> Fold:
        """Return the fold that it asks for."""
        return KINDS[self.op].make(self.options, circumstances)


Spec = Mapping[str, Entry]


def spec_of(text: str | None) -> Spec:
    """Return a stored spec. What does not fit the rules of today asks for nothing; it was stored before them."""
    value = None if text is None else _decode(text)
    if value is None or any(_wrong(value)):
        return {}
    return {name: Entry(parse(said["path"]) or (), said["op"], _options(said)) for name, said in value.items()}


def refers_to_config(text: str | None) -> bool:
    """Tell whether a stored spec takes options from the activity's config."""
    return any(isinstance(entry.options.get(option), str) for entry in spec_of(text).values() for option in OF_CONFIG)


def require_spec(text: str | None) -> None:
    """Refuse an `aggregate` that is no spec, with a pointer to everything that is wrong; None is no spec at all.

    Raises:
        InvalidInput: it is not.
    """
    wrong = [] if text is None else list(_wrong(_decode(text)))
    if wrong:
        raise InvalidInput(errors=tuple(FieldError(f"/aggregate{below}", message) for below, message in wrong))


def _wrong(value: object) -> Iterator[tuple[str, str]]:
    """Yield what is wrong where, as pointers below the spec. Names are input and never repeated unless they are good ones."""
    if not isinstance(value, dict) or len(value) > MOST_NAMES:
        yield "", f"must be an object of at most {MOST_NAMES} names"
        return
    for name, said in value.items():
        if not _NAME.fullmatch(name):
            yield "", "has a name that is not a lower-case letter and up to 31 letters, digits or underscores"
        elif not isinstance(said, dict):
            yield f"/{name}", "must be an object"
        else:
            yield from ((f"/{name}{below}", message) for below, message in _wrong_entry(said))


def _wrong_entry(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    path, op = said.get("path"), said.get("op")
    if not isinstance(path, str) or parse(path) is None:
        yield "/path", "must be a JSON pointer; the empty text is the whole answer"
    kind = KINDS.get(op) if isinstance(op, str) else None
    if kind is None:
        yield "/op", f"must be one of {', '.join(KINDS)}"
        return
    options = _options(said)
    if not options.keys() <= kind.options.keys():
        yield "", f"has an option that {op} does not know"
    for option in sorted(kind.needed - options.keys()):
        yield f"/{option}", f"is required by {op}"
    faults = {option: kind.options[option](value) for option, value in options.items() if option in kind.options}
    found = [(f"/{pointer_escape(option)}", message) for option, message in faults.items() if message]
    yield from found
    disagreement = None if found else kind.agree(options)
    if disagreement:
        yield "", disagreement


def _options(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {option: value for option, value in said.items() if option not in {"path", "op"}}
