"""Flows of participants, hosts and screens, once for all engines, languages and transports."""

from tests.engines.case_run import LAPTOP, CaseRun, catalog
from tests.engines.window import Window
from tests.support.processes import ADMIN

OPTIONS = [{"id": "a", "text": "Pizza"}, {"id": "b", "text": "Curry"}, {"id": "c", "text": "Soup"}]
POLL = {"question": "Where?", "options": OPTIONS, "multiple": False}
QUIZ = {"question": "Which?", "options": OPTIONS}
NUMBERS = {"en": "-42.5", "de": "-42,5", "ar": "\u2212\u0664\u0662\u066b\u0665"}
"""The same number in each language, in Arabic with Arabic digits, separator and minus sign."""

STARTS = """
  const range = document.createRange();
  const words = document.querySelector(arguments[0]);
  range.selectNodeContents(words);
  const box = words.getBoundingClientRect(), text = range.getBoundingClientRect();
  return [text.left - box.left, box.right - text.right];
"""


def join(live: CaseRun) -> None:
    """A code typed as people type it leads in, and so does the link with its key."""
    phone = live.window("/")
    phone.find("form[data-door] #code")
    phone.fill("#code", live.session["join_code"].lower())
    phone.press("form[data-door] button")
    phone.fill("#nickname", "Anna Ø")
    phone.press("form[data-door] button")
    phone.see("Anna Ø", live.word("state.between"))
    assert live.call("GET", "/participants")["total"] == 1

    phone.press(".seat summary")
    phone.press(".panel button", live.word("menu.leave_keep"))
    phone.agree()
    phone.find("form[data-door] #code")
    phone.open(live.link)
    phone.fill("#nickname", "بن")
    phone.press("form[data-door] button")
    phone.see("بن", live.word("state.between"))
    assert any(each["nickname"] == "بن" for each in live.call("GET", "/participants")["items"])


def answer(live: CaseRun) -> None:
    """Answers of each kind arrive as they were given."""
    phone = live.phone()
    given = {
        "poll": (POLL, lambda: phone.press(".choice", "Curry"), {"choices": ["b"]}),
        "quiz": (QUIZ, lambda: phone.press(".choice", "Soup"), {"choice": "c"}),
        "words": ({"question": "In a word?", "max_words": 1}, lambda: phone.fill(".now input", "Grüße"), {"words": ["Grüße"]}),
        "wall": ({"question": "Say"}, lambda: phone.fill(".now textarea", "سلام hello"), {"text": "سلام hello"}),
        "ranking": ({"question": "In which order?", "options": OPTIONS}, lambda: _lower(phone), {"ranking": ["b", "a", "c"]}),
        "estimate": ({"question": "How cold?"}, lambda: phone.fill("#value", NUMBERS[live.case.language]), {"value": -42.5}),
    }
    for type_name, (config, give, expected) in given.items():
        activity = live.activity(type_name, config, **({"secret": {"correct": "b"}} if config is QUIZ else {}))
        phone.see(config["question"])
        give()
        phone.press(".action .primary")
        phone.see(f"✓ {live.word('answer.received_at')}")
        assert live.answers(activity) == [expected]


def _lower(phone: Window) -> None:
    """Move the first option one place down."""
    phone.press(".rank-list li:first-child button:not([disabled])")
    phone.holds("document.querySelector('.rank-list li')?.innerText.includes('Curry')")


def reload(live: CaseRun) -> None:
    """A half-typed text outlives the page, and is finished and sent."""
    activity = live.activity("wall", {"question": "Say"})
    phone = live.phone()
    phone.fill(".now textarea", "Half a thou")
    phone.see(live.word("answer.send"))
    phone.reload()
    phone.holds("document.querySelector('.now textarea')?.value === 'Half a thou'")
    phone.fill(".now textarea", "ght")
    phone.press(".action .primary")
    phone.see(f"✓ {live.word('answer.received_at')}")
    assert live.answers(activity) == [{"text": "Half a thought"}]


def reveal(live: CaseRun) -> None:
    """Phone and screen show results after the reveal only. In Arabic they begin on the right."""
    activity = live.activity("poll", POLL)
    phone, screen = live.phone(), live.screen()
    screen.see("Where?", "Curry")
    phone.press(".choice", "Curry")
    phone.press(".action .primary")
    phone.see(f"✓ {live.word('answer.received_at')}")
    live.answer(activity, {"choices": ["a"]}, "Ben")
    for window in (phone, screen):
        window.holds("document.querySelectorAll('.bars rect').length === 0")
    live.expire(activity, results=True)
    for window in (phone, screen):
        window.holds(
            "[...document.querySelectorAll('.bars rect')].filter((each) => each.getBoundingClientRect().width > 0).length >= 2"
        )
    phone.see(live.word("results.title"))
    live.screenshot("reveal")
    for window in (phone, screen):
        _begins_where_its_language_begins(live, window)


