import re
from pathlib import Path

import pytest

import conflicto


@pytest.mark.catalogue("F-18")
def test_no_commit_queues_for_the_one_lock_that_notifications_take() -> None:
    """Use no NOTIFY: PostgreSQL serialises transactions with one, across databases.

    Doorbells go by Redis or a sweep.
    """
    sources = list(Path(conflicto.__file__).parent.rglob("*.py"))
    assert len(sources) > 100
    assert [path.name for path in sources if re.search(r"\b(NOTIFY|LISTEN)\b|pg_notify", path.read_text(encoding="utf-8"))] == []
