"""Leases: one of several processes works, and one that overslept its lease does nothing."""

from collections.abc import Iterator

import pytest

from conflicto.platform.db.leases import claim, release
from conflicto.sessions.commands import delete_session
from conflicto.sessions.purge import Purger
from tests.support.kit import Kit, set_stage

LONG_S, PAST_S = 60.0, -1.0


@pytest.fixture
def other(database_url: str) -> Iterator[Kit]:
    made = Kit(database_url)
    yield made
    made.close()


def test_one_holds_it_until_it_expires_or_is_released(kit: Kit, other: Kit) -> None:
    assert kit.do(None, claim, "sweep", "a", LONG_S)
    assert not other.do(None, claim, "sweep", "b", LONG_S)
    assert other.do(None, claim, "something else", "b", LONG_S)
    assert kit.do(None, claim, "sweep", "a", PAST_S)
    assert other.do(None, claim, "sweep", "b", LONG_S)
    assert not kit.do(None, claim, "sweep", "a", LONG_S)
    kit.do(None, release, "sweep", "a")
    assert not kit.do(None, claim, "sweep", "a", LONG_S)
    other.do(None, release, "sweep", "b")
    assert kit.do(None, claim, "sweep", "a", LONG_S)


class Writing:
    """A writer with the parts that the purger needs."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def run(self, topic: object, command: object, *args: object) -> object:
        return self.kit.do(None, command, *args)


async def test_one_process_purges_while_another_holds_back(kit: Kit, other: Kit) -> None:
    stage = set_stage(kit, people=3)
    kit.do(stage.session_id, delete_session, stage.session_id, actor="test")
    removed: list[str] = []

    def step(name: str, rows: list[int]) -> object:
        def purge(tx: object, session_id: int, limit: int) -> int:
            removed.append(name)
            return rows.pop() if rows else 0

        return purge

    first = Purger(kit.db, Writing(kit), {"rows": step("first", [5, 5])})
    second = Purger(other.db, Writing(other), {"rows": step("second", [])})

    assert kit.do(None, first._chunk, first._steps["rows"], stage.session_id) == 5
    assert not await second._purge(stage.session_id)
    assert removed == ["first"]
    assert await first._purge(stage.session_id)
    assert "second" not in removed
    assert other.do(None, claim, "purge", second._owner, LONG_S)
