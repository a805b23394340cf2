"""Whole calls to a bot that is not ours: what is posted, in which order, and who ended the call."""

from collections.abc import Mapping

import pytest

from ivr.carriers.bot import BotFailed
from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.carriers.twiml.call_plan import CALLED, CALLER, TwimlCallPlan
from ivr.carriers.twiml.twiml_carrier import TwimlCallResult, TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.phone.callers.turn_based import CallerAction, Connect, Fail, Leave, Press, Speak
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Ended, WorkflowRefused
from tests.carriers.twiml.tiny_bot import BOT, PAGES, SID, Acts, TinyBot, account, on_the_phone

PLAN = TwimlCallPlan(Target(f"{BOT}/call"), status=Target(f"{BOT}/status"))


async def call(
    *actions: CallerAction | None,
    bot: TinyBot,
    plan: TwimlCallPlan = PLAN,
    misdeeds: frozenset[Misdeed] = frozenset(),
    limits: PhoneLimits | None = None,
    person: Acts | None = None,
) -> TwimlCallResult:
    carrier = TwimlCarrier(
        bot, account(), misbehaviour=Misbehaviour(misdeeds), limits=limits or PhoneLimits(workflows=20)
    )
    return await carrier.place(on_the_phone(person or Acts(*actions)), plan)


async def test_a_call_is_told_as_the_carrier_tells_it() -> None:
    bot = TinyBot()
    done = await call(Press("1"), Speak("my telephone is broken"), bot=bot)
    assert done.ended == Ended("bot", "hangup")
    assert bot.paths == ["/call", "/chosen", "/recorded", "/rec", "/status"]
    first, then = bot.forms("/call")[0], bot.forms("/chosen")[0]
    assert first == {
        "AccountSid": SID, "ApiVersion": "2010-04-01", "CallSid": done.sid, "CallStatus": "ringing", "Called": CALLED,
        "Caller": CALLER, "Direction": "inbound", "From": CALLER, "To": CALLED,
    }  # fmt: skip
    assert (then["Digits"], then["CallStatus"], then["FinishedOnKey"]) == ("1", "in-progress", "")
    assert done.findings == ()


async def test_every_request_of_a_call_has_the_same_id_and_a_token_of_its_own() -> None:
    bot = TinyBot()
    done = await call(Press("1"), Speak("hello there"), bot=bot)
    assert {form["CallSid"] for _, form in bot.requests} == {done.sid}
    tokens = [dict(request.headers)["I-Twilio-Idempotency-Token"] for request in bot.raw]
    assert len(set(tokens)) == len(bot.raw) == done.requests


async def test_words_are_a_result_like_keys() -> None:
    bot = TinyBot()
    await call(Speak("support"), Connect(486), bot=bot)
    assert bot.forms("/chosen")[0]["SpeechResult"] == "support"
    assert bot.forms("/dialled")[0]["DialCallStatus"] == "busy"


async def test_silence_leads_on_in_the_document() -> None:
    bot, person = TinyBot(), Acts(None, Leave())
    done = await call(bot=bot, person=person)
    assert bot.paths == ["/call", "/call", "/status"]
    assert person.heard[:2] == ["Press 1 for sales, or 2 for support.", "I did not hear you."]
    assert done.ended == Ended("caller", "left")


async def test_a_recording_is_kept_and_told_with_its_address() -> None:
    bot = TinyBot()
    carrier = TwimlCarrier(bot, account())
    await carrier.place(on_the_phone(Acts(Press("1"), Speak("one two three four five"))), PLAN)
    (kept,) = carrier.account.recordings
    (form,) = bot.forms("/recorded")
    assert form["RecordingUrl"] == f"https://api.carrier.example/2010-04-01/Accounts/{SID}/Recordings/{kept.sid}"
    assert (form["RecordingSid"], int(form["RecordingDuration"])) == (kept.sid, kept.seconds)
    assert kept.data.startswith(b"RIFF")
    (told,) = bot.forms("/rec")
    assert (told["RecordingStatus"], told["RecordingSid"]) == ("completed", kept.sid)


