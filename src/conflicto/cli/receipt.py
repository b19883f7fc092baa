"""`conflicto receipt`: verify receipts of deletions, and renew the key that signs them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx2
import msgspec
import typer
from rich.console import Console

from conflicto.access.errors import ReceiptInvalid
from conflicto.access.http import KEYS_PATH
from conflicto.access.identity import receipt_key, receipt_public_keys
from conflicto.access.receipts import MAX_RECEIPT_CHARS, digest_of, kid_of, public_text, verify_receipt
from conflicto.cli.environment import (
    EXIT_CODES_HELP,
    EXIT_DIFFERENT,
    EXIT_UNUSABLE,
    EXIT_USAGE,
    existing_database,
    prepared_database,
    settings_or_exit,
)

app = typer.Typer(help=f"Check receipts of deletions. {EXIT_CODES_HELP}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

TIMEOUT_S = 10.0
MAX_KEYS_BYTES = 1_000_000

Receipt = Annotated[
    str, typer.Argument(metavar="FILE|-", help="File that holds the value of `Deletion-Receipt`; - reads it from stdin.")
]
Keys = Annotated[
    str | None,
    typer.Option(help="Address of the server that signed, or a file with its JWK Set. Without it: the database of these settings."),
]
Ids = Annotated[Path | None, typer.Option(help="File with the ids that should have gone, a line each; compared with the digest.")]


@app.command()
def verify(receipt: Receipt, keys: Keys = None, ids: Ids = None) -> None:
    """Check that a receipt is complete and signed by this installation, and print it.

    Exits with 1 if it is not.
    """
    text = _text(receipt)
    try:
        payload = verify_receipt(text, _keys(keys))
    except ReceiptInvalid as error:
        err.print(f"The receipt is not valid. {error}", markup=False)
        raise typer.Exit(EXIT_DIFFERENT) from None
    print(json.dumps(payload, ensure_ascii=False))
    if ids is not None and digest_of(_lines(ids)) != payload.get("ids_sha256"):
        err.print("The receipt is valid, but it is about other ids than those of the file.")
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def rotate() -> None:
    """Create a new key for receipts, used after the servers start again.

    Earlier receipts stay valid, because the public half of every key is kept.
    """
    settings = settings_or_exit()
    with prepared_database(settings) as db:
        key = receipt_key(db, data_dir=settings.data_dir, renew=True)
    out.print(f"Receipts are signed with {kid_of(public_text(key))} after the next start.", markup=False)


def _text(path: str) -> str:
    """Return a receipt from a file or stdin, at most the longest valid one."""
    if path == "-":
        return sys.stdin.read(MAX_RECEIPT_CHARS + 1).strip()
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_RECEIPT_CHARS + 1).strip()
    except OSError as error:
        err.print(f"{path} cannot be read: {error.strerror}.", markup=False)
        raise typer.Exit(EXIT_USAGE) from None


def _lines(path: Path) -> set[str]:
    try:
        return {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}
    except (OSError, UnicodeDecodeError):
        err.print(f"{path} cannot be read as text.", markup=False)
        raise typer.Exit(EXIT_USAGE) from None


def _keys(source: str | None) -> dict[str, str]:
    """Return public keys by id: from a URL, a file, or the database."""
    if source is None:
        settings = settings_or_exit()
        with existing_database(settings) as db:
            return db.query(receipt_public_keys)
    try:
        body = _fetched(source) if source.startswith(("http://", "https://")) else Path(source).read_bytes()
        return {each["kid"]: each["x"] for each in _key_set(body)}
    except (OSError, httpx2.HTTPError, msgspec.DecodeError, LookupError, TypeError) as error:
        err.print(f"No keys could be read from {source}: {type(error).__name__}.", markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None


def _fetched(url: str) -> bytes:
    response = httpx2.get(url.rstrip("/") + KEYS_PATH, timeout=TIMEOUT_S)
    response.raise_for_status()
    return response.content


def _key_set(body: bytes) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = msgspec.json.decode(body[:MAX_KEYS_BYTES])["keys"]
    return [each for each in keys if each.get("crv") == "Ed25519"]