def _begins_where_its_language_begins(live: CaseRun, window: Window) -> None:
    is_right_to_left = live.case.language == "ar"
    assert window.run("return document.documentElement.dir") == ("rtl" if is_right_to_left else "ltr")
    left, right = window.run(STARTS, "h1")
    assert (right <= 1 < left) if is_right_to_left else (left <= 1 < right), window.keep("direction")


def offline(live: CaseRun) -> None:
    """An answer given while the network is cut is kept, told to be kept, and delivered once."""
    activity = live.activity("poll", POLL)
    phone, screen = live.phone(), live.screen()
    phone.see("Curry")
    screen.see("Where?")
    live.cut()
    phone.see(live.word("state.offline"))
    screen.see(live.word("screen.lost"))
    phone.press(".choice", "Curry")
    phone.press(".action .primary")
    phone.see(live.word("answer.queued"))
    live.screenshot("offline")
    assert live.answers(activity) == []

    live.reconnect()
    phone.see(f"✓ {live.word('answer.received_at')}")
    phone.see_no(live.word("state.offline"))
    screen.see_no(live.word("screen.lost"))
    assert live.answers(activity) == [{"choices": ["b"]}]
    assert live.call("GET", "/participants")["total"] == 1


def host(live: CaseRun) -> None:
    """A host makes a session, adds a poll, leads it to its end and reads the report."""
    desk = live.window(f"/host#admin={ADMIN}", LAPTOP)
    desk.fill("#title", "Lunch")
    desk.press("form button", live.word("host.create"))
    desk.holds("location.pathname.startsWith('/host/s/') && document.querySelector('.next')")
    live.session["id"] = desk.run("return location.pathname.split('/')[3]")
    live.session |= live.call("GET", "")
    _add_poll(live, desk)
    _step(live, desk, "open")
    _step(live, desk, "start")
    desk.see(live.word("step.lock"))
    activity = live.call("GET", "/activities")["items"][0]
    live.answer(activity, {"choices": [activity["config"]["options"][1]["id"]]}, "Ben")
    desk.holds("document.querySelectorAll('.results .bars rect').length > 0")
    _step(live, desk, "lock")
    _step(live, desk, "reveal")
    _step(live, desk, "end")
    desk.agree()
    desk.see(live.word("step.over"))
    live.screenshot("host")

    desk.press("a.button", live.word("host.report"))
    desk.find("#exports button, #exports a")
    desk.see("Lunch", "Where?", "Curry")
    assert live.call("GET", "")["status"] == "completed"


def _add_poll(live: CaseRun, desk: Window) -> None:
    desk.press(".adding summary")
    desk.press(".types button", catalog(live.case.language, "activity_types/poll")["title"])
    desk.fill("#f-config-question", "Where?")
    desk.fill("#f-config-options-0-text", "Pizza")
    desk.fill("#f-config-options-1-text", "Curry")
    desk.press("dialog button", live.word("host.save"))
    desk.holds("!document.querySelector('dialog').open")


def _step(live: CaseRun, desk: Window, name: str) -> None:
    desk.press(".next", live.word(f"step.{name}"))


def screen(live: CaseRun) -> None:
    """A screen shows the join code, follows the session, and thanks at its end."""
    screen = live.screen()
    screen.see("Town hall", live.session["join_code"])
    screen.find(".join svg, .join canvas, .join img")
    activity = live.activity("poll", POLL)
    screen.see("Where?", "Curry", live.session["join_code"])
    live.answer(activity, {"choices": ["a"]}, "Ben")
    live.expire(activity, results=True)
    screen.see(live.word("state.locked"))
    screen.holds("document.querySelectorAll('.bars rect').length > 0")
    live.screenshot("screen")
    live.activity("words", {"question": "In a word?"}, results_visibility="always")
    screen.see("In a word?")
    live.end()
    screen.see(live.word("screen.ended"))


def silent(live: CaseRun) -> None:
    """A silent stream is opened again, and polls replace a buffered one."""
    live.way.answers.clear()
    is_held = live.case.transport == "poll"
    live.way.holds = r"GET .*/events" if is_held else None
    phone = live.phone()
    if is_held:
        live.until(lambda: live.has_passed("/changes/since/"), "a poll in place of a stream that is held back")
    else:
        phone.see(live.word("state.between"))
        live.until(lambda: len(live.way.streams) == 1, "the phone's stream")
        opened = live.way.streams[0]
        live.way.mute()
        live.until(lambda: any(each is not opened for each in list(live.way.streams)), "a stream in place of one that fell silent")
    live.activity("poll", POLL)
    phone.see("Where?")


PLAYED = {
    "join": join,
    "answer": answer,
    "reload": reload,
    "reveal": reveal,
    "offline": offline,
    "host": host,
    "screen": screen,
    "silent": silent,
}