async def test_who_hangs_up_in_a_recording_is_told_by_its_action_and_nothing_more_is_done() -> None:
    bot = TinyBot()

    class Impatient(Acts):
        async def act(self, situation):
            found = await super().act(situation)
            return Leave() if found is None and situation.listening and self._waits and not self._actions else found

    done = await call(bot=bot, person=Impatient(Press("1"), Speak("one two three")))
    (form,) = bot.forms("/recorded")
    assert (form["Digits"], form["CallStatus"]) == ("hangup", "completed")
    assert done.ended == Ended("caller", "left")
    assert bot.paths[-1] == "/status"


@pytest.mark.parametrize(
    ("pages", "ended", "status"),
    [
        ({"/call": lambda _: "<Response><Reject reason='busy'/></Response>"}, Ended("bot", "reject", "busy"), "busy"),
        ({"/call": lambda _: "<Response><Reject/></Response>"}, Ended("bot", "reject", "rejected"), "no-answer"),
        ({"/call": lambda _: "<Response/>"}, Ended("bot", "hangup"), "completed"),
        ({"/call": lambda _: "<Response><Dial>+4930123</Dial></Response>"}, Ended("bot", "transfer"), "completed"),
    ],
)
async def test_how_calls_end(pages: Mapping[str, object], ended: Ended, status: str) -> None:
    bot = TinyBot({**PAGES, **pages})  # type: ignore[dict-item]
    done = await call(Connect(200), bot=bot)
    assert done.ended == ended
    assert bot.forms("/status")[-1]["CallStatus"] == status


async def test_who_leaves_before_the_answer_has_cancelled() -> None:
    bot = TinyBot({"/call": lambda _: "<Response><Pause length='30'/></Response>"})

    class Impatient(Acts):
        async def act(self, situation):
            return Leave()

    await call(bot=bot, person=Impatient())
    assert bot.forms("/status")[-1]["CallStatus"] == "canceled"


async def test_a_line_that_fails_ends_the_call() -> None:
    bot = TinyBot()
    done = await call(Fail(), bot=bot)
    assert (done.ended.by, done.ended.reason) == ("platform", "line")


async def test_a_talk_that_is_over_is_told_to_the_action() -> None:
    bot = TinyBot()
    done = await call(Press("2"), Connect(200), bot=bot)
    assert done.ended == Ended("bot", "transfer")
    assert bot.forms("/dialled")[0]["DialCallStatus"] == "completed"


async def test_the_other_call_is_told_and_whoever_answers_hears_something_first() -> None:
    number = (
        "<Number url='/whisper' statusCallback='/status' statusCallbackEvent='initiated answered'>+4930123</Number>"
    )
    pages = {
        "/call": lambda _: f"<Response><Dial action='/dialled'>{number}</Dial></Response>",
        "/whisper": lambda _: "<Response><Say>A caller.</Say></Response>",
    }
    bot = TinyBot({**PAGES, **pages})
    done = await call(Connect(200), bot=bot, plan=TwimlCallPlan(PLAN.voice))
    assert bot.paths == ["/call", "/status", "/status", "/whisper", "/dialled"]
    told = bot.forms("/status")
    assert [form["CallStatus"] for form in told] == ["initiated", "in-progress"]
    assert (told[0]["ParentCallSid"], told[0]["To"]) == (done.sid, "+4930123")
    assert told[0]["CallSid"] == told[1]["CallSid"] != done.sid


# --- a bot that fails ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (None, "11200"),
        (lambda _: "<Response><Nothing/></Response>", "12200"),
        (lambda _: "no XML at all", "12100"),
        (lambda _: "<Other/>", "12102"),
    ],
)
async def test_the_fallback_is_asked_with_the_error(page: object, code: str) -> None:
    pages = {"/fallback": lambda _: "<Response><Say>Sorry.</Say></Response>"}
    bot = TinyBot({**pages, "/call": page} if page else pages)  # type: ignore[dict-item]
    plan = TwimlCallPlan(PLAN.voice, status=PLAN.status, fallback=Target(f"{BOT}/fallback"))
    person = Acts()
    done = await call(bot=bot, plan=plan, person=person)
    (form,) = bot.forms("/fallback")
    assert (form["ErrorCode"], form["ErrorUrl"]) == (code, f"{BOT}/call")
    assert done.ended == Ended("bot", "hangup")
    assert any(isinstance(event, WorkflowRefused) and event.problems[0].startswith(code) for event in person.events)


