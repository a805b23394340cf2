"""What a bot sees of the phone is what the platform's contract says (protocol 2 to 9, 14)."""

from typing import Any

import msgspec
import pytest

from ivr.phone.callers.turn_based import CallerAction, Fail, Hold, Leave, Press, Speak, Wait
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Ended, Replied, StateChanged
from tests.phone.contract import valid
from tests.phone.fake_bot import ANSWER, DIGITS, HANG_UP, MENU, RECORD, SAY, FakeBot, fake_bot, flow, ops
from tests.phone.people import QUICK, call

END = flow(HANG_UP)


# --- the shape of a call ---------------------------------------------------------------------------------------------


async def test_a_call_is_announced_answered_and_ended() -> None:
    async with fake_bot(flow(ANSWER, SAY), END, b"") as bot:
        ended, person = await call(bot)
    assert (ended.by, ended.reason) == ("bot", "hangup")
    assert person.heard == ["Hello."]
    announced = bot.told[0].json
    assert announced["callState"] == "incoming"
    assert [one["originator"] for one in announced["participants"]] == [True, False]
    assert ops(bot.outcomes) == ["say", "bye"]
    assert [result["callState"] for result in bot.results] == ["established", "terminated"]
    assert valid(bot)


async def test_every_request_carries_the_headers_of_the_platform() -> None:
    async with fake_bot(flow(ANSWER), END) as bot:
        await call(bot)
    for told in bot.told:
        assert told.headers["Content-Type"] == "application/json; charset=utf-8"
        assert told.headers["Accept"] == "application/json"
        assert told.headers["Authorization"].startswith("Bearer ey")
        assert told.headers["User-Agent"] == "Microsoft-Skype/3.0,(Calling/1.0)"
    chains = {told.headers["x-microsoft-skype-chain-id"] for told in bot.told}
    messages = {told.headers["x-microsoft-skype-message-id"] for told in bot.told}
    assert len(chains) == 1
    assert len(messages) == len(bot.told) == 3


async def test_a_rejected_call_is_reported_as_terminated() -> None:
    async with fake_bot(flow({"operationId": "no", "action": "reject"})) as bot:
        ended, person = await call(bot)
    assert (ended.by, ended.reason) == ("bot", "reject")
    assert bot.results[0]["operationOutcome"] == {"type": "rejectOutcome", "id": "no", "outcome": "success"}
    assert bot.results[0]["callState"] == "terminated"
    assert StateChanged("established") not in person.events


async def test_app_state_is_echoed_for_its_own_workflow_alone() -> None:
    async with fake_bot(flow(ANSWER, state="one"), flow(SAY), flow(HANG_UP, state="three")) as bot:
        await call(bot)
    assert [result.get("appState") for result in bot.results] == ["one", None, "three"]


async def test_without_links_nothing_is_reported_and_the_phone_hangs_up() -> None:
    async with fake_bot(flow(ANSWER, SAY, links=None)) as bot:
        ended, _ = await call(bot)
    assert (ended.by, ended.reason) == ("platform", "no-links")
    assert len(bot.told) == 1


async def test_an_empty_answer_ends_the_call() -> None:
    async with fake_bot(flow(ANSWER), b"  ") as bot:
        ended, _ = await call(bot)
    assert (ended.by, ended.reason) == ("bot", "no-workflow")


async def test_what_a_bot_answers_to_the_end_is_not_done() -> None:
    async with fake_bot(flow(ANSWER, HANG_UP), flow(SAY)) as bot:
        _, person = await call(bot)
    assert person.heard == []


# --- links -----------------------------------------------------------------------------------------------------------


async def test_a_callback_elsewhere_is_not_called() -> None:
    elsewhere = flow(ANSWER, links={"callback": "https://192.0.2.1/callback"})
    async with fake_bot(elsewhere) as bot:
        ended, _ = await call(bot)
    assert (ended.by, ended.reason) == ("platform", "unreachable")
    assert "--allow 192.0.2.1" in ended.detail


