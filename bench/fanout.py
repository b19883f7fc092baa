"""Suite of the fan-out: one change reaches many streams and long-polls, beside nchan of nginx."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

from bench import nchan, open_files, servers
from bench.blocking_connection import PREFIX
from bench.client import request_bytes, send_once
from bench.participant_connections import END, tag_of
from bench.report import Row, Section, Series, paired_ratios
from bench.scenario import CONNECTIONS, create_scenario
from bench.stream_crowd import StreamCrowd, crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.scale import Scale
    from bench.scenario import Scenario
    from bench.servers import Server
    from bench.stream_crowd import Respond

CROWDS = {"full": (2_000, 10_000, 19_600)}
"""Numbers of streams by the name of the scale."""

SMALL_CROWDS = (2_000,)
"""Numbers of streams of other scales."""

SETTLE_S = 1.0
ANSWERING_SHARE = 0.1
"""Share of the seats that answer while the change is delivered."""

WAIT_S = 25
EVENTS = {"accept": "text/event-stream"}
GOALS = {"cpu": 1.0, "last": 1 / 1.5, "memory": 10 / 6}
"""Goals as nchan's figure divided by ours, so that higher is better."""


@dataclass(slots=True)
class Deliveries:
    """Figures of one side, run by run. `kib` is the memory of an idle connection."""

    kib: float = 0.0
    cpu_us: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    last_ms: list[float] = field(default_factory=list)


def measure(scale: Scale) -> list[Section]:
    """Measure each size, once in an idle room and once in a room that answers."""
    rows: list[Row] = []
    for wanted in CROWDS.get(scale.name, SMALL_CROWDS):
        size = min(wanted, open_files.max_connections())
        with servers.scratch() as folder:
            rows += _streams(folder, size, scale.rounds)
        with servers.scratch() as folder:
            rows += _long_polls(folder, size, scale.rounds)
    return [Section("Fan-out", _about(), rows)]


def _about() -> str:
    peer = "nchan sends the same bytes, published by one request" if nchan.is_installed() else "nchan is not installed"
    return (
        "Participants each hold one stream and the host edits the title of an activity. Processor time of the server counts the "
        f"whole request. In a busy room everyone has answered, and {ANSWERING_SHARE:.0%} answer meanwhile. {peer}."
    )


def _long_polls(folder: Path, size: int, rounds: int) -> list[Row]:
    """Hold a long-poll for each participant, who asks again after each response."""
    found = Deliveries()
    with pinned(folder) as server, crowd() as phones:
        scenario = create_scenario(server)
        scenario.join(size)
        path = f"{PREFIX}{scenario.path}/status"
        tokens = [token for _, token in scenario.seats]
        phones.open(server.port, [request_bytes("GET", path, token=token) for token in tokens])
        asks = {
            number: request_bytes("GET", f"{path}?wait={WAIT_S}", token=token).removesuffix(END)
            for number, token in zip(phones.sockets, tokens, strict=True)
        }

        def ask_again(number: int, data: bytes) -> bytes:
            return asks[number] + b"\r\nif-none-match: " + tag_of(data) + END

        change = partial(rename, scenario)
        tag = tag_of(first_response(server, path, tokens[0]))
        for number, file in phones.sockets.items():
            file.sendall(asks[number] + b"\r\nif-none-match: " + tag + END)
        time.sleep(SETTLE_S)
        for number in range(rounds):
            deliver(found, phones, server, change, f"Title {number}", words=b" 200 OK", respond=ask_again)
            time.sleep(SETTLE_S)
        server.kill()
    return [
        Row(
            f"{size:,} long-polls: from the host's request to the last one",
            Series(found.last_ms, "ms"),
            key=f"fanout-{size}-polls-last",
        ),
        Row(f"{size:,} long-polls: processor time of one, asked again", Series(found.cpu_us, "µs"), key=f"fanout-{size}-polls-cpu"),
    ]


def _streams(folder: Path, size: int, rounds: int) -> list[Row]:
    ours, busy = _ours(folder, size, rounds)
    theirs = _theirs(folder, size, rounds) if nchan.is_installed() else Deliveries()
    return [*_rows(f"{size:,} streams", f"fanout-{size}", ours, theirs), *_busy_rows(size, ours, busy)]


def _ours(folder: Path, size: int, rounds: int) -> tuple[Deliveries, Deliveries]:
    """Measure our server in an idle room, and in a busy one."""
    idle, busy = Deliveries(), Deliveries()
    with pinned(folder) as server, crowd() as streams:
        scenario = create_scenario(server)
        scenario.join(size)
        activity = scenario.open_activity("many")
        idle.kib = opened(streams, server, [events(scenario, token) for _, token in scenario.seats])
        change = partial(edit, scenario, activity)
        for number in range(rounds):
            deliver(idle, streams, server, change, f"Title {number} of the idle room")
        everyone = scenario.answers(activity, [token for _, token in scenario.seats])
        send_once(server.port, everyone, connections=CONNECTIONS).expect(201)
        for number in range(rounds):
            with answering(scenario, activity, number):
                deliver(busy, streams, server, change, f"Title {number} of the busy room")
        server.kill()
    return idle, busy


