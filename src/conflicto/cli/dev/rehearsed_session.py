"""A session with the examples of a type and scripted participants, made over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from conflicto.activity_types.model import ActivityType

BOTS = 12
DURATION_S = 7_200
API = "http://dev/api/v1"
CONTENT = ("config", "secret")


class NotRehearsed(Exception):
    """The server refused a step; the message is that of its problem."""


async def rehearse(app: Any, admin_token: str, known: ActivityType) -> dict[str, str]:  # noqa: ANN401 - an ASGI application
    """Prepare a session, and return the links of its pages.

    Raises:
        NotRehearsed: the server refuses the type's examples.
    """
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as client:
        session = await _send(client, "POST", "/sessions", admin_token, {"title": known.title})
        host, path = session["host_token"], f"/sessions/{session['id']}"
        await _send(client, "PATCH", path, host, {"status": "active"})
        for place, example in enumerate(known.examples):
            content: dict[str, Any] = {key: example[key] for key in CONTENT if key in example}
            body = content | {"type": known.name, "status": "draft" if place else "active"}
            await _send(client, "POST", f"{path}/activities", host, body)
        await _send(client, "POST", f"{path}/rehearsal", host, {"participants": BOTS, "seconds": DURATION_S})
    desk = f"/host/s/{session['id']}"
    return {
        "phone": f"/j/{session['join_code']}",
        "screen": f"/screen/{session['id']}#token={session['screen_token']}",
        "editor": f"{desk}#token={host}",
        "host": f"{desk}#token={host}",
        "report": f"{desk}/report#token={host}",
    }


async def _send(client: httpx2.AsyncClient, method: str, path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.request(method, f"{API}{path}", json=body, headers={"authorization": f"Bearer {token}"})
    found: dict[str, Any] = response.json()
    if not response.is_success:
        faults = [f"{each['pointer']} {each['message']}" for each in found.get("errors", ())]
        message = f"The session cannot be rehearsed. {found['detail']} {', '.join(faults)}".rstrip()
        raise NotRehearsed(message)
    return found
