"""Exports that outlast their request: progress, file, ownership and failures."""

import asyncio
import sys
import threading
from asyncio.subprocess import PIPE

import pytest

from conflicto.app import App
from conflicto.exports import http as exports_http
from conflicto.exports import writer
from conflicto.exports.folder import INTERRUPTED
from conflicto.exports.model import ExportJob
from conflicto.platform.ids import random_uuid
from conflicto.platform.problems import Unavailable
from conflicto.settings import Settings
from tests.support.api import Api
from tests.support.checks import PATIENCE_S, accepted, eventually
from tests.support.clocks import HandClock
from tests.support.exports import AT_ONCE, Gate, answered, begin, download, ended, files_of, look, reaches


async def test_a_small_export_comes_at_once_and_leaves_nothing(api: Api) -> None:
    event = await answered(api)

    answer = await api.get(f"{event.path}/export", event.host)

    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert files_of(api) == []


async def test_what_outlasts_its_caller_is_a_job_with_progress_and_a_file(
    api: Api, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_http, "MAX_WAIT_S", 0)
    event = await answered(api)

    answer = await api.get(f"{event.path}/export?format=jsonl", event.host)

    job = accepted(answer, 202)
    assert answer.headers["location"] == f"/api/v1{event.path}/exports/{job['id']}"
    assert answer.headers["retry-after"] == "2"
    assert "preference-applied" not in answer.headers
    assert (job["status"], job["format"], job["shape"], job["url"]) == ("running", "jsonl", "responses", None)
    counts = []
    for read in range(1, 4):
        gate.rows.release()
        found = await reaches(event, job, read)
        counts.append((found["status"], found["responses_read"], found["responses_total"], found["expires_at"]))
    assert counts == [("running", read, 6, None) for read in range(1, 4)]
    early = await download(event, job)
    assert (early.status_code, early.json()["code"]) == (409, "export-not-ready")
    assert (await look(event, job)).headers["retry-after"] == "2"

    gate.open()
    found = await ended(event, job)
    file = await download(event, job, token=api.admin)

    assert (found["responses_read"], found["size_bytes"]) == (6, len(file.content))
    assert found["url"] == f"/api/v1{event.path}/exports/{job['id']}/file"
    assert "retry-after" not in (await look(event, job)).headers
    assert file.headers["content-disposition"].endswith("filename*=UTF-8''Gr%C3%B6%C3%9Fe-responses.jsonl")
    assert file.headers["content-type"] == "application/x-ndjson"
    monkeypatch.setattr(exports_http, "MAX_WAIT_S", 10)
    assert file.content == (await api.get(f"{event.path}/export?format=jsonl", event.host)).content


@pytest.mark.parametrize("shape", ["responses", "long", "table", "wide", "codebook"])
async def test_the_file_of_a_job_is_the_direct_one_and_every_answer_is_counted_once(api: Api, shape: str) -> None:
    event = await answered(api)
    for form in ("csv", "jsonl"):
        job = await begin(event, f"?format={form}&shape={shape}")
        found = await ended(event, job)

        direct = await api.get(f"{event.path}/export?format={form}&shape={shape}", event.host)
        file = await download(event, job)
        assert file.content == direct.content
        for name in ("content-type", "content-disposition", "cache-control"):
            assert file.headers[name] == direct.headers[name]
        assert (found["responses_read"], found["responses_total"]) == (0 if shape == "codebook" else 6, 6)
        await api.delete(f"{event.path}/exports/{job['id']}", event.host)


@pytest.mark.parametrize(
    ("preferences", "seconds", "applied"),
    [
        ("respond-async", 0, "respond-async"),
        ("RESPOND-ASYNC; x=1, wait=0", 0, "respond-async, wait=0"),
        ("wait=0, respond-async", 0, "respond-async, wait=0"),
        ("respond-async, wait=700", 10, "respond-async, wait=10"),
        ("wait=3", 3, None),
        ("return=minimal", 10, None),
        ("not-respond-async, wait=x", 10, None),
        (None, 10, None),
    ],
)
def test_preferences_are_read_as_rfc_7240_has_them(
    preferences: str | None, seconds: int, applied: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_http, "MAX_WAIT_S", 10)
    headers = () if applied is None else ((b"preference-applied", applied.encode()),)
    assert exports_http.preferred_wait(preferences) == (seconds, headers)


async def test_granted_terms_are_in_the_response(api: Api) -> None:
    event = await answered(api)
    answer = await api.get(f"{event.path}/export", event.host, headers=AT_ONCE)
    assert answer.headers["preference-applied"] == "respond-async"
    await ended(event, accepted(answer, 202))


