"""Suite of capacity: growing numbers of participants on each transport.

The load generator runs on the same machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import open_files, servers
from bench.load_run import ANSWER_S, RunResult, is_offered
from bench.load_run import run_load as hold
from bench.report import Plot, Row, Section, Series, short
from bench.scenario import create_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.histogram import Percentiles
    from bench.scale import Scale

POLL_GOALS_MS = {5_000: 50, 20_000: 200}
ANSWER_GOALS_MS = {5_000: 1_000}
CARD = (
    "Participants",
    "Transport",
    "Poll answered, p50 / p99",
    "News reaches p50 / p99 / last",
    "Server memory",
    "Server CPU",
    "Errors",
)


def measure(scale: Scale) -> list[Section]:
    """Measure each size on each transport, each on a new server."""
    sizes, cut = _sizes(scale)
    visits: list[RunResult] = []
    missing: list[str] = []
    for transport in scale.transports:
        if not _is_offered(transport):
            missing.append(transport)
            continue
        visits += [_visit(transport, size, scale) for size in sizes]
    rows = [row for each in visits for row in _rows(each)]
    return [Section("Rooms", _about(scale, cut, missing), rows, _plots(visits), capacity(visits) if visits else ())]


def _sizes(scale: Scale) -> tuple[list[int], str]:
    """Return the sizes within the limit of open files, and a note about others."""
    most = open_files.max_connections()
    if most >= max(scale.rooms):
        return list(scale.rooms), ""
    reason = (
        f" This machine allows {open_files.raise_limit():,} open files to a process, so the largest room has {most:,} participants."
    )
    return [*(size for size in scale.rooms if size <= most), most], reason


def _is_offered(transport: str) -> bool:
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        scenario = create_scenario(server)
        scenario.join(1)
        answer = is_offered(scenario, transport)
        server.kill()
    return answer


def _visit(transport: str, people: int, scale: Scale) -> RunResult:
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        scenario = create_scenario(server)
        scenario.join(people)
        seen = hold(scenario, transport, quiet_s=scale.room_s)
        server.kill()
    return seen


def _rows(seen: RunResult) -> list[Row]:
    who = f"{seen.people:,} participants, {seen.transport}"
    rows: list[Row | None] = []
    if seen.transport == "poll":
        goal = next((ms for size, ms in POLL_GOALS_MS.items() if _is_size(seen.people, size)), None)
        rows.append(_row(f"{who}: polls", seen, "polls", goal, _load(seen)))
        rows.append(_row(f"{who}: polls while all answer", seen, "polls_meanwhile", None, {}))
    else:
        rows.append(_row(f"{who}: news", seen, "news", None, _load(seen)))
    goal = next((ms for size, ms in ANSWER_GOALS_MS.items() if _is_size(seen.people, size)), None)
    rows.append(_row(f"{who}: answers", seen, "answers", goal, {}))
    if seen.transport == "poll":
        rows.append(_row(f"{who}: news", seen, "news", None, {}))
    return [row for row in rows if row is not None]


def _is_size(people: int, size: int) -> bool:
    """Return whether a number of participants stands for a size.

    The largest may be smaller for lack of open files.
    """
    return 0.95 * size <= people <= size


def _row(measure: str, seen: RunResult, what: str, goal_ms: int | None, notes: dict[str, str]) -> Row | None:
    """Return a row, or None without measurements. The first row lists the errors."""
    figures = getattr(seen, what)
    if not figures.count and not notes:
        return None
    met = None if goal_ms is None else figures.p99 <= goal_ms and not seen.errors
    spread = {"p50": f"{figures.p50:.1f} ms", "p99.9": f"{figures.p999:.1f} ms", "max": f"{figures.largest:.0f} ms"}
    spread["count"] = f"{figures.count:,}"
    goal = "" if goal_ms is None else f"p99 ≤ {goal_ms:,} ms, no errors"
    return Row(measure + ", p99", Series([figures.p99], "ms"), goal=goal, met=met, notes=spread | notes)


def _load(seen: RunResult) -> dict[str, str]:
    return {
        "errors": _errors(seen),
        "server": f"{seen.server:.0%} of a core",
        "generator": f"{seen.client:.0%}, late by {seen.late.p99:.1f} ms at p99",
        "server memory": f"{seen.before_mib:.0f} → {seen.resident_mib:.0f} MiB ({seen.kib_each:.1f} KiB each)",
    }


def _errors(seen: RunResult) -> str:
    return ", ".join(f"{count:,} × {what}" for what, count in seen.errors.items()) or "none"


def _plots(visits: list[RunResult]) -> list[Plot]:
    polling = [each for each in visits if each.transport == "poll"]
    sizes = [f"{each.people:,}" for each in polling]
    percentiles = {"p50": "p50", "p99": "p99", "p99.9": "p999", "max": "largest"}
    series = {name: [_point(getattr(each.polls, field)) for each in polling] for name, field in percentiles.items()}
    plots = [
        Plot(
            "room-polls",
            "Answer to a poll, by participants polling every 2 s",
            sizes,
            series,
            "participants",
            "ms",
            logarithmic=True,
        )
    ]
    news = {
        transport: [_point(each.news.p99) for each in visits if each.transport == transport]
        for transport in dict.fromkeys(each.transport for each in visits)
    }
    plots.append(
        Plot("room-news", "From the host's click to 99 % of the participants", sizes, news, "participants", "ms", logarithmic=True)
    )
    return plots


def _point(ms: float) -> float | None:
    """Return a figure for a plot, or None without measurements."""
    return round(ms, 2) if ms else None


def capacity(visits: Sequence[RunResult]) -> list[list[str]]:
    """Return the capacity table: its columns, and a line for each number of participants."""
    transports = list(dict.fromkeys(each.transport for each in visits))
    by_size = {each.people: {other.transport: other for other in visits if other.people == each.people} for each in visits}
    columns = ["Participants", "Poll answered, p50 / p99", "Server CPU, polling"]
    for transport in transports:
        columns += [f"{transport}: news reaches p50 / p99", f"{transport}: server memory"]
    return [columns, *(_capacity_line(people, seen, transports) for people, seen in by_size.items())]


def _capacity_line(people: int, seen: dict[str, RunResult], transports: list[str]) -> list[str]:
    polling = seen.get("poll")
    line = [f"{people:,}"]
    line += [_pair(polling.polls), f"{polling.server:.0%}"] if polling else ["", ""]
    for transport in transports:
        visit = seen.get(transport)
        wrong = f"; {sum(visit.errors.values()):,} errors" if visit and visit.errors else ""
        line += (
            [f"{short(visit.news.p50)} / {short(visit.news.p99)} ms{wrong}", f"{visit.resident_mib:.0f} MiB"] if visit else ["", ""]
        )
    return line


def _pair(figures: Percentiles) -> str:
    return f"{short(figures.p50)} / {short(figures.p99)} ms" if figures.count else "never"


def _about(scale: Scale, cut: str, missing: list[str]) -> str:
    skipped = f" Not measured, since the server does not offer it yet: {', '.join(missing)}." if missing else ""
    return (
        "Everyone has a connection of their own. Polls come every 2 s ± 10 % with `If-None-Match`, and count from when they are due, not "
        f"from when they are sent. After {scale.room_s:.0f} s the host opens an activity and everyone answers within {ANSWER_S:.0f} s, "
        "over connections beside those; that all answers are stored is checked. “News” is the time from the host's request until a "
        "participant is told of the activity. SQLite, one server, its load generator on the same machine; the server's share of a core is "
        f"from before the activity.{cut}{skipped}"
    )
