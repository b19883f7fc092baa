"""`conflicto receipt`: a receipt is verified offline, with a key file, or against a server."""

import json
from pathlib import Path

import httpx2
import pytest

from conflicto.access.identity import load_identity
from conflicto.access.receipts import Deletion, Receipts
from conflicto.access.roles import Role
from conflicto.app import App
from conflicto.platform.clock import Clock
from tests.support.processes import environment, run, served


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, DATABASE_URL=database_url)


@pytest.fixture
def receipt(app: App) -> str:
    return signed(app)


def signed(app: App) -> str:
    deletion = Deletion()
    deletion.add("participants", [77120393345120])
    found = load_identity(app.platform.db, data_dir=app.platform.settings.data_dir, secret_key=None, admin_token="the-operator")
    return Receipts(found.receipt_key, found.issuer, Clock()).header(deletion)[1].decode()


def test_a_receipt_is_checked_from_stdin_and_from_a_file(receipt: str, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "receipt").write_text(receipt + "\n")
    for done in (
        run("receipt", "verify", str(tmp_path / "receipt"), env=env),
        run("receipt", "verify", "-", env=env, stdin=receipt),
    ):
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["deleted"] == {"participants": 1}


@pytest.mark.parametrize("way", ["payload", "signature", "cut", "empty", "token", "none", "long"])
def test_a_foreign_receipt_is_reported(app: App, receipt: str, env: dict[str, str], way: str) -> None:
    head, payload, signature = receipt.split(".")
    text = {
        "payload": f"{head}.{payload[:20]}{'A' if payload[20] != 'A' else 'B'}{payload[21:]}.{signature}",
        "signature": f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "cut": receipt[:-9],
        "empty": "",
        "token": app.domain.tokens.mint(Role.HOST, 1, version=1),
        "none": "eyJhbGciOiJub25lIiwidHlwIjoiZGVsZXRpb24tcmVjZWlwdCtqd3QifQ." + payload + ".",
        "long": "a" * 5_000,
    }[way]
    done = run("receipt", "verify", "-", env=env, stdin=text)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "The receipt is not valid." in done.stderr
    assert "Traceback" not in done.stderr


def test_ids_are_held_against_the_digest(receipt: str, env: dict[str, str], tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    ids.write_text("77120393345120\n")
    assert run("receipt", "verify", "-", "--ids", str(ids), env=env, stdin=receipt).exit_code == 0
    ids.write_text("77120393345121\n")
    done = run("receipt", "verify", "-", "--ids", str(ids), env=env, stdin=receipt)
    assert done.exit_code == 1
    assert "other ids" in done.stderr


async def test_earlier_receipts_outlive_the_key(app: App, receipt: str, env: dict[str, str]) -> None:
    rotated = run("receipt", "rotate", env=env)
    assert rotated.exit_code == 0, rotated.stderr
    later = signed(app)
    assert later.split(".")[0] != receipt.split(".", maxsplit=1)[0], "another key has another id"
    for text in (receipt, later):
        assert run("receipt", "verify", "-", env=env, stdin=text).exit_code == 0


def test_keys_come_from_a_server_or_a_file_and_no_others_do(tmp_path: Path) -> None:
    with served(tmp_path / "one") as one, served(tmp_path / "two") as two:
        made = one.call("POST", "/sessions", {"title": "Town hall"})
        answer = httpx2.delete(
            f"{one.url}/api/v1/sessions/{made['id']}", headers={"authorization": f"Bearer {made['host_token']}"}, trust_env=False
        )
        keys = tmp_path / "keys.json"
        keys.write_bytes(httpx2.get(f"{one.url}/.well-known/jwks.json", trust_env=False).content)
        text = answer.headers["deletion-receipt"]
        nowhere = environment(tmp_path / "nowhere")
        for named, code in ((one.url, 0), (str(keys), 0), (two.url, 1), (str(tmp_path / "none"), 3)):
            done = run("receipt", "verify", "-", "--keys", named, env=nowhere, stdin=text)
            assert done.exit_code == code, (named, done.stderr)
