"""Options of an operation that a spec may take from the activity's config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.aggregation.pointer import MISSING, find, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.aggregation.operation import Operation, OptionCheck


@dataclass(frozen=True, slots=True)
class ConfigOption:
    """Check of an option that is a value, or a JSON pointer to one in the activity's config."""

    check: OptionCheck

    def __call__(self, value: object) -> str | None:
        """Return the fault of an option's value, or None."""
        if isinstance(value, str) and parse(value):
            return None
        message = self.check(value)
        return f"{message}, or a JSON pointer into config" if message else None


def config_pointers(operation: Operation, options: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that are pointers into the config."""
    names = operation.config_options | {name for name, check in operation.options.items() if isinstance(check, ConfigOption)}
    return {name: value for name, value in options.items() if name in names and isinstance(value, str)}


def resolve_options(operation: Operation, options: Mapping[str, Any], config: object) -> dict[str, Any]:
    """Return the options with values from the config in place of pointers.

    The operation's default applies where the config holds no valid value. Values from the config
    that contradict other options are left out too.
    """
    own = {name: value for name, value in options.items() if not _is_pointer(operation, name, value)}
    found = {name: find(config, parse(value) or ()) for name, value in options.items() if name not in own}
    resolved = own | {name: value for name, value in found.items() if _is_valid(operation, name, value)}
    return own if operation.check_together(resolved) else resolved


def _is_pointer(operation: Operation, name: str, value: object) -> bool:
    return isinstance(operation.options[name], ConfigOption) and isinstance(value, str)


def _is_valid(operation: Operation, name: str, value: object) -> bool:
    check = operation.options[name]
    return isinstance(check, ConfigOption) and value is not MISSING and check.check(value) is None
