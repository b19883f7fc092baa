"""Schema of a result: the union of all operations' results, with `op` as the discriminator."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypeAliasType

from conflicto.aggregation.operations import OPERATIONS

_ANY_RESULT: Any = reduce(or_, (operation.result for operation in OPERATIONS.values()))

Result = TypeAliasType("Result", Annotated[_ANY_RESULT, Field(discriminator="op")])