async def test_without_a_fallback_the_call_is_over() -> None:
    bot = TinyBot({"/call": lambda _: "<Response><Sya>x</Sya></Response>"})
    done = await call(bot=bot)
    assert (done.ended.by, done.ended.reason) == ("platform", "refused")
    assert 'no element is called Sya. Did you mean "Say"? (error 12200)' in done.ended.detail
    assert bot.forms("/status")[-1]["CallStatus"] == "failed"


async def test_a_bot_that_is_not_there_is_tried_once_more() -> None:
    bot = TinyBot()
    bot.fails.append(BotFailed("connect", "refused"))
    done = await call(Leave(), bot=bot)
    assert done.ended == Ended("caller", "left")
    tokens = [dict(request.headers)["I-Twilio-Idempotency-Token"] for request in bot.raw[:2]]
    assert tokens[0] == tokens[1]


async def test_a_bot_that_is_not_there_at_all_is_unreachable() -> None:
    bot = TinyBot()
    bot.fails.extend(BotFailed("connect", "refused") for _ in range(4))
    assert (await call(bot=bot)).ended.reason == "unreachable"


async def test_a_bot_that_answers_too_late_is_not_tried_again() -> None:
    bot = TinyBot()
    bot.fails.append(BotFailed("timeout", "no answer within 15 s"))
    assert (await call(bot=bot)).ended.reason == "unreachable"
    assert len([request for request in bot.raw if request.url.endswith("/call")]) == 1


async def test_a_bot_that_goes_round_in_circles_is_stopped() -> None:
    bot = TinyBot({"/call": lambda _: "<Response><Redirect>/call</Redirect></Response>"})
    done = await call(bot=bot)
    assert done.ended.reason == "workflows"


async def test_a_call_has_a_longest_time() -> None:
    bot = TinyBot({"/call": lambda _: "<Response><Play loop='0'>/music.mp3</Play></Response>"})
    done = await call(bot=bot, limits=PhoneLimits(call_length=60.0))
    assert done.ended.reason == "length"
    assert bot.forms("/status")[-1]["CallDuration"] == "60"


# --- misbehaviour ----------------------------------------------------------------------------------------------------


async def test_forged_requests_are_sent_before_each_request_and_have_to_be_refused() -> None:
    bot = TinyBot()
    done = await call(Press("1"), Speak("hello"), bot=bot, misdeeds=frozenset({"forged"}))
    assert bot.refused == 4 * len(bot.requests)
    assert done.findings == ()


async def test_a_bot_that_takes_forged_requests_is_found_out() -> None:
    done = await call(Leave(), bot=TinyBot(checks=False), misdeeds=frozenset({"forged"}))
    assert "https://bot.example/call: a request with a bad signature (unsigned) was answered 200" in done.findings


@pytest.mark.parametrize("misdeed", ["twice", "lost"])
async def test_repeats_have_the_same_token_and_must_get_the_same_answer(misdeed: Misdeed) -> None:
    counted = iter(range(1000))
    bot = TinyBot({"/call": lambda _: f"<Response><Say>{next(counted)}</Say></Response>"})
    done = await call(bot=bot, misdeeds=frozenset({misdeed}))
    assert done.findings == ("https://bot.example/call: the same request was answered in two ways",)
    one, other = bot.raw[:2]
    assert one == other


async def test_an_old_request_comes_again_after_the_next() -> None:
    bot = TinyBot()
    await call(Press("1"), Speak("hello"), bot=bot, misdeeds=frozenset({"late"}))
    assert bot.paths[:4] == ["/call", "/chosen", "/call", "/recorded"]


async def test_the_caller_hangs_up_while_the_bot_answers() -> None:
    bot = TinyBot()
    done = await call(Press("1"), bot=bot, misdeeds=frozenset({"hangup-open"}))
    assert done.ended == Ended("caller", "left")
    assert set(bot.paths[1:]) == {"/chosen", "/status"}


async def test_the_end_is_told_before_what_ended_it() -> None:
    pages = {"/call": lambda _: "<Response><Dial action='/dialled'>+4930123</Dial></Response>"}
    bot = TinyBot({**PAGES, **pages})
    await call(Connect(200), bot=bot, misdeeds=frozenset({"status-first"}))
    assert bot.paths == ["/call", "/status", "/dialled"]


async def test_time_is_simulated() -> None:
    bot = TinyBot()
    await call(Press("2"), Connect(404), bot=bot)
    times = [request.at for request in bot.raw]
    assert times == sorted(times)
    assert 2.0 < times[1] < 4.0  # the question, and the reaction to it
