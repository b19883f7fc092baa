from conflicto.platform.db.group import Committed
from conflicto.platform.event_bus import EventBus, RemoteCommits


class Started:
    """An event."""


class Ended:
    """Another event."""


def test_handlers_of_a_commit_run_before_those_of_its_events_and_in_their_order() -> None:
    bus, received = EventBus(), list[object]()
    bus.subscribe(Ended, lambda _: received.append("ended"))
    bus.subscribe(Started, lambda _: received.append("started"))
    bus.subscribe(Started, lambda _: received.append("started, second"))
    bus.subscribe(Committed, lambda commit: received.append(len(commit.events)))

    bus.publish(Committed([Started(), Ended(), object()], {}))

    assert received == [3, "started", "started, second", "ended"]


def test_commits_of_other_processes_are_distinguished_and_their_events_are_not() -> None:
    bus, received = EventBus(), list[object]()
    bus.subscribe(Committed, received.append)
    bus.subscribe(RemoteCommits, lambda commits: received.append(commits.position))
    bus.subscribe(Started, lambda _: received.append("started"))

    bus.publish(RemoteCommits([Started()], 17))

    assert received == [17, "started"]


def test_handlers_inside_the_transaction_do_not_run_after_the_commit() -> None:
    bus, received = EventBus(), list[object]()
    bus.subscribe_in_transaction(Started, lambda tx, event: received.append(event))

    bus.publish(Committed([Started()], {}))

    assert received == []
    assert {each: len(handlers) for each, handlers in bus.in_transaction.items()} == {Started: 1}
