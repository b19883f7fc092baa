import re
import secrets
from itertools import islice
from uuid import UUID

import pytest

from conflicto.platform.ids import opaque_names, ordered_uuids

AT_US = 1_764_000_000_123_456


def test_uuids_of_one_instant_differ_and_name_it() -> None:
    made = list(ordered_uuids(AT_US, 1_000))

    assert len(set(made)) == 1_000
    assert {(each.version, each.variant) for each in made} == {(7, UUID(int=1 << 63).variant)}
    assert {each.int >> 80 for each in made} == {AT_US // 1_000}


def test_uuids_of_a_later_microsecond_come_after() -> None:
    earlier, later = max(ordered_uuids(AT_US, 100)), min(ordered_uuids(AT_US + 1, 100))

    assert earlier < later


def test_names_without_end_request_randomness_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    token_bytes = secrets.token_bytes

    def counted(size: int) -> bytes:
        sizes.append(size)
        return token_bytes(size)

    monkeypatch.setattr(secrets, "token_bytes", counted)
    names = list(islice(opaque_names(12, batch_names=10), 25))

    assert len(set(names)) == 25
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", name) for name in names)
    assert sizes == [120, 120, 120]
