"""Whole calls between our jambonz and a small bot: what each is told, what is streamed, what goes wrong on purpose."""

from collections.abc import Iterator
from typing import Any

import pytest

from ivr.carriers.bot import BotFailed, BotReply
from ivr.carriers.jambonz.call_order import BadOrder, Callee, CallOrder, read_order
from ivr.carriers.jambonz.hook_signing import FORGERIES, HEADER
from ivr.carriers.jambonz.verbs import Auth
from ivr.phone.callers.turn_based import Connect, Leave, Press, Speak, Wait
from ivr.phone.phone_events import Ended, ListensFor, PromptBegan, RecordingOver, Replied, StateChanged
from tests.carriers.jambonz.judges import judged, needs_judges
from tests.carriers.jambonz.small_bot import AT, BASE, Person, SmallBot, carrier_of, handset, json_reply

SAY = {"verb": "say", "text": "Thank you."}
MENU: dict[str, Any] = {
    "verb": "gather",
    "input": ["digits", "speech"],
    "actionHook": f"{BASE}/step#rc=2&rp=ct,5xx",
    "numDigits": 1,
    "minDigits": 1,
    "timeout": 5,
    "recognizer": {"vendor": "default", "hints": ["sales", "support"]},
    "say": {"text": "Press 1 or say sales."},
}
LISTEN: dict[str, Any] = {
    "verb": "listen",
    "url": "ws://bot.test/rec/abc",
    "actionHook": "/recorded",
    "passDtmf": True,
    "playBeep": True,
    "wsAuth": {"username": "rec", "password": "pw"},
    "metadata": {"token": "abc"},
}


# --- a call as it should go ------------------------------------------------------------------------------------------


async def test_a_menu_a_recording_and_goodbye() -> None:
    bot = SmallBot({"/call": [MENU], "/step": [LISTEN], "/recorded": [SAY, {"verb": "hangup"}]})
    person = Person(Press("1"), Speak("My flight was late."))
    ended = await carrier_of(bot).place(handset(person))
    assert ended == Ended("bot", "hangup")
    assert [url for url, _ in bot.got] == ["/call", "/status", "/status", "/step", "/recorded", "/status"]
    assert person.seen(PromptBegan)[0].text == "Press 1 or say sales."
    assert bot.got_by("/step")[0]["digits"] == "1"
    assert bot.got_by("/status")[-1]["call_status"] == "completed"


async def test_what_is_said_is_streamed_with_the_silence_around_it() -> None:
    bot = SmallBot({"/call": [LISTEN], "/recorded": []}, seconds=4.0)
    person = Person(Speak("My flight was late."))
    await carrier_of(bot).place(handset(person))
    stream = bot.streams[0]
    assert stream.texts[0]["token"] == "abc"
    assert stream.request.headers == (("Authorization", "Basic cmVjOnB3"),)
    assert stream.spoken_to == pytest.approx(4.0)
    loud = stream.loudness
    assert loud[0] > 1000
    assert loud[3] == 0
    assert bot.got_by("/recorded")[0]["dial_call_duration"] == 4
    assert person.seen(RecordingOver)[0].seconds == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize(("rate", "frame"), [(8000, 320), (16000, 640), (24000, 960)])
async def test_the_stream_has_the_rate_that_is_asked_for(rate: int, frame: int) -> None:
    bot = SmallBot({"/call": [{**LISTEN, "sampleRate": rate}]}, seconds=1.0)
    await carrier_of(bot).place(handset(Person(Speak("Hello."))))
    assert len(bot.streams[0].sound) == 50 * frame


async def test_keys_go_into_the_stream_as_texts() -> None:
    bot = SmallBot({"/call": [LISTEN]})
    await carrier_of(bot).place(handset(Person(Press("5#"))))
    assert [text["dtmf"] for text in bot.streams[0].texts[1:]] == ["5", "#"]


async def test_a_caller_who_leaves_ends_the_stream() -> None:
    bot = SmallBot({"/call": [LISTEN]})
    ended = await carrier_of(bot).place(handset(Person(Wait(1.0), Leave())))
    assert ended == Ended("caller", "left")
    assert bot.streams[0].closed
    assert [url for url, _ in bot.got][-2:] == ["/status", "/recorded"]


