import pytest

from conflicto.access import tickets
from conflicto.access.errors import TokenInvalid
from conflicto.access.tickets import UsedTickets
from tests.support.clocks import HandClock


async def test_a_ticket_is_valid_once_and_removed_after_it_expires() -> None:
    clock = HandClock()
    used = UsedTickets(clock)
    for name in ("a", "b"):
        await used.use(name)
        with pytest.raises(TokenInvalid):
            await used.use(name)
    clock.advance(30)
    await used.use("c")
    clock.advance(40)
    await used.use("d")

    assert set(used._used) == {"c", "d"}
    with pytest.raises(TokenInvalid):
        await used.use("c")


async def test_the_number_of_used_tickets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MAX_USED_TICKETS", 2)
    used = UsedTickets(HandClock())
    for name in ("a", "b", "c"):
        await used.use(name)

    assert set(used._used) == {"b", "c"}
