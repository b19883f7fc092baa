"""Messages between workers: what one sends, the other reads, errors and heads included."""

import importlib
import pkgutil

import pytest

import conflicto
from conflicto.platform.db.sequence import FeedHead
from conflicto.platform.peers.messages import (
    CommitMessage,
    ErrorFields,
    ForwardedCommand,
    HeadFields,
    Leaving,
    Message,
    Ping,
    Pong,
    Reply,
    Serving,
    decode_messages,
    encode_messages,
    error_reply,
    to_error,
)
from conflicto.platform.problems import DomainError, FieldError, Unavailable
from conflicto.responses.errors import ValidationOutdated
from tests.support.samples import activity

MESSAGES: list[Message] = [
    Serving("issuer", 1),
    Ping(),
    Pong(),
    Leaving(),
    ForwardedCommand(1, "submit", 7, b"item", b"keys", 0.5),
    Reply(1, b"value"),
    Reply(2, error=ErrorFields("x", None, (FieldError("/a", "b"),), 3, {"max": 4}, None)),
    CommitMessage([HeadFields(7, 1, 2, 3, 4, {"responses": 5})], [("ResponsesChanged", b"fields")]),
    CommitMessage([], None),
]


def error_classes(base: type[DomainError]) -> list[type[DomainError]]:
    return [base, *(found for each in base.__subclasses__() for found in error_classes(each))]


def test_messages_keep_their_kind_order_and_fields() -> None:
    assert decode_messages(encode_messages(MESSAGES)) == MESSAGES


def test_every_error_keeps_its_class_and_fields() -> None:
    for module in pkgutil.walk_packages(conflicto.__path__, "conflicto."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    named = [each for each in error_classes(DomainError) if hasattr(each, "code")]
    assert len(named) > 20
    for kind in named:
        error = kind.__new__(kind)
        DomainError.__init__(error, "Why.", errors=(FieldError("/a", "b"),), retry_after_s=2, extensions={"max": 1})
        (reply,) = decode_messages(encode_messages([error_reply(1, error)]))
        assert isinstance(reply, Reply)
        assert reply.error is not None
        again = to_error(reply.error)
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert str(again) == str(error)


def test_error_is_raised_like_a_local_one() -> None:
    reply = error_reply(1, Unavailable("later", retry_after_s=1))
    assert reply.error is not None
    with pytest.raises(Unavailable, match="later"):
        raise to_error(reply.error)


def test_error_with_attributes_of_its_own_stays_at_home() -> None:
    assert error_reply(3, ValidationOutdated(activity())) == Reply(3, is_local=True)


def test_head_keeps_the_position_of_its_lock() -> None:
    head = FeedHead(7, 10, 5, {"responses": 1}, own_ts=12)
    head.next_ts(20, control=False)
    again = HeadFields.of(head).head()
    assert (again.locked_ts, again.position, again.counts) == (12, 20, {"responses": 1})
    assert again == head
