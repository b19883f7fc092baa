"""A listener that notes every connection and every datagram that reaches it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Sink:
    """Ports that nobody should use, and what arrived there."""

    url: str
    stun: str
    received: list[str] = field(default_factory=list)


@contextmanager
def sink() -> Iterator[Sink]:
    """Yield a listener on free ports of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        made = Sink(f"http://127.0.0.1:{tcp.getsockname()[1]}", f"127.0.0.1:{udp.getsockname()[1]}")
        for listen in (_listen_to_connections, _listen_to_datagrams):
            threading.Thread(target=listen, args=(tcp if listen is _listen_to_connections else udp, made), daemon=True).start()
        yield made


def _listen_to_connections(tcp: socket.socket, made: Sink) -> None:
    with suppress(OSError):
        while True:
            connection, _ = tcp.accept()
            made.received.append("connection")
            connection.close()


def _listen_to_datagrams(udp: socket.socket, made: Sink) -> None:
    with suppress(OSError):
        while True:
            made.received.append(f"datagram {udp.recvfrom(200)[0]!r}")
