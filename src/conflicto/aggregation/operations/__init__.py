"""The aggregate operations.

Each module here declares one as `OPERATION`, under the module's name.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.aggregation.operation import Operation


def _found() -> dict[str, Operation]:
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").OPERATION for name in names}


OPERATIONS: dict[str, Operation] = _found()