async def test_notifications_go_to_their_own_address_and_never_to_the_callback() -> None:
    notified = flow(ANSWER, SAY, links={"notification": "BASE/notification"})
    async with fake_bot(notified, END) as bot:
        await call(bot)
    assert [(notice.json["type"], notice.json["currentState"]) for notice in bot.notices] == [
        ("callStateChange", "established"),
        ("callStateChange", "terminated"),
    ]
    assert not any("type" in told.json for told in bot.told)


async def test_without_an_address_there_are_no_notifications() -> None:
    subscribed = flow(ANSWER, notificationSubscriptions=["callStateChange"])
    async with fake_bot(subscribed, END) as bot:
        await call(bot)
    assert bot.notices == []


# --- limits and repeats ----------------------------------------------------------------------------------------------


async def test_a_5xx_gets_the_same_message_again() -> None:
    async with fake_bot(503, 500, flow(ANSWER), END) as bot:
        ended, _ = await call(bot)
    assert ended.reason == "hangup"
    first = bot.told[:3]
    assert len({told.headers["x-microsoft-skype-message-id"] for told in first}) == 1
    assert len({told.body for told in first}) == 1


async def test_silence_gets_the_same_message_again() -> None:
    async with fake_bot(None, flow(ANSWER), END) as bot:
        ended, person = await call(bot, limits=PhoneLimits(answer_time=0.2, retry_after=0))
    assert ended.reason == "hangup"
    assert next(event.failure for event in person.events if isinstance(event, Replied)) == "timeout"


async def test_a_bot_that_stays_in_trouble_is_hung_up_on_with_what_it_answered() -> None:
    async with fake_bot(503, 503, 503, flow(ANSWER)) as bot:
        ended, _ = await call(bot)
    assert ended == Ended("platform", "refused", "The bot answered 503.")
    assert len(bot.told) == 3


async def test_a_bot_that_is_silent_in_the_end_is_unreachable() -> None:
    async with fake_bot(503, 503, None) as bot:
        ended, _ = await call(bot, limits=PhoneLimits(answer_time=0.2, retry_after=0))
    assert (ended.by, ended.reason) == ("platform", "unreachable")


async def test_repeats_go_on_for_the_time_that_there_is_for_a_message() -> None:
    async with fake_bot(*[503] * 40, flow(ANSWER), END) as bot:
        limits = PhoneLimits(retries=10_000, retry_after=1e-9, retry_most=0.0001, give_up=60)
        ended, _ = await call(bot, limits=limits)
    assert ended.reason == "hangup"
    assert len(bot.told) == 43


async def test_after_the_time_for_a_message_the_bot_is_given_up() -> None:
    async with fake_bot(503, None, flow(ANSWER)) as bot:
        limits = PhoneLimits(retries=10_000, retry_after=0, retry_most=0, answer_time=60, give_up=0.3)
        ended, _ = await call(bot, limits=limits)
    assert (ended.by, ended.reason) == ("platform", "unreachable")
    assert ended.detail.startswith("no answer within 0.")
    assert len(bot.told) == 2


async def test_a_refusal_is_not_repeated() -> None:
    async with fake_bot(403, flow(ANSWER)) as bot:
        ended, _ = await call(bot)
    assert (ended.by, ended.reason) == ("platform", "refused")
    assert len(bot.told) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"code": "unknown-flow", "message": "No flow of this name."}}', ": No flow of this name."),
        (b'{"error": {"message": "\\u001b[2J\\n\\u202eGone \\t away\\u0007"}}', ": [2J Gone away"),
        (b'{"error": {"message": "' + b"x" * 5000 + b'"}}', f": {'x' * 200}…"),
        (b'{"error": {"message": 7}}', "."),
        (b'{"error": "no"}', "."),
        (b"[" * 10000, "."),
        (b"<h1>Bad Gateway</h1>", "."),
        (b"\xff\xfe", "."),
    ],
)
async def test_the_bots_own_reason_is_told_short_and_without_control_characters(body: bytes, said: str) -> None:
    async with fake_bot((404, body)) as bot:
        ended, _ = await call(bot)
    assert ended == Ended("platform", "refused", f"The bot answered 404{said}")


async def test_a_redirect_is_not_followed() -> None:
    async with fake_bot(302, flow(ANSWER)) as bot:
        ended, _ = await call(bot)
    assert ended.reason == "refused"


