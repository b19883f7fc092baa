"""Steps that turn JSON of one version of a type into JSON of a newer one.

A step is declared, never code. It names one operation and a JSON pointer to its place. `*` stands
for every element of a list or value of an object. Missing places are skipped.

* `rename` gives the member at `path` the name `to`, at its place.
* `move` moves the member at `path` to the pointer `to`. Objects on the way are made.
* `default` sets the member at `path` to `value` if it is missing.
* `remove` removes the member at `path`.
* `map` replaces the value at `path` if it equals the first of a pair in `values`.

Values that no step touches keep their bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_STEPS = 100
"""Steps for one part of an activity in one upgrade."""

EVERY = "*"

_Raw = msgspec.Raw
_Change = Callable[[dict[str, _Raw], str], None]
"""Changes one member of an object in place."""

_MEMBERS = msgspec.json.Decoder(dict[str, _Raw])
_ITEMS = msgspec.json.Decoder(list[_Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class StepFailed(ValueError):
    """A step cannot be carried out without losing a value."""


class Step(NamedTuple):
    """One step; `to`, `value` and `values` belong to some operations only."""

    op: str
    path: str
    to: str = ""
    value: Any = None
    values: tuple[tuple[Any, Any], ...] = ()


class UpgradeSteps(NamedTuple):
    """The steps of one upgrade for each part of an activity."""

    config: tuple[Step, ...] = ()
    secret: tuple[Step, ...] = ()
    response: tuple[Step, ...] = ()
    aggregate: tuple[Step, ...] = ()


def steps_of(declared: Mapping[str, list[dict[str, Any]]]) -> UpgradeSteps:
    """Return the steps of a valid upgrade file."""
    return UpgradeSteps(**{part: tuple(map(_step, steps)) for part, steps in declared.items()})


def _step(declared: dict[str, Any]) -> Step:
    pairs = tuple((old, new) for old, new in declared.get("values", ()))
    return Step(**{**declared, "values": pairs})


def apply_steps(steps: Iterable[Step], text: str) -> str:
    """Return JSON after some steps; the same text if they change nothing.

    Raises:
        StepFailed: a step would replace an existing value.
    """
    raw = _Raw(text.encode())
    for step in steps:
        raw = _move(raw, step) if step.op == "move" else _change_at(raw, _segments(step.path), _CHANGES[step.op](step))
    return bytes(raw).decode()


def _segments(pointer: str) -> list[str]:
    return [segment.replace("~1", "/").replace("~0", "~") for segment in pointer.split("/")[1:]]


def _change_at(raw: _Raw, segments: list[str], change: _Change) -> _Raw:
    """Return a value with `change` applied to the members at a pointer."""
    first, *rest = segments
    kind = bytes(raw)[:1]
    if kind == b"[" and first == EVERY and rest:
        items = _ITEMS.decode(raw)
        changed = [_change_at(item, rest, change) for item in items]
        return raw if changed == items else _Raw(_encode(changed))
    if kind != b"{":
        return raw
    members = _MEMBERS.decode(raw)
    before = list(members.items())
    for name in list(members) if first == EVERY else [first]:
        if not rest:
            change(members, name)
        elif name in members:
            members[name] = _change_at(members[name], rest, change)
    return raw if list(members.items()) == before else _Raw(_encode(members))


def _rename(step: Step) -> _Change:
    def change(members: dict[str, _Raw], name: str) -> None:
        if name in members:
            _require_free(members, step.to, step)
            renamed = [(step.to if key == name else key, value) for key, value in members.items()]
            members.clear()
            members.update(renamed)

    return change


def _default(step: Step) -> _Change:
    value = _Raw(_encode(step.value))

    def change(members: dict[str, _Raw], name: str) -> None:
        members.setdefault(name, value)

    return change


def _remove(_: Step) -> _Change:
    def change(members: dict[str, _Raw], name: str) -> None:
        members.pop(name, None)

    return change


def _map(step: Step) -> _Change:
    values = {_key(old): _Raw(_encode(new)) for old, new in step.values}

    def change(members: dict[str, _Raw], name: str) -> None:
        if name in members:
            members[name] = values.get(_key(_decode(members[name])), members[name])

    return change


def _key(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a text that is equal for equal JSON; 1 equals 1.0, but not true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return msgspec.json.encode(value, order="sorted").decode()


def _move(raw: _Raw, step: Step) -> _Raw:
    moving: list[_Raw] = []

    def take(members: dict[str, _Raw], name: str) -> None:
        if name in members:
            moving.append(members.pop(name))

    def put(members: dict[str, _Raw], name: str) -> None:
        _require_free(members, name, step)
        members[name] = moving.pop()

    rest = _change_at(raw, _segments(step.path), take)
    if not moving:
        return raw
    target = _segments(step.to)
    moved = _change_at(_with_parents(rest, target[:-1]), target, put)
    if moving:
        message = f"move {step.path}: {step.to} does not lie in an object"
        raise StepFailed(message)
    return moved


def _with_parents(raw: _Raw, segments: list[str]) -> _Raw:
    """Return a value in which an object stands at every step of a pointer, or something else."""
    for depth in range(1, len(segments) + 1):
        missing = Step("default", "".join("/" + pointer_escape(each) for each in segments[:depth]), value={})
        raw = _change_at(raw, segments[:depth], _default(missing))
    return raw


def _require_free(members: dict[str, _Raw], name: str, step: Step) -> None:
    if name in members:
        message = f"{step.op} {step.path}: there is a value at {step.to} already"
        raise StepFailed(message)


_CHANGES: dict[str, Callable[[Step], _Change]] = {
    "rename": _rename,
    "default": _default,
    "remove": _remove,
    "map": _map,
}
