"""Unit tests: the crowd of streams, against a server that answers and then sends twice."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import pytest

from bench import stream_crowd
from bench.client import BenchmarkError
from bench.stream_crowd import crowd

CLIENTS = 3


def serve(listener: socket.socket, *parts: bytes) -> None:
    """Answer each client, wait for a second request of all, and send the parts to each."""
    with ExitStack() as stack:
        clients = [stack.enter_context(listener.accept()[0]) for _ in range(CLIENTS)]
        for client in clients:
            client.recv(100)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for client in clients:
            client.recv(100)
            for part in parts:
                client.sendall(part)
        for client in clients:
            client.recv(100)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def test_words_are_found_across_parts_and_answered(listener: socket.socket) -> None:
    serving = Thread(target=serve, args=(listener, b"data: new", b"s\n\n"))
    serving.start()
    with crowd() as streams:
        streams.open(listener.getsockname()[1], [b"GET"] * CLIENTS)
        for number in streams.sockets:
            streams.sockets[number].sendall(b"next")
        first_s, last_s = streams.wait_for(b"news", lambda _, data: data[-1:])
        assert first_s <= last_s
    serving.join()


def test_news_that_never_come_are_an_error(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_crowd, "WITHIN_S", 0.05)
    serving = Thread(target=serve, args=(listener,))
    serving.start()
    with crowd() as streams:
        streams.open(listener.getsockname()[1], [b"GET"] * CLIENTS)
        with pytest.raises(BenchmarkError):
            streams.wait_for(b"news")
    serving.join()