async def test_words_are_told_and_whoever_plays_the_caller_knows_that_any_words_count() -> None:
    bot = SmallBot({"/call": [MENU], "/step": []})
    person = Person(Speak("I want my money back"))
    await carrier_of(bot).place(handset(person))
    speech = bot.got_by("/step")[0]["speech"]
    assert speech["alternatives"][0]["transcript"] == "I want my money back"
    assert [listens.kind for listens in person.seen(ListensFor)] == ["anything"]


async def test_a_transfer() -> None:
    dial = {"verb": "dial", "target": [{"type": "phone", "number": "+15550123"}], "actionHook": "/dialled"}
    bot = SmallBot({"/call": [dial], "/dialled": [SAY]})
    assert (await carrier_of(bot).place(handset(Person(Connect(486))))).reason == "hangup"
    assert bot.got_by("/dialled")[0]["dial_call_status"] == "busy"
    assert (await carrier_of(bot).place(handset(Person(Connect(200))))).reason == "transfer"


# --- hooks -----------------------------------------------------------------------------------------------------------


async def test_each_hook_is_signed_over_its_very_bytes() -> None:
    bot = SmallBot({"/call": [MENU], "/step": []})
    await carrier_of(bot).place(handset(Person(Press("1"))))
    assert all(dict(one.headers)[HEADER].startswith(f"t={AT},v1=") for one in bot.requests)
    assert dict(bot.requests[0].headers)["Content-Type"] == "application/json"


@needs_judges
async def test_jambonzs_own_library_takes_our_signatures_and_no_forged_one() -> None:
    import time  # noqa: PLC0415  # the judge asks the clock

    from ivr.carriers.jambonz.hook_signing import forged, signature  # noqa: PLC0415

    body, now = '{"from":"Ärger"}', int(time.time())
    headers = [signature(body.encode(), "s", now), *(forged(body.encode(), "s", now, how) for how in FORGERIES)]
    verdicts = judged(signatures=[("s", header, body) for header in headers])["signatures"]
    assert verdicts[0] == ""
    assert all(verdicts[1:])


async def test_a_repeat_has_the_same_signature_and_comes_only_where_the_address_asks_for_it() -> None:
    answers: Iterator[Any] = iter([BotFailed("connect", "refused"), json_reply([], 503), json_reply([SAY])])
    bot = SmallBot({"/call": [MENU], "/step": lambda _: next(answers)})
    await carrier_of(bot).place(handset(Person(Press("1"))))
    tries = [one for one in bot.requests if one.url == f"{BASE}/step"]
    assert len(tries) == 3
    assert len({one.headers for one in tries}) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (BotFailed("timeout", "no answer"), "unreachable"),
        (json_reply([SAY], 500), "refused"),
        (BotReply(200, "text/html", b"[]"), "refused"),
        (BotReply(200, "application/json", b"nonsense"), "refused"),
        (json_reply({"verb": "say"}), "refused"),
        (json_reply([]), "refused"),
    ],
)
async def test_a_first_answer_that_is_none_fails_the_call(answer: Any, reason: str) -> None:
    bot = SmallBot({"/call": lambda _: answer})
    ended = await carrier_of(bot).place(handset(Person()))
    assert (ended.by, ended.reason) == ("platform", reason)
    assert len(bot.requests) == 1


@pytest.mark.parametrize(
    "answer", [BotReply(204, "", b""), BotReply(200, "text/plain", b"x"), json_reply({}), json_reply([]), json_reply(5)]
)
async def test_a_later_answer_without_verbs_lets_the_list_go_on(answer: Any) -> None:
    bot = SmallBot({"/call": [MENU, SAY], "/step": lambda _: answer})
    person = Person(Press("1"))
    assert (await carrier_of(bot).place(handset(person))).reason == "hangup"
    assert [said.text for said in person.seen(PromptBegan)][-1] == "Thank you."


@pytest.mark.parametrize("hook", ["/step#rc=2", "wss://bot.test/step", "step", "ftp://bot.test/"])
async def test_an_address_that_jambonz_does_not_ask_is_a_failed_hook(hook: str) -> None:
    bot = SmallBot({"/call": [{"verb": "redirect", "actionHook": hook}]})
    ended = await carrier_of(bot).place(handset(Person()))
    assert (ended.by, ended.reason) == ("platform", "refused")
    assert hook in ended.detail


