"""Two events on a server in its own process, and the values of placeholders there."""

from tests.support.processes import ADMIN, Served


def names_of(server: Served) -> dict[bytes, bytes]:
    """Create two events with a seat and a response each, and return the placeholders' values."""
    names = {b"@admin@": ADMIN.encode(), b"@ticket@": b"x"}
    for prefix in ("", "victim_"):
        event = server.call("POST", "/sessions", {"title": "Town hall"})
        path, host = f"/sessions/{event['id']}", event["host_token"]
        server.call("PATCH", path, {"status": "active"}, token=host)
        poll = server.call(
            "POST", f"{path}/activities", {"type": "lunch", "status": "active", "response_policy": "many"}, token=host
        )
        seat = server.call("POST", f"{path}/join", {"nickname": "Anna", "code": event["join_code"]})
        token = seat["participant_token"]
        sent = server.call("POST", f"{path}/activities/{poll['id']}/responses", {"response_data": 1}, token=token)
        known = {
            "session": event["id"], "activity": poll["id"], "participant": seat["participant_id"], "response": sent["id"],
            "host": host, "screen": event["screen_token"], "seat": token, "code": event["join_code"],
        }  # fmt: skip
        names |= {f"@{prefix}{name}@".encode(): str(value).encode() for name, value in known.items()}
    return names
