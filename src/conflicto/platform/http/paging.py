"""Paging of lists: queries (`limit`, `cursor`, `offset`) and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from msgspec import Raw
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from conflicto.platform.http.list_cursors import decode_cursor, encode_cursor, next_link
from conflicto.platform.http.messages import NO_STORE, Response, encode, json_response
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conflicto.platform.http.list_cursors import Key
    from conflicto.platform.http.messages import Request

T = TypeVar("T")

MAX_OFFSET_ROWS = 10_000
"""Largest offset. A list skips items one by one, but a cursor skips none."""

MAX_PAGE_BYTES = MIB
"""Size of the items of one page as JSON. A single item may be larger."""

OF_SERVER = "The installation's id. Every problem document that the server itself wrote holds it."
SERVER_EXAMPLE = "k3q7mz2p4d"
CURSOR_EXAMPLE = "kwHECMdYVyZ3ZHqdkc8ABkS5zTwbQA"


class StrictModel(BaseModel):
    """Base of every body and query, which refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def optional_field(description: str | None = None) -> Any:  # noqa: ANN401 - the default of a field of any type
    """Return the default of a PATCH field that is optional but not nullable."""
    return Field(default_factory=lambda: None, description=description)


class PageQuery(StrictModel):
    """Part of a list."""

    max_offset_rows: ClassVar[int] = MAX_OFFSET_ROWS

    limit: int = Field(100, ge=1, le=1000, description="Items on the page.")
    offset: int = Field(
        0,
        ge=0,
        json_schema_extra={"maximum": MAX_OFFSET_ROWS},
        description=f"Items before the page, at most {MAX_OFFSET_ROWS:,}. Larger lists are read with `cursor`.",
    )
    cursor: str | None = Field(
        None,
        description="The `next_cursor` of the page before, with the same filters and no `offset`.",
    )

    @field_validator("offset")
    @classmethod
    def _require_small_offset(cls, offset: int) -> int:
        if offset > cls.max_offset_rows:
            raise ValueError(f"must be at most {cls.max_offset_rows}; go on with `cursor`, the next_cursor of the page before")
        return offset

    @model_validator(mode="after")
    def _require_cursor_or_offset(self) -> PageQuery:
        if self.cursor is not None and self.offset:
            raise ValueError("takes either `cursor` or `offset`, not both")
        return self


def example(**fields: Any) -> ConfigDict:  # noqa: ANN401 - any JSON
    """Return the configuration of a model with one example for the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def page_example(item: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a list model with one example item."""
    return example(items=[item], total=2, limit=1, offset=0, has_next=True, has_prev=False, next_cursor=CURSOR_EXAMPLE)


class PageOut(BaseModel):
    """A part of a list. `total` is null for filtered lists: nothing is counted at read time.

    `offset` is null on a page after a cursor; `next_cursor` is null on the last page.
    `limit` is the requested one, or the number of items of a page that ended early because they
    are large.
    """

    has_next_link: ClassVar[bool] = True

    items: list[Any]
    total: int | None
    limit: int
    offset: int | None
    has_next: bool
    has_prev: bool
    next_cursor: str | None


def after_key(request: Request, query: PageQuery, *kinds: type) -> Any:  # noqa: ANN401 - a tuple of `kinds`
    """Return the key after which the page begins, None for the first page.

    Raises:
        InvalidInput: the cursor does not belong to this list.
    """
    return None if query.cursor is None else decode_cursor(request, query.cursor, kinds)


def page_response(
    request: Request, query: PageQuery, rows: Sequence[T], total: int | None, *, show: Callable[[T], object], key: Callable[[T], Key],
    is_cut: bool = False, **more: int,
) -> Response:  # fmt: skip
    """Return a page of a list with `more` members.

    `rows` has up to one row more than the page, which shows that there is a next page. A page ends
    before the item that would make it larger than `MAX_PAGE_BYTES`. `is_cut`: further rows were not
    read because of their size.
    """
    items = _fitting(map(show, rows[: query.limit]))
    has_next = is_cut or len(rows) > len(items)
    cursor = encode_cursor(request, key(rows[len(items) - 1])) if has_next else None
    is_short = has_next and len(items) < query.limit
    body = {
        "items": items,
        "total": total,
        "limit": len(items) if is_short else query.limit,
        "offset": query.offset if query.cursor is None else None,
        "has_next": has_next,
        "has_prev": query.offset > 0 or query.cursor is not None,
        "next_cursor": cursor,
        **more,
    }
    return json_response(body, headers=(NO_STORE, *(((b"link", next_link(request, cursor)),) if cursor else ())))


def _fitting(items_out: Iterable[object]) -> list[Raw]:
    """Return the first items as JSON that fit on a page, at least one."""
    items: list[Raw] = []
    bytes_left = MAX_PAGE_BYTES
    for each in items_out:
        encoded = encode(each)
        bytes_left -= len(encoded)
        if items and bytes_left < 0:
            break
        items.append(Raw(encoded))
    return items
