"""`conflicto rehearse`: fills a session of a running server with scripted participants."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
import uvloop
from rich.console import Console

from conflicto.access.links import Scope
from conflicto.cli.environment import EXIT_UNUSABLE
from conflicto.cli.replay.client import RequestFailed, open_server
from conflicto.cli.token import HERE, create_link_token
from conflicto.platform.instants import S_PER_DAY

if TYPE_CHECKING:
    from conflicto.cli.replay.client import Server

POLL_INTERVAL_S = 1.0

TOKEN_LIFETIME_S = S_PER_DAY
"""Seconds for which the token of a rehearsal is valid."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """Options of a rehearsal; with `keep` its participants stay afterwards."""

    participants: int
    seconds: int
    language: str
    keep: bool


def rehearse(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Id or join code.")],
    participants: Annotated[int, typer.Option(help="How many come.", min=1, max=200)] = 30,
    seconds: Annotated[int, typer.Option(help="How long they answer what the host opens.", min=1, max=7200)] = 1800,
    language: Annotated[str, typer.Option(help="In which language they write.")] = "en",
    url: Annotated[str, typer.Option(help="The running server.")] = HERE,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave them and their answers in the session.")] = False,
) -> None:
    """Fill a session with scripted participants who answer while you try it as its host.

    At the end, or with Ctrl-C, they are removed with all their answers. Needs the server's settings
    (key, database).

    Exit codes: 0 done, 3 settings, database or server unusable, or the server refuses, 4 no such
    session.
    """
    session_id, token = create_link_token(Scope.HOST, session, name="conflicto rehearse", lifetime_s=TOKEN_LIFETIME_S)
    try:
        uvloop.run(_run_rehearsal(url, f"/sessions/{session_id}", token, RehearsalOptions(participants, seconds, language, keep)))
    except RequestFailed as error:
        err.print(str(error), markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None
    except KeyboardInterrupt:
        out.print("Ended.")


async def _run_rehearsal(url: str, path: str, token: str, options: RehearsalOptions) -> None:
    async with open_server(url, 1) as server:
        await server.check_reachable()
        body = {"participants": options.participants, "seconds": options.seconds, "language": options.language}
        await server.send_json("POST", f"{path}/rehearsal", body, token=token)
        try:
            await _print_progress(server, path, token)
        finally:
            if not options.keep:
                await server.send("DELETE", f"{path}/rehearsal", token=token)
                out.print("The scripted participants are gone, with all that they answered.")


async def _print_progress(server: Server, path: str, token: str) -> None:
    """Print changes until the rehearsal ends."""
    printed = ""
    while True:
        rehearsal: dict[str, Any] = msgspec.json.decode(await server.send("GET", f"{path}/rehearsal", token=token))
        status: dict[str, Any] = msgspec.json.decode(await server.send("GET", f"{path}/status", token=token))
        line = f"{rehearsal['participants']} scripted participants are in the session, which is {status['status']}."
        if rehearsal["skipped"]:
            line += " Nobody registered the type of the open activity: they repeat what others answer."
        if line != printed:
            out.print(line)
            printed = line
        if not rehearsal["is_playing"]:
            return
        await asyncio.sleep(POLL_INTERVAL_S)
