"""Authority: operations of the operator alone, and the links that carry the roles of a session."""

from tests.support.api import Api, make_event
from tests.support.checks import accepted, refused


async def test_only_the_operator_makes_sessions_and_hosts_are_told_what_to_do(api: Api) -> None:
    event = await make_event(api)
    for token in (event.host, event.screen, (await event.join()).token):
        for path in (f"{event.path}/duplicate", "/sessions"):
            problem = refused(await api.post(path, {"title": "Mine"}, token=token), 403, "operator-only")
            assert "operator" in problem["detail"]
            assert "/host" in problem["detail"]
    assert accepted(await api.get("/sessions", token=api.admin))["total"] == 1
