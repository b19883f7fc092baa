"""Canaries (reliability A-04): a word in each secret field, searched in all readable bytes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from conflicto.access.roles import Role
from conflicto.app import App
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.feed_reader import drain
from tests.support.walking import addresses, walked
from tests.support.wire import connected, get, listening, streamed

DRAFT, SECRET, DRAFT_SECRET, AGGREGATE = "canary-draft", "canary-secret", "canary-draft-secret", "canary-aggregate"
SENT, PENDING, HIDDEN, NEIGHBOUR = "canary-sent", "canary-pending", "canary-hidden", "canary-neighbour"
PAGES = (
    "/",
    "/j/BBBBBBBB",
    "/join?code=BBBBBBBB",
    "/p/{}",
    "/host",
    "/host/s/{}",
    "/host/s/{}/report",
    "/screen/{}",
    "/sw.js",
)
EVERYTHING = {DRAFT, SECRET, DRAFT_SECRET, AGGREGATE, SENT, PENDING, HIDDEN, NEIGHBOUR}


@dataclass
class Stage:
    """An event with a canary in every secret field."""

    event: Event
    anna: Seat
    neighbour: Seat
    port: int
    link: str = ""
    draft: dict[str, Any] = field(default_factory=dict)
    quiz: dict[str, Any] = field(default_factory=dict)
    wall: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    async def set_up(self) -> "Stage":
        event, secret = self.event, {"right": SECRET}
        spec = {
            "counted": {"path": f"/{AGGREGATE}", "op": "count"},
            "texts": {"path": "/text", "op": "count"},
            "right": {"path": "/text", "op": "score", "key": "/right"},
        }
        aggregate = {"texts": {"path": "/text", "op": "words"}}
        self.draft = await event.activity(title=DRAFT, config={"q": DRAFT}, secret=DRAFT_SECRET, order_index=9)
        self.wall = await event.activity(type="board", moderation="before", responses_visibility="participants", status="active",
                                         results_visibility="always", aggregate=aggregate)  # fmt: skip
        for word in (PENDING, HIDDEN):
            seat = self.neighbour if word == PENDING else await event.join("Third")
            self.answers[word] = accepted(await event.answer(self.wall, seat, {"text": word}), 201)["id"]
        accepted(await self.moderate(HIDDEN, "hidden"))
        self.quiz = await event.activity(
            type="riddle", secret=secret, aggregate=spec, status="active", results_visibility="after_reveal"
        )
        self.answers[SENT] = accepted(await event.answer(self.quiz, self.neighbour, {"text": SENT}), 201)["id"]
        self.link = accepted(await event.api.post("/participants/me/seat-link", token=self.neighbour.token), 201)["seat_token"]
        return self

    async def moderate(self, word: str, moderation: str) -> Any:
        path = f"{self.event.path}/activities/{self.wall['id']}/responses/{self.answers[word]}"
        return await self.event.api.patch(path, {"moderation": moderation}, token=self.event.host)

    async def control(self, verb: str, activity: dict[str, Any], body: Any) -> None:
        path = f"{self.event.path}/activities/{activity['id']}/{verb}"
        accepted(await self.event.api.post(path, body, token=self.event.host))

    @property
    def known(self) -> dict[str, list[Any]]:
        return {
            "session_id": [self.event.id], "activity_id": [each["id"] for each in (self.draft, self.quiz, self.wall)],
            "response_id": list(self.answers.values()), "link_id": [], "export_id": [], "participant_id": [self.anna.id, self.neighbour.id],
            "code": ["BBBB-BBBB"], "timestamp": ["0", "now"], "type": ["quiz", "poll"],
        }  # fmt: skip

    async def all_bytes(self, token: str, role: Role) -> str:
        """Return all bytes that a token can read: bodies and headers of every URL, and refusals."""
        collected = []
        for route in walked(self.event.api.app.edge.routes):
            if route.method != "GET" or (route.roles and role not in route.roles):
                continue
            for path in addresses(route, self.known):
                answer = await self.event.api.get(path, token=token)
                collected += [answer.text, str(answer.headers.raw)]
        assert len(collected) > 40
        for page in PAGES:
            answer = await self.event.api.http.get(page.format(self.event.id), headers={"authorization": f"Bearer {token}"})
            collected += [answer.text, str(answer.headers.raw)]
        snapshots = [await self.snapshot(activity, token) for activity in (self.draft, self.quiz, self.wall)]
        return "\n".join([*collected, await self.stream(token), *snapshots])

    async def snapshot(self, activity: dict[str, Any], token: str) -> str:
        """Return the first event of an activity's result stream, or the refusal."""
        path = f"{self.event.path}/activities/{activity['id']}/results"
        refused = await self.event.api.get(path, token=token)
        if refused.status_code != 200:
            async with connected(self.port) as line:
                await line.send(get(path, token, "accept: text/event-stream"))
                status, headers, body = await line.answer()
            assert status == refused.status_code
            return f"{headers} {body.decode()}"
        async with streamed(self.port, path, token) as stream:
            return str([*await stream.until(1), stream.headers]).replace("\\", "")

    async def stream(self, token: str) -> str:
        """Return all events of the feed's stream from its beginning."""
        items, _ = await drain(self.event.api, f"{self.event.path}/changes", "0", token)
        if not items:
            return ""
        async with streamed(self.port, f"{self.event.path}/events?since=0", token) as stream:
            return str([*await stream.until(len(items)), stream.headers]).replace("\\", "")


