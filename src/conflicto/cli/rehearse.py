"""`conflicto rehearse`: fill a session of a running server with scripted participants, and clear it again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
import uvloop
from rich.console import Console

from conflicto.access.links import Scope
from conflicto.cli.environment import UNUSABLE
from conflicto.cli.replay.client import Refused, connected
from conflicto.cli.token import HERE, minted

if TYPE_CHECKING:
    from conflicto.cli.replay.client import Server

LOOK_S = 1.0

LINK_LIFE_S = 86_400
"""Seconds for which the token of a rehearsal is good."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rehearsal as it was asked for; `keep`: who came stays when it is over."""

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
    """Fill a session with scripted participants who answer as a room would, while you go through it as its host.

    At the end, or with Ctrl-C, they are removed with everything that they answered. Needs the server's settings (key, database).

    Exit codes: 0 done, 3 settings, database or server unusable, or the server refuses, 4 no such session.
    """
    session_id, token = minted(Scope.HOST, session, name="conflicto rehearse", life_s=LINK_LIFE_S)
    try:
        uvloop.run(_rehearsed(url, f"/sessions/{session_id}", token, Wanted(participants, seconds, language, keep)))
    except Refused as error:
        err.print(str(error), markup=False)
        raise typer.Exit(UNUSABLE) from None
    except KeyboardInterrupt:
        out.print("Ended.")


async def _rehearsed(url: str, path: str, token: str, wanted: Wanted) -> None:
    async with connected(url, 1) as server:
        await server.greet()
        body = {"participants": wanted.participants, "seconds": wanted.seconds, "language": wanted.language}
        await server.send_json("POST", f"{path}/rehearsal", body, token=token)
        try:
            await _watched(server, path, token)
        finally:
            if not wanted.keep:
                await server.send("DELETE", f"{path}/rehearsal", token=token)
                out.print("The scripted participants are gone, with all that they answered.")


async def _watched(server: Server, path: str, token: str) -> None:
    """Say what changes until nobody plays any more."""
    said = ""
    while True:
        stage: dict[str, Any] = msgspec.json.decode(await server.send("GET", f"{path}/rehearsal", token=token))
        status: dict[str, Any] = msgspec.json.decode(await server.send("GET", f"{path}/status", token=token))
        line = f"{stage['participants']} scripted participants are in the session, which is {status['status']}."
        if stage["skipped"]:
            line += " Nobody registered the type of the open activity: they repeat what others answer."
        if line != said:
            out.print(line)
            said = line
        if not stage["is_playing"]:
            return
        await asyncio.sleep(LOOK_S)
