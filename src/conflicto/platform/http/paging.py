"""Lists: what they take (`limit`, `offset`) and how they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from conflicto.platform.http.messages import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Sequence


OF_SERVER = "The installation's id. Every problem document that the server itself wrote holds it."
SERVER_EXAMPLE = "k3q7mz2p4d"


class In(BaseModel):
    """Base of every body and query: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def may_be_unnamed(description: str | None = None) -> Any:  # noqa: ANN401 - the default of a field of any type
    """Return the default of a PATCH's field that may be left out, yet may not be null."""
    return Field(default_factory=lambda: None, description=description)


class PageQuery(In):
    """Which part of a list."""

    limit: int = Field(100, ge=1, le=1000, description="Items on the page.")
    offset: int = Field(0, ge=0, le=100_000_000, description="Items before the page.")


def example(**fields: Any) -> ConfigDict:  # noqa: ANN401 - any JSON
    """Return the configuration of a model that shows one object of its kind in the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def page_example(item: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a list that shows one item."""
    return example(items=[item], total=1, limit=100, offset=0, has_next=False, has_prev=False)


class PageOut(BaseModel):
    """A part of a list. `total` is null for filtered lists: nothing is counted at read time."""

    items: list[Any]
    total: int | None
    limit: int
    offset: int
    has_next: bool
    has_prev: bool


def page_answer(found: Sequence[object], total: int | None, query: PageQuery, **more: int) -> Answer:
    """Return a list with `more` members; `found` holds up to one item more than the page, which says whether there is a next one."""
    return json_answer(
        {
            "items": found[: query.limit],
            "total": total,
            "limit": query.limit,
            "offset": query.offset,
            "has_next": len(found) > query.limit,
            "has_prev": query.offset > 0,
            **more,
        }
    )
