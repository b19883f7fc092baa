"""Tests of the parts of a session's state."""

from unittest.mock import Mock

from conflicto.session_state.parts import StateLoad, StatePart


class Votes(StatePart):
    """A part that keeps no rows."""


def test_a_part_without_rows_loads_empty_and_reads_nothing() -> None:
    tx, head = Mock(), Mock()

    part = Votes.load(StateLoad(tx=tx, head=head))

    assert isinstance(part, Votes)
    assert part.bytes == 0
    assert part.handlers == {}
    assert Votes.read_remote(tx, head, 7) is None
    assert tx.mock_calls == []
