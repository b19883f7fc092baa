"""Aggregation spec: up to 8 names, each with a JSON pointer, an operation and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from conflicto.aggregation.config_options import config_pointers, resolve_options
from conflicto.aggregation.operations import OPERATIONS
from conflicto.aggregation.pointer import parse
from conflicto.platform.problems import FieldError, InvalidInput
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conflicto.aggregation.operation import Fold, RoundContext

MAX_NAMES = 8

MAX_REMEMBERED_SPECS = 128
"""Specs whose need of a config is remembered, because each request for results asks for it."""

INVALID_NAME = "has a name that is not a lower-case letter and up to 31 letters, digits or underscores"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_decode = msgspec.json.Decoder().decode


class SpecEntry(NamedTuple):
    """The valid entry of one name in a spec."""

    path: tuple[str, ...]
    op: str
    options: Mapping[str, Any]

    def fold(self, context: RoundContext) -> Fold:
        """Return the fold of this entry."""
        operation = OPERATIONS[self.op]
        return operation.build(resolve_options(operation, self.options, context.config), context)


Spec = Mapping[str, SpecEntry]


def parse_spec(text: str | None) -> Spec:
    """Parse a stored spec. Return an empty one if the text was valid under earlier rules only."""
    value = None if text is None else _decode(text)
    if value is None or any(spec_faults(value)):
        return {}
    return {name: SpecEntry(parse(entry["path"]) or (), entry["op"], _options_of(entry)) for name, entry in value.items()}


@lru_cache(MAX_REMEMBERED_SPECS)
def refers_to_config(text: str | None) -> bool:
    """Return whether a stored spec takes options from the activity's config."""
    entries = parse_spec(text).values()
    return any(config_pointers(OPERATIONS[entry.op], entry.options) for entry in entries)


def invalid_names(value: object) -> list[str]:
    """Return the names of a spec that have another form. They are input: show its author only."""
    return [name for name in value if not _NAME.fullmatch(name)] if isinstance(value, dict) else []


def validate_spec(text: str | None) -> None:
    """Validate the text of an `aggregate`; None means no spec.

    Raises:
        InvalidInput: the spec has faults; each error points to one.
    """
    faults = [] if text is None else list(spec_faults(_decode(text)))
    if faults:
        raise InvalidInput(errors=tuple(FieldError(f"/aggregate{below}", message) for below, message in faults))


def spec_faults(value: object) -> Iterator[tuple[str, str]]:
    """Yield the faults of a spec as pairs of pointer and message, with only valid names in them."""
    if not isinstance(value, dict) or len(value) > MAX_NAMES:
        yield "", f"must be an object of at most {MAX_NAMES} names"
        return
    for name, entry in value.items():
        if not _NAME.fullmatch(name):
            yield "", INVALID_NAME
        elif not isinstance(entry, dict):
            yield f"/{name}", "must be an object"
        else:
            yield from ((f"/{name}{below}", message) for below, message in _entry_faults(entry))


def _entry_faults(entry: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    path, op = entry.get("path"), entry.get("op")
    if not isinstance(path, str) or parse(path) is None:
        yield "/path", "must be a JSON pointer; the empty text is the whole answer"
    operation = OPERATIONS.get(op) if isinstance(op, str) else None
    if operation is None:
        yield "/op", f"must be one of {', '.join(OPERATIONS)}"
        return
    options = _options_of(entry)
    unknown = options.keys() - operation.options.keys()
    if unknown:
        allowed = ", ".join(f"`{option}`" for option in operation.options) or "none"
        yield "", f"has the unknown {_option_names(unknown)} for `{op}`; allowed: {allowed}"
    for option in sorted(operation.required - options.keys()):
        yield f"/{option}", f"is required by {op}"
    faults = {option: operation.options[option](value) for option, value in options.items() if option in operation.options}
    found = [(f"/{pointer_escape(option)}", message) for option, message in faults.items() if message]
    yield from found
    disagreement = None if found else operation.check_together(options)
    if disagreement:
        yield "", disagreement


def _option_names(unknown: Iterable[str]) -> str:
    """Return the option names for a message. They are input, so only valid names are repeated."""
    named = ", ".join(f"`{option}`" for option in sorted(unknown) if _NAME.fullmatch(option))
    return f"option {named}" if named else "option"


def _options_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {option: value for option, value in entry.items() if option not in {"path", "op"}}
