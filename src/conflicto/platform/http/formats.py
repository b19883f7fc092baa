"""String types with a format in the OpenAPI document, which generated clients convert."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC with six digits."""

Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""Id of an activity, response or link, as in paths."""