def _theirs(folder: Path, size: int, rounds: int) -> Deliveries:
    """Measure nchan afterwards: the usual limit of files does not allow both crowds at once."""
    found = Deliveries()
    with servers.on_core(-1), nchan.nchan(folder) as server, crowd() as streams:
        found.kib = opened(streams, server, [nchan.REQUEST] * size)
        for number in range(rounds):
            deliver(found, streams, server, partial(publish, server, number), f"Title {number} of the idle room")
        server.kill()
    return found


@contextmanager
def pinned(folder: Path) -> Iterator[Server]:
    """Serve on the last core, so that the client has another."""
    with servers.on_core(-1), servers.conflicto(folder) as server:
        yield server


def opened(streams: StreamCrowd, server: Server, requests: list[bytes]) -> float:
    """Open a connection for each request. Return the memory of one, in KiB."""
    before_kib = pss_kib(server)
    streams.open(server.port, requests)
    time.sleep(SETTLE_S)
    return (pss_kib(server) - before_kib) / len(requests)


def deliver(
    found: Deliveries,
    streams: StreamCrowd,
    server: Server,
    change: Callable[[str], None],
    title: str,
    *,
    words: bytes = b"",
    respond: Respond | None = None,
) -> None:
    """Make one change, and wait until every connection has received it, or other words."""
    cpu_s, began_s = cpu(server), perf_counter()
    request = Thread(target=change, args=(title,))
    request.start()
    first_s, last_s = streams.wait_for(words or title.encode(), respond)
    request.join()
    found.cpu_us.append((cpu(server) - cpu_s) / len(streams.sockets) * 1e6)
    found.first_ms.append((first_s - began_s) * 1000)
    found.last_ms.append((last_s - began_s) * 1000)


@contextmanager
def answering(scenario: Scenario, activity: str, number: int) -> Iterator[None]:
    """Let a tenth of the seats answer meanwhile, another tenth each time."""
    every = round(1 / ANSWERING_SHARE)
    tokens = [token for _, token in scenario.seats[number % every :: every]]
    requests = scenario.answers(activity, tokens)
    sending = Thread(target=lambda: send_once(scenario.server.port, requests, connections=16).expect(201))
    sending.start()
    yield
    sending.join()


def events(scenario: Scenario, token: str) -> bytes:
    """Return the request for a stream."""
    return request_bytes("GET", f"{PREFIX}{scenario.path}/events", token=token, headers=EVENTS)


def edit(scenario: Scenario, activity: str, title: str) -> None:
    """Edit the title of the activity as the host."""
    with scenario.server.connect(scenario.host) as line:
        line.call("PATCH", f"{scenario.path}/activities/{activity}", {"title": title})


def rename(scenario: Scenario, title: str) -> None:
    """Rename the session, which changes its status."""
    with scenario.server.connect(scenario.host) as line:
        line.call("PATCH", scenario.path, {"title": title})


def first_response(server: Server, path: str, token: str) -> bytes:
    """Return the head of a status without a condition."""
    with server.connect(token) as line:
        line.send(request_bytes("GET", path, token=token))
        return line.last_head + END


def publish(peer: Server, number: int, title: str) -> None:
    """Publish bytes of the same length through nchan."""
    item = {"entity": "activity", "id": number, "data": {"title": title, "padding": "x" * 700}}
    with peer.connect(None) as line:
        line.send(request_bytes("POST", nchan.PUBLISH, body=item))


def cpu(server: Server) -> float:
    """Return the processor time of a process in seconds, in nanoseconds' resolution."""
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def pss_kib(server: Server) -> float:
    """Return the proportional memory of a process."""
    lines = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("Pss:")).split()[1])


def _rows(who: str, key: str, ours: Deliveries, theirs: Deliveries) -> list[Row]:
    measures = (
        ("cpu", "processor time of one event", ours.cpu_us, theirs.cpu_us, "µs"),
        ("last", "from the host's request to the last stream", ours.last_ms, theirs.last_ms, "ms"),
        ("memory", "memory of an idle stream", [ours.kib], [theirs.kib], "KiB"),
    )
    return [_row(f"{who}: {what}", f"{key}-{name}", GOALS[name], mine, other, unit) for name, what, mine, other, unit in measures]


def _row(measure: str, key: str, goal: float, mine: list[float], other: list[float], unit: str) -> Row:
    if not other or not all(other):
        return Row(measure, Series(mine, unit), key=key)
    ratio = paired_ratios(other, mine)
    return Row(
        measure,
        Series(mine, unit),
        Series(other, unit),
        ceiling=ratio,
        goal=f"≥ {goal:.2f} of nchan",
        met=ratio.middle >= goal,
        key=key,
    )


def _busy_rows(size: int, idle: Deliveries, busy: Deliveries) -> list[Row]:
    who = f"{size:,} streams, busy room"
    return [
        Row(f"{who}: from the host's request to the last stream", Series(busy.last_ms, "ms"), Series(idle.last_ms, "ms"),
            key=f"fanout-{size}-busy-last"),
        Row(f"{who}: processor time of one event, answers included", Series(busy.cpu_us, "µs"), Series(idle.cpu_us, "µs"),
            key=f"fanout-{size}-busy-cpu"),
    ]  # fmt: skip
