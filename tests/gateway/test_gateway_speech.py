"""The gateway speaks and listens as the settings of speech say: by services, which are on loopback here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ivr.media.recorder import wav
from ivr.media.sound import silence, tone
from ivr.speech_settings import SpeechSettings
from tests.fakes.speech_api import SpeechApi
from tests.fakes.voice_api import Sound, VoiceApi
from tests.gateway.calling_the_gateway import gateway_to
from tests.gateway.telephone import telephone
from tests.phone.fake_bot import ANSWER, HANG_UP, fake_bot, flow

SPOKEN = tone(500, 0.4)
WELCOME = {
    "operationId": "say",
    "action": "playPrompt",
    "prompts": [{"value": "Willkommen.", "culture": "de-DE", "voice": "female"}],
}
MENU = {
    "operationId": "menu",
    "action": "recognize",
    "culture": "de-DE",
    "playPrompt": {"operationId": "menu.p", "action": "playPrompt", "prompts": [{"value": "Vertrieb oder Technik?"}]},
    "choices": [
        {"name": "sales", "speechVariation": ["Vertrieb"]},
        {"name": "support", "speechVariation": ["Technik"]},
    ],
}


@pytest.fixture
async def voice() -> AsyncIterator[VoiceApi]:
    api = VoiceApi(wav(SPOKEN).data)
    await api.start()
    yield api
    await api.stop()


async def test_prompts_are_spoken_by_a_service_in_their_language_and_once_for_all_calls(
    voice: VoiceApi, tmp_path: Path
) -> None:
    speech = SpeechSettings(
        voice="openai", voice_url=voice.base, voice_female=("nova", "de=katja"), voice_cache=tmp_path
    )
    one_call = (flow(ANSWER, WELCOME), flow(HANG_UP), b"")
    for _ in range(2):  # the second gateway finds everything in the folder
        async with (
            fake_bot(*one_call, *one_call) as bot,
            gateway_to(bot, speech=speech) as gateway,
            telephone() as phone,
        ):
            for _ in range(2):
                caller = await phone.dial(gateway.addresses[0])
                await caller.answered()
                await caller.hears(SPOKEN)
                await caller.ended()
    spoken = [order.body for order in voice.orders]
    assert [(body["voice"], body["input"]) for body in spoken if body["input"] == "Willkommen."] == [
        ("katja", "Willkommen.")
    ]
    assert len({body["input"] for body in spoken}) == len(spoken)  # the apology is the other one


@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="no voice: pip install 'ivr[phone]'")
async def test_a_voice_that_is_away_is_stood_in_for(voice: VoiceApi) -> None:
    voice.answers = [Sound(status=401)]
    async with (
        fake_bot(flow(ANSWER, WELCOME), flow(HANG_UP)) as bot,
        gateway_to(bot, speech=SpeechSettings(voice="openai", voice_url=voice.base)) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears_sound()
        await caller.ended()
        assert bot.outcomes[0]["outcome"] == "success"


async def test_a_prompt_that_nobody_can_speak_is_told_to_the_bot(voice: VoiceApi) -> None:
    voice.answers = [Sound(status=401)]
    speech = SpeechSettings(voice="openai", voice_url=voice.base, voice_fallback=("none",))
    async with (
        fake_bot(flow(ANSWER, WELCOME), flow(HANG_UP)) as bot,
        gateway_to(bot, speech=speech) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.ended()
        assert bot.outcomes[0]["outcome"] == "failure"
        assert "refused the key" in bot.outcomes[0]["failureReason"]


async def test_choices_are_understood_by_a_service_in_their_language(voice: VoiceApi) -> None:
    ear = SpeechApi({"text": "Den Vertrieb, bitte."})
    await ear.start()
    speech = SpeechSettings(
        voice="openai", voice_url=voice.base, stt="openai", openai_url=ear.base, openai_model="small"
    )
    try:
        async with (
            fake_bot(flow(ANSWER, MENU), flow(HANG_UP)) as bot,
            gateway_to(bot, speech=speech) as gateway,
            telephone() as phone,
        ):
            caller = await phone.dial(gateway.addresses[0])
            await caller.answered()
            await caller.hears(SPOKEN)
            caller.speak(tone(300, 0.8) + silence(0.6))
            await caller.ended()
            outcome = bot.outcomes[0]["choiceOutcome"]
    finally:
        await ear.stop()
    assert (outcome["completionReason"], outcome["choiceName"]) == ("speechOptionMatched", "sales")
    [asked] = ear.forms
    assert (asked.fields["language"], asked.fields["prompt"]) == ("de", "Vertrieb, Technik")
    assert asked.files["file"].seconds > 0.8  # 16 kHz, as the engine needs it
