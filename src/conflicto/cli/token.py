"""`conflicto token`: new tokens for the operator, and for a session's hosts and screens."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from conflicto.access.identity import ADMIN_FILE, links_since_s, renew_admin_token, signing_identity, write_admin_token
from conflicto.access.links import Scope
from conflicto.access.tokens import Tokens
from conflicto.cli.environment import EXIT_CODES_HELP, existing_database, prepared_database, settings_or_exit
from conflicto.platform.clock import Clock
from conflicto.platform.db.transaction import WriteTx
from conflicto.platform.instants import US_PER_S
from conflicto.sessions.links import NewLink, add_link_offline
from conflicto.sessions.queries import session_by_name

app = typer.Typer(help=f"Make tokens. {EXIT_CODES_HELP}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Session = Annotated[str, typer.Argument(metavar="SESSION", help="Id or join code.")]
Url = Annotated[str, typer.Option(help="Where people reach the server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsOwner = Annotated[bool, typer.Option("--owner", help="Of the owner, whom other hosts cannot lock out.")]
HERE = "http://127.0.0.1:8000"


@app.command()
def admin(url: Url = HERE, *, as_json: AsJson = False) -> None:
    """Create a new admin token and print it, once.

    The old one is valid until the server starts again. A file that holds it gets the new one.
    """
    settings = settings_or_exit()
    if settings.admin_token is not None:
        err.print("CONFLICTO_ADMIN_TOKEN is set, and a server with it takes that token alone: unset it first.")
        raise typer.Exit(2)
    with prepared_database(settings) as db:
        token = renew_admin_token(db)
    if (settings.data_dir / ADMIN_FILE).exists():
        write_admin_token(settings.data_dir, token)
    _print("admin", token, url, as_json=as_json)
    err.print("The token is stored hashed and shown only now. Start the server again: until then the old one holds.")


@app.command()
def host(session: Session, url: Url = HERE, *, owner: AsOwner = False, as_json: AsJson = False) -> None:
    """Create a link for a host of a session and print its token.

    Needs the server's settings (key, database); the host page lists the link.
    """
    _print("host", create_link_token(Scope.OWNER if owner else Scope.HOST, session)[1], url, as_json=as_json)


@app.command()
def screen(session: Session, url: Url = HERE, *, as_json: AsJson = False) -> None:
    """Create a link for a screen of a session; as for `host`."""
    _print("screen", create_link_token(Scope.SCREEN, session)[1], url, as_json=as_json)


def create_link_token(scope: Scope, named: str, *, name: str = "conflicto token", lifetime_s: int | None = None) -> tuple[int, str]:
    """Return a session's id and the token of a new link, or print what is missing and exit.

    A running server reads the link when the token is first used.
    """
    settings, clock = settings_or_exit(), Clock()
    with existing_database(settings) as db:
        session = db.query(session_by_name, named)
        issuer, key = signing_identity(db, data_dir=settings.data_dir, secret_key=settings.secret("secret_key"))
        tokens = Tokens(
            key, issuer, clock, max_days=settings.max_token_days, links_since_s=links_since_s(db, clock.wall_us() // US_PER_S)
        )
        with db.writer_connection() as connection, connection.begin():
            tx = WriteTx(connection, now_us=clock.wall_us(), heads={}, subscribers={})
            link = add_link_offline(tx, session.id, NewLink(scope, name=name, lifetime_s=lifetime_s or tokens.max_lifetime_s))
        end_s = link.expires_us // US_PER_S
        return session.id, tokens.mint(link.role, session.id, version=session.token_version, link=link.id, end_s=end_s)


def _print(role: str, token: str, url: str, *, as_json: bool) -> None:
    link = f"{url.rstrip('/')}/#{role}={token}"
    if as_json:
        print(json.dumps({"role": role, "token": token, "url": link}))
    else:
        out.print(f"Token:  {token}\nURL:    {link}", markup=False)
