"""A session's whole life with the Python client of openapi-generator; prints what it read."""

import io
import json
import os
import uuid
import zipfile
from typing import Any

from conflicto_client import (
    ActivitiesApi,
    Activity,
    ActivityRequest,
    ActivityStatus,
    ApiClient,
    ApiException,
    Configuration,
    CountResult,
    ExportFormat,
    JoiningApi,
    JoinRequest,
    PollingApi,
    Problem,
    ResponsesApi,
    SessionCreated,
    SessionPatch,
    SessionRequest,
    SessionsApi,
    SessionStatus,
    Submission,
)

CONFIG = {"question": "Lunch?", "options": [{"id": "pizza", "text": "Pizza"}, {"id": "curry", "text": "Curry"}]}


def signed_in(token: str | None = None) -> ApiClient:
    return ApiClient(Configuration(host=os.environ["CONFLICTO_URL"], access_token=token))


def prepare() -> tuple[SessionCreated, Activity, dict[str, Any]]:
    """Create and open a session, then add an activity with default values and an open poll."""
    with signed_in(os.environ["CONFLICTO_ADMIN"]) as admin:
        made = SessionsApi(admin).create_session(SessionRequest(title="Town hall"), idempotency_key=str(uuid.uuid4()))
    with signed_in(made.host_token) as host:
        opened = SessionsApi(host).update_session(made.id, SessionPatch(status=SessionStatus.ACTIVE))
        plain = ActivitiesApi(host).create_activity(made.id, ActivityRequest(type="pulse"))
        request_of_poll = ActivityRequest(type="poll", config=CONFIG, status=ActivityStatus.ACTIVE)
        poll = ActivitiesApi(host).create_activity(made.id, request_of_poll)
    begun = {"title": opened.title, "status": opened.status, "defaults": [plain.response_policy, plain.min_group]}
    return made, poll, begun | {"poll": [poll.type, poll.status]}


def refused(request: JoinRequest) -> Problem:
    """Return the problem of a refused join."""
    with signed_in() as anyone:
        try:
            JoiningApi(anyone).join(request)
        except ApiException as error:
            problem = Problem.from_json(error.body or "")
            if problem is not None:
                return problem
    raise ValueError(request)


def take_part(made: SessionCreated, poll: Activity) -> dict[str, Any]:
    """Join, respond, change the response, and try an invalid code."""
    problem = refused(JoinRequest(nickname="Anna", code="BCDF-GHJK"))
    with signed_in() as anyone:
        request = JoinRequest(nickname="Anna", code=made.join_code or "")
        seat = JoiningApi(anyone).join(request, idempotency_key=str(uuid.uuid4()))
    with signed_in(seat.participant_token) as anna:
        answers = ResponsesApi(anna)
        first = answers.submit_response_with_http_info(made.id, poll.id, Submission(response_data={"choices": ["pizza"]}))
        second = answers.submit_response_with_http_info(made.id, poll.id, Submission(response_data={"choices": ["curry"]}))
    return {
        "refused": [problem.status, problem.code],
        "seat": seat.nickname,
        "statuses": [first.status_code, second.status_code],
        "revisions": [first.data.revision, second.data.revision],
        "same": first.data.id == second.data.id,
        "ordered": first.data.updated_at < second.data.updated_at,
    }


def follow(made: SessionCreated, poll: Activity) -> dict[str, Any]:
    """Read the results, and the feeds from the beginning and from the last cursor."""
    with signed_in(made.host_token) as host:
        polling = PollingApi(host)
        page = polling.follow_responses(made.id, poll.id, "0")
        later = polling.follow_responses(made.id, poll.id, page.cursor)
        changes = polling.follow_changes(made.id, "0")
        results = polling.get_results_with_http_info(made.id, poll.id)
        tag = {name.lower(): value for name, value in (results.headers or {}).items()}["etag"]
        known = polling.get_results_without_preload_content(made.id, poll.id, if_none_match=tag)
    choices = results.data.results["choices"].actual_instance
    if not isinstance(choices, CountResult):
        raise TypeError(choices)
    return {
        "answers": [item.response_data for item in page.items],
        "later": later.count,
        "entities": sorted(item.actual_instance.entity for item in changes.items if item.actual_instance is not None),
        "counts": [[each.value, each.count] for each in choices.values],
        "unchanged": known.status,
    }


def take_home(made: SessionCreated) -> dict[str, Any]:
    """Export the responses in each format, and delete the session."""
    with signed_in(made.host_token) as host:
        sessions = SessionsApi(host)
        files = {form: sessions.export_responses_without_preload_content(made.id, format=form).data for form in ExportFormat}
        deleted = sessions.delete_session_with_http_info(made.id)
    return {
        "csv": len(files[ExportFormat.CSV].decode("utf-8-sig").splitlines()),
        "jsonl": [json.loads(line)["response_data"] for line in files[ExportFormat.JSONL].splitlines()],
        "xlsx": zipfile.is_zipfile(io.BytesIO(files[ExportFormat.XLSX])),
        "deleted": deleted.status_code,
    }


def main() -> None:
    made, poll, begun = prepare()
    print(json.dumps(begun | take_part(made, poll) | follow(made, poll) | take_home(made)))


main()