async def test_without_a_wait_the_response_is_a_job_however_quick_the_file_was(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event, desk = await answered(api), api.app.domain.exports.writer
    start = desk.start

    async def whole(job: ExportJob) -> writer.RunningExport:
        begun = await start(job)
        await asyncio.wait({begun.written})
        return begun

    monkeypatch.setattr(desk, "start", whole)
    job = await begin(event)
    await ended(event, job)
    assert (await download(event, job)).status_code == 200


async def test_one_is_written_at_a_time_and_a_job_counts(api: Api, gate: Gate) -> None:
    event = await answered(api)
    job = await begin(event)

    second = await api.get(f"{event.path}/export", event.host)
    assert (second.status_code, second.json()["code"]) == (429, "export-busy")

    gate.open()
    await ended(event, job)
    assert (await api.get(f"{event.path}/export", event.host)).status_code == 200


async def test_whoever_reads_that_a_job_has_ended_may_begin_the_next(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event, go_on, folder = await answered(api), threading.Event(), api.app.domain.exports.jobs.folder
    end = folder.finish

    def end_and_linger(job: ExportJob, size_bytes: int) -> bool:
        is_there = end(job, size_bytes)
        assert go_on.wait(PATIENCE_S)
        return is_there

    monkeypatch.setattr(folder, "finish", end_and_linger)
    await ended(event, await begin(event))

    job = await begin(event)
    go_on.set()

    await ended(event, job)


async def test_a_job_is_of_its_own_session(api: Api) -> None:
    event, other = await answered(api), await answered(api)
    job = await begin(event)
    await ended(event, job)
    path = f"{event.path}/exports/{job['id']}"

    for token, status in ((other.host, 404), (event.screen, 403), (None, 401)):
        for address in (path, f"{path}/file"):
            assert (await api.get(address, token)).status_code == status
        assert (await api.delete(path, token)).status_code == status
    crossed = await api.get(f"{other.path}/exports/{job['id']}/file", other.host)
    assert (crossed.status_code, crossed.json()["code"]) == (404, "export-unknown")
    assert (await api.delete(f"{other.path}/exports/{job['id']}", other.host)).status_code == 404
    assert (await download(event, job)).status_code == 200


async def test_a_session_that_is_not_there_has_no_job(api: Api) -> None:
    answer = await api.get("/sessions/77/export", api.admin, headers=AT_ONCE)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_job_that_is_deleted_stops_and_is_gone(api: Api, gate: Gate) -> None:
    event = await answered(api)
    job = await begin(event)
    gate.rows.release()
    await reaches(event, job, 1)

    assert (await api.delete(f"{event.path}/exports/{job['id']}", event.host)).status_code == 204

    gate.open()
    await eventually(lambda: asyncio.sleep(0, api.app.domain.exports.writer._running.is_finished))
    assert (await look(event, job)).json()["code"] == "export-unknown"
    assert files_of(api) == []
    assert (await api.get(f"{event.path}/export", event.host)).status_code == 200


async def test_a_stopping_server_ends_its_job_and_reports_it(api: Api, gate: Gate) -> None:
    event = await answered(api)
    job = await begin(event)

    api.app.domain.exports.writer.close()
    gate.open()

    found = await ended(event, job, "failed")
    assert found["detail"] == INTERRUPTED

    async def only_its_state_is_left() -> bool:
        return files_of(api) == [".json"]

    await eventually(only_its_state_is_left)  # the state is written before the file is deleted


HOLD_A_JOB = """
import sys, pathlib, uuid
from conflicto.exports.folder import JobFolder
from conflicto.exports.model import ExportJob
from conflicto.platform.clock import Clock

path, job_id, session_id = sys.argv[1:]
job = ExportJob(id=uuid.UUID(job_id), session_id=int(session_id), title="", form="csv", shape="table", created_us=1)
file = JobFolder(pathlib.Path(path), Clock()).create(job)
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_job_of_a_killed_server_has_failed_with_a_remedy(api: Api) -> None:
    event, job_id = await answered(api), str(random_uuid())
    script = [sys.executable, "-c", HOLD_A_JOB, str(api.app.domain.exports.jobs.folder._path), job_id, str(event.id)]
    server = await asyncio.create_subprocess_exec(*script, stdin=PIPE, stdout=PIPE)
    assert server.stdout is not None
    assert await server.stdout.readline() == b"held\n"
    assert (await look(event, {"id": job_id})).json()["status"] == "running"

    server.kill()
    await server.wait()

    found = (await look(event, {"id": job_id})).json()
    assert (found["status"], found["detail"]) == ("failed", INTERRUPTED)
    assert (await download(event, {"id": job_id})).json()["code"] == "export-failed"
    assert files_of(api) == [".json"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [(OSError(28, "full"), writer.DISK_FULL), (Unavailable(), "within 10 minutes"), (ValueError(), "operator")],
)
async def test_a_failed_job_has_a_reason(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str) -> None:
    event, go_on = await answered(api), threading.Event()

    def fail(*_: object) -> None:
        assert go_on.wait(PATIENCE_S)
        raise error

    monkeypatch.setattr(writer, "write_file", fail)
    job = await begin(event)
    go_on.set()

    assert expected in (await ended(event, job, "failed"))["detail"]
    assert (await api.get(f"{event.path}/exports/{job['id']}/file", event.host)).status_code == 410


async def test_every_process_of_a_machine_sees_the_jobs_of_all(api: Api, settings: Settings, clock: HandClock, gate: Gate) -> None:
    event = await answered(api)
    job = await begin(event)
    gate.rows.release()
    await reaches(event, job, 1)

    async with App(settings, clock=clock).running() as beside:
        other = Api(beside)
        seen = (await other.get(f"{event.path}/exports/{job['id']}", event.host)).json()
        assert (seen["status"], seen["responses_read"]) == ("running", 1)
        gate.open()
        await ended(event, job)
        there = await other.get(f"{event.path}/exports/{job['id']}/file", event.host)
        assert there.content == (await download(event, job)).content
        await other.http.aclose()