async def test_a_password_goes_with_each_hook() -> None:
    bot = SmallBot({"/call": [SAY]})
    await carrier_of(bot, auth=Auth("u", "p")).place(handset(Person()))
    assert {dict(one.headers)["Authorization"] for one in bot.requests} == {"Basic dTpw"}


@needs_judges
async def test_whatever_is_told_is_as_jambonzs_schemas_define_it() -> None:
    refer = {"verb": "sip:refer", "referTo": "sip:desk@127.0.0.1", "actionHook": "/referred"}
    dial = {"verb": "dial", "target": [{"type": "phone", "number": "+15550123"}], "actionHook": "/dialled"}
    play = {"verb": "play", "url": "http://bot.test/a.wav", "actionHook": "/played"}
    bot = SmallBot(
        {
            "/call": [MENU],
            "/step": lambda told: [{**MENU, "actionHook": "/again"}] if "digits" in told else [],
            "/again": [{**MENU, "actionHook": "/silent", "timeout": 1}],
            "/silent": [play],
            "/played": [LISTEN],
            "/recorded": [dial],
            "/dialled": [refer],
            "/referred": [{"verb": "redirect", "actionHook": "/last"}],
            "/last": [{"verb": "hangup"}],
            "/amd": [],
        }
    )
    person = Person(Press("1"), Speak("sales"), None, Speak("Hello."), Wait(9), Connect(486), Connect(480))
    assert (await carrier_of(bot).place(handset(person))).reason == "hangup"
    for answers in ("machine", "human", "busy", "nobody"):
        order = read_order(ORDER)
        await carrier_of(bot).make(order, Callee(answers), handset(Person(None, None, None, None)))
    schema = {
        "/call": "session-new",
        "/status": "call-status",
        "/recorded": "listen",
        "/dialled": "dial",
        "/referred": "sip-refer",
        "/played": "play",
        "/last": "session-redirect",
        "/amd": "amd",
    }
    payloads = [(schema.get(url, "gather"), payload) for url, payload in bot.got]
    assert {*schema} <= {url for url, _ in bot.got}
    verdicts = judged(payloads=payloads)["payloads"]
    assert [one for one in zip(payloads, verdicts, strict=True) if one[1]] == []


# --- misdeeds --------------------------------------------------------------------------------------------------------


async def test_a_bot_that_takes_forged_hooks_is_found_out() -> None:
    carrier = carrier_of(SmallBot({"/call": [SAY]}), "forged")
    await carrier.place(handset(Person()))
    assert {finding.split("(")[1].split(")")[0] for finding in carrier.findings} == set(FORGERIES)


async def test_each_hook_twice_at_once_and_a_bot_that_answers_differently_is_found_out() -> None:
    count = iter(range(100))
    bot = SmallBot({"/call": lambda _: [{"verb": "say", "text": str(next(count))}]})
    carrier = carrier_of(bot, "twice")
    await carrier.place(handset(Person()))
    assert carrier.findings == [f"{BASE}/call: the same hook was answered in two ways"]


async def test_lost_answers_are_asked_for_again_with_the_same_signature() -> None:
    bot = SmallBot({"/call": [SAY]})
    carrier = carrier_of(bot, "lost")
    await carrier.place(handset(Person()))
    assert bot.requests[0] == bot.requests[1]
    assert carrier.findings == []


async def test_the_hook_before_comes_late() -> None:
    bot = SmallBot({"/call": [MENU], "/step": [SAY]})
    await carrier_of(bot, "late").place(handset(Person(Press("1"))))
    urls = [url for url, _ in bot.got]
    assert urls[-4:] == ["/step", "/status", "/status", "/step"]


async def test_the_caller_hangs_up_while_the_bot_is_answering() -> None:
    bot = SmallBot({"/call": [MENU], "/step": [SAY]})
    ended = await carrier_of(bot, "hangup-open").place(handset(Person(Press("1"))))
    assert ended == Ended("caller", "left")
    assert {url for url, _ in bot.got[-2:]} == {"/step", "/status"}


