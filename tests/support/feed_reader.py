"""Clients of the feed: they page, store what they read, and fold it into a state."""

from typing import Any

import httpx2

from tests.support.api import Api

PAGE_KEYS = {"items", "since", "count", "cursor", "has_more", "epoch", "closed"}


async def page(api: Api, path: str, since: str, token: str, limit: int | None = None) -> dict[str, Any]:
    """Return a page after the checks that hold for all pages."""
    answer = await api.get(f"{path}/since/{since}" + (f"?limit={limit}" if limit else ""), token=token)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) - {"clamped"} == PAGE_KEYS
    assert body["count"] == len(body["items"]) <= (limit or 100)
    assert len(body["cursor"]) == 16
    assert body["cursor"].isdecimal()
    assert body["cursor"] >= body["since"]
    check_headers(answer, f"/api/v1{path}/since/", body["cursor"])
    stamps = [item["updated_at"] for item in body["items"]]
    assert stamps == sorted(set(stamps))
    return body


def check_headers(answer: httpx2.Response, path: str, cursor: str) -> None:
    assert answer.headers["feed-cursor"] == cursor
    assert answer.headers["link"] == f'<{path}{cursor}>; rel="next"'
    assert int(answer.headers["poll-after"]) >= 2000


async def drain(api: Api, path: str, since: str, token: str, limit: int | None = None) -> tuple[list[dict[str, Any]], str]:
    """Follow cursors to the end; return the items and the last cursor."""
    items: list[dict[str, Any]] = []
    while True:
        body = await page(api, path, since, token, limit)
        items += body["items"]
        since = body["cursor"]
        if not body["has_more"]:
            return items, since


class Follower:
    """A client's fold of a session's `changes`.

    Upsert by id; a tombstone removes; an activity's tombstone removes its responses too. When
    `responses_visibility` of an activity changes, a screen drops its responses and reads them again
    from 0.
    """

    def __init__(self, api: Api, path: str, token: str, *, screen: bool = False) -> None:
        self.api, self.path, self.token, self.screen = api, path, token, screen
        self.cursor = "0"
        self.state: dict[tuple[str, Any], Any] = {}
        self.seen: dict[tuple[str, Any], int] = {}
        self.repeats = 0

    async def poll(self, limit: int | None = None) -> "Follower":
        items, self.cursor = await drain(self.api, self.path + "/changes", self.cursor, self.token, limit)
        for item in items:
            await self._take(item)
        return self

    async def _take(self, item: dict[str, Any]) -> None:
        key = item["entity"], item["id"]
        assert item["deleted"] == (item["data"] is None)
        self.repeats += self.seen.get(key, 0) >= item["revision"]
        self.seen[key] = max(item["revision"], self.seen.get(key, 0))
        before = self.state.pop(key, None)
        if item["data"] is not None:
            self.state[key] = item["data"]
        if item["entity"] == "activity":
            await self._follow_activity(item["id"], before, item["data"])

    async def _follow_activity(self, activity_id: str, before: Any, now: Any) -> None:
        if now is None:
            self._drop_answers(activity_id)
        elif self.screen and before is not None and before["responses_visibility"] != now["responses_visibility"]:
            self._drop_answers(activity_id)
            if now["responses_visibility"] != "host":
                path = f"{self.path}/activities/{activity_id}/responses"
                if (await self.api.get(f"{path}/since/0", token=self.token)).status_code == 200:
                    for response in (await drain(self.api, path, "0", self.token))[0]:
                        self.state["response", response["id"]] = response

    def _drop_answers(self, activity_id: str) -> None:
        gone = [key for key, data in self.state.items() if key[0] == "response" and data["activity_id"] == activity_id]
        for key in gone:
            del self.state[key]


class AnswerFollower:
    """A client's fold of an activity's responses.

    It is empty while the view is closed, and starts at 0 once it is open.
    """

    def __init__(self, api: Api, path: str, token: str) -> None:
        self.api, self.path, self.token = api, path, token
        self.cursor = "0"
        self.state: dict[str, Any] = {}
        self.seen: dict[str, int] = {}

    async def poll(self, limit: int | None = None) -> "AnswerFollower":
        if (await self.api.get(f"{self.path}/since/now", token=self.token)).status_code in {403, 404}:
            self.cursor, self.state, self.seen = "0", {}, {}
            return self
        items, self.cursor = await drain(self.api, self.path, self.cursor, self.token, limit)
        for item in items:
            assert self.seen.get(item["id"], 0) < item["revision"]
            self.seen[item["id"]] = item["revision"]
            self.state[item["id"]] = item
            if item["deleted"]:
                assert item["response_data"] is None
                del self.state[item["id"]]
        return self
