from tests.support.api import Api, make_event


async def test_an_answer_travels_from_phone_to_screen(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(config={"options": ["Pizza", "Curry"]}, responses_visibility="screen", status="active")
    anna = await event.join("Anna")

    sent = await event.answer(poll, anna, {"choice": "Curry"})

    assert sent.status_code == 201
    page = (await api.get(f"{event.path}/activities/{poll['id']}/responses/since/0", token=event.screen)).json()
    assert [item["response_data"] for item in page["items"]] == [{"choice": "Curry"}]
    assert page["items"][0]["updated_at"] == sent.json()["updated_at"]