async def test_a_reply_without_end_is_cut_off() -> None:
    async with fake_bot(b"x" * 4096) as bot:
        ended, person = await call(bot, limits=msgspec.structs.replace(QUICK, reply_size=1024))
    assert ended.reason == "unreachable"
    assert [event.failure for event in person.events if isinstance(event, Replied)] == ["too-large"]


async def test_a_call_has_so_many_workflows_and_the_bot_is_told() -> None:
    async with fake_bot(flow(ANSWER), *([flow(SAY)] * 9)) as bot:
        ended, person = await call(bot, limits=PhoneLimits(workflows=4))
    assert (ended.by, ended.reason) == ("platform", "workflows")
    assert len(person.heard) == 4
    assert bot.results[-1]["callState"] == "terminated"
    assert bot.outcomes[-1]["outcome"] == "failure"


async def test_a_call_is_so_long_and_no_longer() -> None:
    async with fake_bot(flow(ANSWER, RECORD), END) as bot:
        ended, _ = await call(bot, Wait(60), limits=PhoneLimits(call_length=3.0))
    assert (ended.by, ended.reason) == ("platform", "length")
    assert bot.outcomes[-1]["completionReason"] == "callTerminated"
    assert bot.results[-1]["callState"] == "terminated"


# --- every way in which an action can end (protocol 7) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller_action", "outcome", "reason", "choice"),
    [
        (Press("1"), "success", "dtmfOptionMatched", "sales"),
        (Speak("Sales."), "success", "speechOptionMatched", "sales"),
        (Press("9"), "failure", "incorrectDtmf", None),
        (Hold("1"), "failure", "interdigitTimeout", None),
        (None, "failure", "initialSilenceTimeout", None),
        (Speak("weather"), "failure", "initialSilenceTimeout", None),
        (Leave(), "failure", "callTerminated", None),
        (Fail(), "failure", "temporarySystemFailure", None),
        (Fail("unknown"), "failure", "unknown", None),
    ],
)
async def test_a_choice_ends_in_every_way(
    caller_action: CallerAction | None, outcome: str, reason: str, choice: str | None
) -> None:
    async with fake_bot(flow(ANSWER, MENU), END) as bot:
        await call(bot, caller_action)
    found = bot.outcomes[0]
    assert (found["type"], found["id"], found["outcome"]) == ("recognizeOutcome", "menu", outcome)
    assert found["choiceOutcome"]["completionReason"] == reason
    assert found["choiceOutcome"].get("choiceName") == choice
    assert valid(bot)


@pytest.mark.parametrize(
    ("caller_action", "outcome", "reason", "keys"),
    [
        (Press("42#"), "success", "completedStopToneDetected", "42"),
        (Press("425"), "success", "completedStopToneDetected", "425"),  # a full count, with stop tones
        (Press("#"), "failure", "completedStopToneDetected", None),  # no digits, no success
        (Press("42"), "success", "interdigitTimeout", "42"),
        (Hold("4"), "success", "interdigitTimeout", "4"),
        (None, "failure", "initialSilenceTimeout", None),
        (Leave(), "failure", "callTerminated", None),
        (Fail(), "failure", "temporarySystemFailure", None),
        (Fail("unknown"), "failure", "unknown", None),
    ],
)
async def test_digits_end_in_every_way(
    caller_action: CallerAction | None, outcome: str, reason: str, keys: str | None
) -> None:
    async with fake_bot(flow(ANSWER, DIGITS), END) as bot:
        await call(bot, caller_action)
    found = bot.outcomes[0]
    assert found["outcome"] == outcome
    assert found["collectDigitsOutcome"]["completionReason"] == reason
    assert found["collectDigitsOutcome"].get("digits") == keys
    assert valid(bot)


async def test_a_full_count_without_stop_tones_is_a_pause() -> None:
    plain = DIGITS | {"collectDigits": {"maxNumberOfDtmfs": 2}}
    async with fake_bot(flow(ANSWER, plain), END) as bot:
        await call(bot, Press("42"))
    assert bot.outcomes[0]["collectDigitsOutcome"] == {"completionReason": "interdigitTimeout", "digits": "42"}


