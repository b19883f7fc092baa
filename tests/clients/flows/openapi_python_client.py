"""A session's whole life with the client of openapi-python-client; prints what it read."""

import io
import json
import os
import uuid
import zipfile
from typing import Any, TypeVar

from conflicto_client import AuthenticatedClient, Client
from conflicto_client.api.activities import create_activity
from conflicto_client.api.joining import join
from conflicto_client.api.polling import follow_changes, follow_responses, get_results
from conflicto_client.api.responses import submit_response
from conflicto_client.api.sessions import create_session, delete_session, export_responses, update_session
from conflicto_client.models import (
    Activity,
    ActivityRequest,
    ActivityResults,
    ActivityStatus,
    ChangePage,
    CountResult,
    ExportFormat,
    JoinRequest,
    ParticipantResponse,
    Problem,
    ResponseChangePage,
    Seat,
    Session,
    SessionCreated,
    SessionPatch,
    SessionRequest,
    SessionStatus,
    Submission,
)

Model = TypeVar("Model")

URL = os.environ["CONFLICTO_URL"]
CONFIG = {"question": "Lunch?", "options": [{"id": "pizza", "text": "Pizza"}, {"id": "curry", "text": "Curry"}]}


def signed_in(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=URL, token=token)


def given(kind: type[Model], parsed: object) -> Model:
    """Return the parsed response of an operation, which must have this type."""
    if not isinstance(parsed, kind):
        raise TypeError(parsed)
    return parsed


def prepare() -> tuple[SessionCreated, Activity, dict[str, Any]]:
    """Create and open a session, then add an activity with default values and an open poll."""
    with signed_in(os.environ["CONFLICTO_ADMIN"]) as admin:
        request = SessionRequest(title="Town hall")
        made = given(SessionCreated, create_session.sync(client=admin, body=request, idempotency_key=str(uuid.uuid4())))
    with signed_in(made.host_token) as host:
        opened = given(Session, update_session.sync(made.id, client=host, body=SessionPatch(status=SessionStatus.ACTIVE)))
        plain = given(Activity, create_activity.sync(made.id, client=host, body=ActivityRequest(type_="pulse")))
        request_of_poll = ActivityRequest(type_="poll", config=CONFIG, status=ActivityStatus.ACTIVE)
        poll = given(Activity, create_activity.sync(made.id, client=host, body=request_of_poll))
    begun = {"title": opened.title, "status": opened.status, "defaults": [plain.response_policy, plain.min_group]}
    return made, poll, begun | {"poll": [poll.type_, poll.status]}


def take_part(made: SessionCreated, poll: Activity) -> dict[str, Any]:
    """Join, respond, change the response, and try an invalid code."""
    with Client(base_url=URL) as anyone:
        refused = given(Problem, join.sync(client=anyone, body=JoinRequest(nickname="Anna", code="BCDF-GHJK")))
        request = JoinRequest(nickname="Anna", code=given(str, made.join_code))
        seat = given(Seat, join.sync(client=anyone, body=request, idempotency_key=str(uuid.uuid4())))
    with signed_in(seat.participant_token) as anna:
        first = submit_response.sync_detailed(made.id, poll.id, client=anna, body=Submission({"choices": ["pizza"]}))
        second = submit_response.sync_detailed(made.id, poll.id, client=anna, body=Submission({"choices": ["curry"]}))
    taken, changed = given(ParticipantResponse, first.parsed), given(ParticipantResponse, second.parsed)
    return {
        "refused": [refused.status, refused.code],
        "seat": seat.nickname,
        "statuses": [first.status_code, second.status_code],
        "revisions": [taken.revision, changed.revision],
        "same": taken.id == changed.id,
        "ordered": taken.updated_at < changed.updated_at,
    }


def follow(made: SessionCreated, poll: Activity) -> dict[str, Any]:
    """Read the results, and the feeds from the beginning and from the last cursor."""
    with signed_in(made.host_token) as host:
        page = given(ResponseChangePage, follow_responses.sync(made.id, poll.id, "0", client=host))
        later = given(ResponseChangePage, follow_responses.sync(made.id, poll.id, page.cursor, client=host))
        changes = given(ChangePage, follow_changes.sync(made.id, "0", client=host))
        results = get_results.sync_detailed(made.id, poll.id, client=host)
        known = get_results.sync_detailed(made.id, poll.id, client=host, if_none_match=results.headers["ETag"])
    choices = given(CountResult, given(ActivityResults, results.parsed).results["choices"])
    return {
        "answers": [item.response_data for item in page.items],
        "later": later.count,
        "entities": sorted(item.entity for item in changes.items),
        "counts": [[each.value, each.count] for each in choices.values],
        "unchanged": known.status_code,
    }


def take_home(made: SessionCreated) -> dict[str, Any]:
    """Export the responses in each format, and delete the session."""
    with signed_in(made.host_token) as host:
        files = {form: export_responses.sync_detailed(made.id, client=host, format_=form).content for form in ExportFormat}
        deleted = delete_session.sync_detailed(made.id, client=host)
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
