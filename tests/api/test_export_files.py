"""Files of export jobs: their lifetime and removal."""

import asyncio
import stat
from typing import Any

import pytest

from conflicto.exports.jobs import OUTDATED
from conflicto.platform.ids import random_uuid
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, eventually
from tests.support.clocks import HandClock
from tests.support.exports import Gate, answered, begin, download, ended, files_of, look, reaches
from tests.support.wire import listening

QUARTER_OF_AN_HOUR_S = 900


async def test_a_file_waits_for_a_quarter_of_an_hour(api: Api, clock: HandClock) -> None:
    event = await answered(api)
    job = await begin(event)
    await ended(event, job)

    clock.advance(QUARTER_OF_AN_HOUR_S - 5)
    assert (await download(event, job)).status_code == 200
    clock.advance(10)
    assert (await download(event, job)).json()["code"] == "export-unknown"
    assert files_of(api) == []


async def test_expired_entries_are_removed_without_a_request(api: Api, clock: HandClock) -> None:
    event = await answered(api)
    await ended(event, await begin(event))
    assert files_of(api) == [".data", ".json"]

    clock.advance(QUARTER_OF_AN_HOUR_S + 1)
    api.app.domain.exports.jobs.request_sweep()

    await eventually(lambda: asyncio.sleep(0, files_of(api) == []))


@pytest.mark.parametrize("what", ["answer", "participant", "activity"])
async def test_what_is_deleted_is_in_no_file_any_more(api: Api, what: str) -> None:
    event = await make_event(api)
    poll, seat = await event.activity(status="active"), await event.join("Anna")
    sent = accepted(await event.answer(poll, seat, "told"), 201)
    job = await begin(event)
    await ended(event, job)
    assert b"told" in (await download(event, job)).content

    path = {
        "answer": f"{event.path}/activities/{poll['id']}/responses/{sent['id']}",
        "participant": f"/participants/{seat.id}",
        "activity": f"{event.path}/activities/{poll['id']}",
    }[what]
    deleted = await api.delete(path, event.host)
    assert deleted.is_success, deleted.text

    refused = await download(event, job)
    assert (refused.status_code, refused.json()["code"], refused.json()["detail"]) == (410, "export-failed", OUTDATED)
    found = (await look(event, job)).json()
    assert (found["status"], found["detail"], found["url"], found["size_bytes"]) == ("failed", OUTDATED, None, None)
    assert files_of(api) == [".json"]


async def test_what_comes_later_leaves_the_file_as_it_is(api: Api) -> None:
    event = await answered(api)
    job = await begin(event)
    await ended(event, job)

    late = await event.join("Late")
    poll = await event.activity(status="active")
    sent = accepted(await event.answer(poll, late, 1), 201)
    await api.delete(f"{event.path}/activities/{poll['id']}/responses/{sent['id']}", event.host)
    await api.delete(f"/participants/{late.id}", event.host)

    assert b"Late" not in (await download(event, job)).content


async def test_a_deleted_session_takes_its_files_along(api: Api) -> None:
    event = await answered(api)
    job = await begin(event)
    await ended(event, job)

    await api.delete(event.path, event.host)

    await eventually(lambda: asyncio.sleep(0, files_of(api) == []))
    assert (await api.get(f"{event.path}/exports/{job['id']}/file", api.admin)).status_code == 404


async def test_a_job_of_a_deleted_session_stops(api: Api, gate: Gate) -> None:
    event = await answered(api)
    job = await begin(event)
    gate.rows.release()
    await reaches(event, job, 1)

    await api.delete(event.path, event.host)

    assert (await look(event, job, api.admin)).json()["code"] in {"not-found", "export-unknown"}
    await eventually(lambda: asyncio.sleep(0, files_of(api) == []))
    gate.open()
    await eventually(lambda: asyncio.sleep(0, api.app.domain.exports.writer._running.is_finished))
    assert files_of(api) == []


async def test_strays_of_a_killed_server_are_removed(api: Api, clock: HandClock) -> None:
    folder = api.app.domain.exports.jobs.folder
    event = await answered(api)
    await ended(event, await begin(event))
    for name in (f"{random_uuid()}.data", f"{random_uuid()}.Ab3xYz_-"):
        (folder._path / name).touch()
    for name in ("not-ours.txt", f"{random_uuid()}.pdf", f"{random_uuid()}-backup.sqlite3"):
        (folder._path / name).touch()

    folder.remove_orphans()
    assert len(files_of(api)) == 7
    clock.advance(61)
    folder.remove_orphans()

    assert files_of(api) == [".data", ".json", ".pdf", ".sqlite3", ".txt"]