async def words(stage: Stage, role: Role) -> set[str]:
    """Return the canaries that a role can read now.

    Checks that only hosts and screens read the join code, and nobody reads other tokens.
    """
    token = {Role.HOST: stage.event.host, Role.SCREEN: stage.event.screen, Role.PARTICIPANT: stage.anna.token}[role]
    text = await stage.all_bytes(token, role)
    tokens = (stage.event.host, stage.event.screen, stage.anna.token, stage.neighbour.token)
    assert not any(secret.rpartition(".")[2] in text for secret in (*tokens, stage.link, stage.event.api.admin))
    assert (stage.event.code in text) == (role is not Role.PARTICIPANT)
    if role is Role.PARTICIPANT:
        assert stage.event.code.replace("-", "") not in text
    return {word for word in EVERYTHING if f"{word}'" in text or f'{word}"' in text or f"/{word}" in text}


async def assert_readers_see(stage: Stage, screen: set[str], participant: set[str]) -> None:
    assert (await words(stage, Role.SCREEN), await words(stage, Role.PARTICIPANT)) == (screen, participant)


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


@pytest.mark.catalogue("A-04", "A-07")
async def test_no_secret_is_sent_before_its_time(api: Api, port: int) -> None:
    event = await make_event(api)
    stage = await Stage(event, await event.join("Anna"), await event.join(NEIGHBOUR), port).set_up()

    assert await words(stage, Role.HOST) == EVERYTHING
    await assert_readers_see(stage, set(), set())
    accepted(await api.post(f"{event.path}/overlay", {"overlay": "names"}, token=event.host))
    await assert_readers_see(stage, {NEIGHBOUR}, set())
    accepted(await api.post(f"{event.path}/overlay", {"overlay": None}, token=event.host))
    await assert_readers_see(stage, set(), set())
    await stage.moderate(PENDING, "visible")
    await assert_readers_see(stage, {PENDING}, {PENDING})
    await stage.moderate(PENDING, "hidden")
    await assert_readers_see(stage, set(), set())
    await stage.control("reveal", stage.quiz, {"results": True})
    await assert_readers_see(stage, {SENT}, {SENT})
    await stage.control("transition", stage.quiz, {"target_status": "expired"})
    board = {SENT, NEIGHBOUR}
    await assert_readers_see(stage, board, board)
    await stage.control("reveal", stage.quiz, {"secret": True})
    await assert_readers_see(stage, board | {SECRET}, board | {SECRET})
    await stage.control("reveal", stage.quiz, {"secret": False, "results": False})
    await assert_readers_see(stage, set(), set())
    await stage.control("rounds", stage.quiz, {})
    await assert_readers_see(stage, set(), set())
    await stage.control("transition", stage.draft, {"target_status": "published"})
    await assert_readers_see(stage, {DRAFT}, {DRAFT})
    await stage.control("transition", stage.draft, {"target_status": "draft"})
    await assert_readers_see(stage, set(), set())
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    await assert_readers_see(stage, set(), set())
    assert await words(stage, Role.HOST) == EVERYTHING


async def test_an_anonymous_activity_reveals_no_authors(api: Api) -> None:
    event = await make_event(api)
    anna, neighbour = await event.join("Anna"), await event.join(NEIGHBOUR)
    wall = await event.activity(anonymous=True, min_group=1, responses_visibility="participants", status="active")
    sent = accepted(await event.answer(wall, neighbour, {"text": SENT}), 201)
    assert sent["participant_id"] == neighbour.id
    accepted(await event.move(wall, "expired"))
    path = f"{event.path}/activities/{wall['id']}/responses"

    for token in (event.host, event.screen, anna.token):
        items = accepted(await api.get(f"{path}/since/0", token=token))["items"]
        assert [(item["response_data"], item["participant_id"]) for item in items] == [({"text": SENT}, None)]
    reads = [await api.get(where, token=event.host) for where in (path, f"{path}/{sent['id']}")]
    assert not any(str(neighbour.id) in read.text for read in reads)
    changes = accepted(await api.get(f"{event.path}/changes/since/0", token=event.host))["items"]
    assert [item["data"]["participant_id"] for item in changes if item["entity"] == "response"] == [None]
    answer = await api.get(f"{path}?participant_id={neighbour.id}", token=event.host)
    assert (answer.status_code, answer.json()["code"]) == (409, "author-hidden")
    assert accepted(await api.get(f"{path}/mine", token=neighbour.token))["items"][0]["participant_id"] == neighbour.id
