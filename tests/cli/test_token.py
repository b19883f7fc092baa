import json
from pathlib import Path

import pytest

from conflicto.access.identity import load_identity
from conflicto.access.tokens import matches
from conflicto.app import App
from tests.support.api import Api, make_event
from tests.support.processes import environment, run


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, DATABASE_URL=database_url)


@pytest.mark.parametrize(("role", "status"), [("host", 200), ("screen", 403)])
async def test_a_token_made_at_the_command_line_opens_the_running_session(
    api: Api, env: dict[str, str], role: str, status: int
) -> None:
    event = await make_event(api)

    by_id = json.loads(run("token", role, str(event.id), "--json", "--url", "https://live.example/", env=env).stdout)
    by_code = json.loads(run("token", role, event.code.lower(), "--json", env=env).stdout)

    assert by_id["url"] == f"https://live.example/#{role}={by_id['token']}"
    for made in (by_id, by_code):
        assert (await api.get(event.path, made["token"])).status_code == 200
        assert (await api.get(f"{event.path}/participants", made["token"])).status_code == status


@pytest.mark.parametrize("named", ["12345", "BCDF-GHJK", "town hall", "9" * 40])
def test_an_unknown_session_is_missing(env: dict[str, str], named: str) -> None:
    done = run("token", "host", named, env=env)

    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.strip()


async def test_a_new_admin_token_replaces_the_stored_one(app: App, env: dict[str, str], tmp_path: Path) -> None:
    del env["CONFLICTO_ADMIN_TOKEN"]

    done = run("token", "admin", "--json", env=env)

    made = json.loads(done.stdout)
    assert made["url"] == f"http://127.0.0.1:8000/#admin={made['token']}"
    assert "Start the server again" in done.stderr
    found = load_identity(app.platform.db, data_dir=tmp_path, secret_key=None, admin_token=None)
    assert matches(made["token"], found.admin_hash)
    assert found.admin_token is None


def test_an_admin_token_from_the_environment_is_not_shadowed_in_silence(env: dict[str, str]) -> None:
    done = run("token", "admin", env=env)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "CONFLICTO_ADMIN_TOKEN is set" in done.stderr