async def test_files_are_for_the_server_alone(api: Api) -> None:
    event = await answered(api)
    await ended(event, await begin(event))
    folder = api.app.domain.exports.jobs.folder._path

    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [0o700, 0o600, 0o600]


async def test_a_server_that_has_stopped_leaves_no_answers_behind(api: Api) -> None:
    event = await answered(api)
    await ended(event, await begin(event))

    await api.app.domain.exports.writer.remove_files()

    assert files_of(api) == []


async def test_no_more_files_wait_than_there_is_room_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.exports.folder.MAX_FILES", 4)
    event, other = await answered(api), await answered(api)

    async def exported(of: Event) -> dict[str, Any]:
        return await ended(of, await begin(of))

    async def kept(of: Event, jobs: list[dict[str, Any]]) -> list[bool]:
        return [(await look(of, job)).status_code == 200 for job in jobs]

    own = [await exported(event) for _ in range(4)]
    assert await kept(event, own) == [False, True, True, True]
    others = [await exported(other) for _ in range(2)]
    assert await kept(event, own) == [False, False, True, True]
    assert await kept(other, others) == [True, True]

    monkeypatch.setattr("conflicto.exports.folder.MAX_FOLDER_BYTES", others[1]["size_bytes"] + 1)
    last = await exported(other)
    assert await kept(other, [*others, last]) == [False, False, True]


async def part(event: Event, job: dict[str, Any], **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await event.api.get(f"{event.path}/exports/{job['id']}/file", event.host, headers=named)


async def test_a_download_that_broke_off_goes_on(api: Api) -> None:
    event = await answered(api)
    job = await begin(event)
    size = (await ended(event, job))["size_bytes"]
    whole = await download(event, job)
    tag = whole.headers["etag"]

    assert whole.headers["accept-ranges"] == "bytes"
    assert tag == f'"{job["id"]}"'
    for requested, wanted in (
        ("bytes=10-", range(10, size)), ("bytes=0-0", range(1)), ("BYTES= 5-9", range(5, 10)), ("bytes=-4", range(size - 4, size)),
        (f"bytes=3-{size + 7}", range(3, size)), (f"bytes=-{size + 7}", range(size)), (f"bytes={size - 1}-", range(size - 1, size)),
    ):  # fmt: skip
        answer = await part(event, job, range=requested, if_range=tag)
        assert answer.status_code == 206, requested
        assert answer.headers["content-range"] == f"bytes {wanted[0]}-{wanted[-1]}/{size}"
        assert answer.headers["etag"] == tag
        assert answer.content == whole.content[wanted.start : wanted.stop]


async def test_what_is_no_part_of_the_file_is_answered_with_all_of_it(api: Api) -> None:
    event = await answered(api)
    job = await begin(event)
    size = (await ended(event, job))["size_bytes"]
    whole = await download(event, job)

    for requested in (
        "bytes=5-2",
        f"bytes={size}-",
        "bytes=-0",
        "bytes=-",
        "bytes=0-1,3-4",
        "rows=0-1",
        "bytes=x-",
        "bytes=" + "9" * 40 + "-",
    ):
        answer = await part(event, job, range=requested)
        assert (answer.status_code, answer.content) == (200, whole.content), requested
    changed = await part(event, job, range="bytes=10-", if_range='"another"')
    assert (changed.status_code, changed.content) == (200, whole.content)
    head = await api.request("HEAD", f"{event.path}/exports/{job['id']}/file", token=event.host)
    assert (head.headers["etag"], head.content) == (whole.headers["etag"], b"")


@pytest.mark.in_process
async def test_a_file_of_many_parts_arrives_whole_over_a_connection(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.exports.download.CHUNK_BYTES", 7)
    event = await answered(api)
    job = await begin(event)
    size = (await ended(event, job))["size_bytes"]
    whole = (await download(event, job)).content
    async with listening(api.app) as port:
        api.over(port)
        over_a_socket = await download(event, job)
        rest = await part(event, job, range="bytes=10-")

    assert (len(whole), over_a_socket.content, rest.content) == (size, whole, whole[10:])
