"""Request and response bodies of faults of views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, StrictInt, StrictStr, StringConstraints

from conflicto.activities.schemas import TypeName, TypeVersion
from conflicto.platform.http.paging import StrictModel, example
from conflicto.platform.http.text_patterns import text_pattern

if TYPE_CHECKING:
    from conflicto.activities.view_faults.model import ViewFault

EXAMPLE: dict[str, Any] = {
    "type": "mood", "version": "1", "view": "participant", "error": "TypeError", "message": "no faces", "file": "participant.js", "line": 4,
}  # fmt: skip


class ViewFaultIn(StrictModel):
    """A fault of a view with its place."""

    model_config = example(**EXAMPLE)

    type: TypeName
    version: TypeVersion
    view: Annotated[StrictStr, text_pattern(r"^[a-z]{1,20}$", "must be up to 20 lower-case letters, such as screen")] = Field(
        description="View that this version of the type has."
    )
    error: Annotated[StrictStr, text_pattern(r"^[A-Za-z]{1,40}$", "must be up to 40 letters, such as TypeError")] = Field(
        description="Name of the error's class; one that neither ECMAScript nor the DOM defines counts as `Error`."
    )
    message: Annotated[StrictStr, StringConstraints(max_length=300)] = Field("", description="For the host; never logged.")
    file: Annotated[
        StrictStr,
        text_pattern(
            r"^[A-Za-z0-9_\-][A-Za-z0-9_\-/]{0,95}\.js$",
            "must be the path of a module, of letters, digits, - _ and /, such as parts/face.js",
        ),
    ] = Field(description="Module in the type's folder `ui`; any other one counts as the view's own, at an unknown line.")
    line: StrictInt = Field(0, ge=0, le=1_000_000, description="0: unknown, as is a line that the file does not have.")


class ViewFaultOut(BaseModel):
    """A fault of a view, with the number of pages that reported it."""

    model_config = example(**EXAMPLE, pages=12)

    type: str
    version: str
    view: str
    error: str
    message: str = Field(description="Message of the first report.")
    file: str
    line: int
    pages: int = Field(description="Phones, or screens, that reported the fault.")


class ViewFaultsOut(BaseModel):
    """The faults of views that pages of a session reported to this server."""

    model_config = example(items=[EXAMPLE | {"pages": 12}])

    items: list[ViewFaultOut]


def view_fault_out(fault: ViewFault) -> dict[str, Any]:
    """Return a fault as the host reads it."""
    return {**fault.place._asdict(), "message": fault.message, "pages": fault.pages}
