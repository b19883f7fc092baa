"""String types with a schema of their own in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC with six digits."""

Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""Id of an activity, response or link, as in paths."""

AS_TEXT = object()
"""Mark of members of bodies that the binder passes as JSON text."""

JsonText = Annotated[str, AS_TEXT, WithJsonSchema({})]
"""Any JSON, as its text: byte for byte what is stored."""

OptionalJsonText = Annotated[str | None, AS_TEXT, WithJsonSchema({})]
"""`JsonText` that may be absent; null is the text `null`."""
