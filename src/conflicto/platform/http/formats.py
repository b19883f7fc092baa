"""Types of strings in responses whose format the OpenAPI document declares: generated clients read them as types of their language."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC with six digits."""

Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""Id of an activity, response or link: the type that paths take."""
