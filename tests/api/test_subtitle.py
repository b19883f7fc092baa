"""Tests of the subtitle of sessions."""

import pytest

from tests.support.api import Api, make_event
from tests.support.checks import accepted, refused, session_of


async def test_a_host_writes_changes_and_removes_the_subtitle(api: Api) -> None:
    event = await make_event(api, subtitle="Spring")
    assert (await session_of(event))["subtitle"] == "Spring"

    renamed = accepted(await api.patch(event.path, {"title": "New"}, token=event.host))
    assert (renamed["title"], renamed["subtitle"]) == ("New", "Spring")
    assert accepted(await api.patch(event.path, {"subtitle": "Autumn"}, token=event.host))["subtitle"] == "Autumn"
    assert accepted(await api.put(event.path, {"title": "New"}, token=event.host))["subtitle"] is None


async def test_a_copy_has_the_subtitle(api: Api) -> None:
    event = await make_event(api, subtitle="Spring")

    copy = accepted(await api.post(f"{event.path}/duplicate", {"title": "Next"}, token=api.admin), 201)

    assert (copy["title"], copy["subtitle"]) == ("Next", "Spring")


@pytest.mark.parametrize("subtitle", ["x" * 201, 7, ["Spring"]])
async def test_what_is_no_subtitle_is_refused_by_field(api: Api, subtitle: object) -> None:
    answer = refused(await api.post("/sessions", {"title": "Lunch", "subtitle": subtitle}, token=api.admin), 422, "invalid-input")

    assert [each["pointer"] for each in answer["errors"]] == ["/subtitle"]
