"""Decoding of data-plane bodies and queries. The documented model explains invalid ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from pydantic import ValidationError

from conflicto.platform.http.problem_response import invalid_input
from conflicto.platform.problems import InvalidInput

if TYPE_CHECKING:
    from pydantic import BaseModel

    from conflicto.platform.http.messages import Request

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")


def decode_body(body: bytes, decoder: msgspec.json.Decoder[T], model: type[BaseModel]) -> T:
    """Return a checked body as the decoder's type.

    Raises:
        InvalidInput: it does not match. The errors come from `model`, which the OpenAPI document
            shows.
    """
    try:
        return decoder.decode(body or b"null")
    except msgspec.ValidationError as error:
        raise _explain(body, model) from error


def decode_query(request: Request, model: type[M]) -> M:
    """Return a request's query as the model that the OpenAPI document shows.

    Raises:
        InvalidInput: it does not match.
    """
    try:
        return model.model_validate({name: request.query(name) for name in request.query_names()})
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise invalid_input([{**each, "loc": ("query", *each["loc"])} for each in errors]) from error


def _explain(body: bytes, model: type[BaseModel]) -> InvalidInput:
    try:
        model.model_validate(msgspec.json.decode(body or b"null"))
    except ValidationError as error:
        return invalid_input(error.errors(include_url=False, include_context=False, include_input=False))
    return InvalidInput()