@pytest.mark.parametrize(
    ("caller_actions", "outcome", "reason"),
    [
        ([Speak("my flight was late")], "success", "completedSilenceDetected"),
        ([Press("#")], "success", "completedStopToneDetected"),
        ([Speak("word " * 100)], "success", "maxRecordingTimeout"),
        ([None], "failure", "initialSilenceTimeout"),
        ([Fail()], "failure", "temporarySystemFailure"),
        ([Fail("unknown")], "failure", "unknown"),
    ],
)
async def test_a_recording_ends_in_every_way(
    caller_actions: list[CallerAction | None], outcome: str, reason: str
) -> None:
    record = RECORD | {"stopTones": ["#"], "maxDurationInSeconds": 8}
    async with fake_bot(flow(ANSWER, record), END) as bot:
        await call(bot, *caller_actions)
    found = bot.outcomes[0]
    assert (found["outcome"], found["completionReason"]) == (outcome, reason)
    assert ("recordedAudio" in _parts(bot)) == (outcome == "success")
    assert valid(bot)


async def test_a_caller_who_leaves_after_speaking_leaves_a_recording() -> None:
    async with fake_bot(flow(ANSWER, RECORD), END) as bot:
        ended, _ = await call(bot, Wait(1.5), limits=PhoneLimits(call_length=1.6))
    assert ended.reason == "length"
    found = bot.outcomes[0]
    assert (found["outcome"], found["completionReason"]) == ("success", "callTerminated")
    assert 0 < found["lengthOfRecordingInSecs"] < 2
    assert _parts(bot)["recordedAudio"].startswith(b"RIFF")


async def test_a_caller_who_leaves_at_once_leaves_no_recording() -> None:
    async with fake_bot(flow(ANSWER, RECORD), END) as bot:
        await call(bot, Leave())
    assert bot.outcomes[0]["lengthOfRecordingInSecs"] == 0
    assert bot.outcomes[0]["outcome"] == "failure"


async def test_a_recording_that_cannot_be_encoded_is_the_platform_s_failure() -> None:
    async with fake_bot(flow(ANSWER, RECORD | {"recordingFormat": "mp3"}), END) as bot:
        await call(bot, Speak("hello"))
    assert bot.outcomes[0]["completionReason"] == "temporarySystemFailure"
    assert valid(bot)


async def test_a_recording_is_a_form_that_every_sdk_can_read() -> None:
    async with fake_bot(flow(ANSWER, RECORD), END) as bot:
        await call(bot, Speak("my flight was late"))
    told = next(told for told in bot.told if told.headers["Content-Type"].startswith("multipart"))
    assert 'boundary="' in told.headers["Content-Type"]
    assert b"filename" not in told.body.partition(b"RIFF")[0]
    assert b"Content-Type: audio/wav\r\nContent-Disposition: form-data; name=recordedAudio" in told.body
    assert b"Content-Type: application/json; charset=utf-8\r\nContent-Disposition: form-data; name=conv" in told.body
    seconds = told.outcome["lengthOfRecordingInSecs"]
    assert len(told.parts["recordedAudio"]) == pytest.approx(44 + 32000 * seconds, abs=4)


@pytest.mark.parametrize("action", [MENU, RECORD, SAY], ids=["recognize", "record", "playPrompt"])
async def test_a_file_that_cannot_be_had_fails_what_plays_it(action: dict[str, Any]) -> None:
    prompts = {"prompts": [{"fileUri": "BASE/files/missing.wav"}]}
    nested = {"playPrompt": {"operationId": "p", "action": "playPrompt", **prompts}}
    played = action | (prompts if action is SAY else nested)
    async with fake_bot(flow(ANSWER, played), END) as bot:
        await call(bot, aloud=True)
    found = bot.outcomes[0]
    assert found["outcome"] == "failure"
    assert "404" in found["failureReason"]


def _parts(bot: FakeBot) -> dict[str, bytes]:
    for told in bot.told:
        if told.headers["Content-Type"].startswith("multipart"):
            return told.parts
    return {}
