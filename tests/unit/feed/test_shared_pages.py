"""Unit tests of the stored form of shared pages, which workers of two versions read."""

import json

from conflicto.feed.shared_pages import _decode_page, _encode_page

STORED = b'{"items":[{"a":1}],"stamps":[7],"since":5,"cursor":7,"has_more":false,"closed":false,"clamped":true}'
"""A page as version 0.1.0 stores it in Redis."""


def test_pages_are_stored_with_their_permanent_names() -> None:
    page = _decode_page(STORED)

    assert [bytes(item) for item in page.items] == [b'{"a":1}']
    assert list(page.timestamps) == [7]
    assert (page.since, page.cursor, page.has_more, page.closed, page.clamped) == (5, 7, False, False, True)
    assert json.loads(_encode_page(page)) == json.loads(STORED)