async def test_the_socket_breaks_off() -> None:
    bot = SmallBot({"/call": [LISTEN], "/recorded": [SAY]})
    ended = await carrier_of(bot, "socket-dropped").place(handset(Person(Speak("Hello."))))
    assert bot.streams[0].dropped
    assert bot.streams[0].spoken_to == pytest.approx(1.0)
    assert bot.got_by("/recorded")[0]["dial_call_duration"] == 1
    assert ended.reason == "hangup"


# --- calls that the bot orders ---------------------------------------------------------------------------------------

ORDER = (
    b'{"from":"+15550100","to":{"type":"phone","number":"+15550177"},"call_hook":{"url":"http://bot.test/call",'
    b'"method":"POST"},"call_status_hook":"http://bot.test/status","timeout":20,"amd":{"actionHook":"/amd"},'
    b'"tag":{"ours":"abc"}}'
)
WAITS = {"verb": "pause", "length": 20}


async def made(callee: Callee, pages: dict[str, Any]) -> tuple[SmallBot, Ended]:
    bot = SmallBot(pages)
    ended = await carrier_of(bot).make(read_order(ORDER), callee, handset(Person()))
    return bot, ended


async def test_a_call_that_is_answered_asks_its_own_hook() -> None:
    bot, ended = await made(Callee(), {"/call": [SAY]})
    statuses = [payload["call_status"] for payload in bot.got_by("/status")]
    assert statuses == ["trying", "ringing", "in-progress", "completed"]
    first = bot.got_by("/call")[0]
    assert (first["direction"], first["call_status"]) == ("outbound", "in-progress")
    assert first["customerData"] == {"ours": "abc"}
    assert "sip" not in first
    assert ended.reason == "hangup"


@pytest.mark.parametrize(
    ("callee", "told"),
    [
        (Callee("busy"), ("busy", 486)),
        (Callee("rejected"), ("busy", 603)),
        (Callee("nobody", rings=90), ("no-answer", 487)),
        (Callee("human", rings=90), ("no-answer", 487)),
        (Callee("unreachable"), ("failed", 404)),
    ],
)
async def test_one_that_nobody_takes_is_told_by_its_status(callee: Callee, told: tuple[str, int]) -> None:
    bot, ended = await made(callee, {"/call": [SAY]})
    last = bot.got_by("/status")[-1]
    assert (last["call_status"], last["sip_status"]) == told
    assert bot.got_by("/call") == []
    assert ended.by == "platform"


async def test_it_is_told_who_has_answered() -> None:
    bot, _ = await made(Callee("machine"), {"/call": [WAITS]})
    assert [one["type"] for one in bot.got_by("/amd")] == [
        *("amd_machine_detected", "amd_tone_detected", "amd_machine_stopped_speaking")
    ]
    bot, _ = await made(Callee("human"), {"/call": [WAITS]})
    assert [one["type"] for one in bot.got_by("/amd")] == ["amd_human_detected"]


async def test_verbs_that_answer_it_take_the_place_of_what_is_done() -> None:
    bot, ended = await made(Callee("machine"), {"/call": [WAITS], "/amd": [{"verb": "hangup"}]})
    assert ended == Ended("bot", "hangup")
    assert bot.got_by("/status")[-1]["duration"] == 3


async def test_a_silent_bot_is_told_no_more_than_it_asked_for() -> None:
    order = CallOrder(f"{BASE}/call", read_order(ORDER).to, "+15550100")
    bot = SmallBot({"/call": [SAY]})
    await carrier_of(bot).make(order, Callee(), handset(Person()))
    assert [url for url, _ in bot.got] == ["/call"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "not an order"),
        (b"[]", "must be an object"),
        (b'{"from":"x"}', '"call_hook" is missing'),
        (ORDER.replace(b"phone", b"fax"), '"fax" is none of phone, sip, user, teams'),
        (ORDER.replace(b'"timeout"', b'"bogus"'), "unknown property"),
    ],
)
def test_an_order_that_is_none_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(BadOrder, match=problem):
        read_order(body)


async def test_states_and_answers_are_shown() -> None:
    person = Person()
    await carrier_of(SmallBot({"/call": [SAY]})).place(handset(person))
    assert [change.state for change in person.seen(StateChanged)] == ["incoming", "established", "terminated"]
    assert person.seen(Replied)[0].status == 200
