import asyncio

import pytest

from conflicto.session_state.notifier import Notifier, Subscriber
from tests.support.patience import PATIENCE_S


async def test_a_notification_before_the_wait_began_ends_it() -> None:
    bell, waiter = Notifier(), Subscriber(None)
    with bell.subscribed(waiter):
        bell.notify_now()
        await asyncio.wait_for(waiter.wait(), PATIENCE_S)


async def test_simultaneous_notifications_are_merged() -> None:
    bell, waiter = Notifier(), Subscriber(None)
    bell.subscribe(waiter)
    for _ in range(5):
        bell.notify()
    await asyncio.wait_for(waiter.wait(), PATIENCE_S)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiter.wait(), 0.1)


async def test_a_notifier_without_listeners_arms_nothing() -> None:
    bell, waiter = Notifier(), Subscriber(None)
    bell.notify()
    bell.subscribe(waiter)
    bell.unsubscribe(waiter)
    bell.notify_now()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiter.wait(), 0.1)


async def test_one_seat_is_woken_alone() -> None:
    bell, anna, bert = Notifier(), Subscriber(1), Subscriber(2)
    with bell.subscribed(anna), bell.subscribed(bert):
        bell.notify_participants({1})
        await asyncio.wait_for(anna.wait(), PATIENCE_S)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bert.wait(), 0.1)


async def test_many_are_woken_in_turns_and_others_come_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.session_state.notifier.MAX_WAKES_PER_TURN", 10)
    bell, waiters, order = Notifier(), [Subscriber(number) for number in range(35)], []

    async def one(waiter: Subscriber) -> None:
        await waiter.wait()
        order.append(waiter.participant_id)

    tasks = [asyncio.create_task(one(waiter)) for waiter in waiters]
    for waiter in waiters:
        bell.subscribe(waiter)
    await asyncio.sleep(0)
    bell.notify_now()
    turns = []
    while len(order) < len(waiters):
        await asyncio.sleep(0)
        turns.append(len(order))
    await asyncio.gather(*tasks)

    assert sorted(order) == list(range(35))
    assert all(after - before <= 10 for before, after in zip([0, *turns], turns, strict=False))


class Failing(Subscriber):
    """A subscriber that can neither prepare nor be woken."""

    __slots__ = ()

    def prepare(self) -> None:
        raise ArithmeticError

    wake = prepare


async def test_a_failing_subscriber_stops_no_other_and_no_later_notification() -> None:
    bell, failing, waiter = Notifier(), Failing(None), Subscriber(None)
    bell.subscribe(failing)
    bell.notify()
    bell.subscribe(waiter)
    for _ in range(2):
        await asyncio.wait_for(waiter.wait(), PATIENCE_S)
        bell.notify()
