"""A voice: Azure's, by Microsoft's Speech SDK, over a websocket."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate
from ivr.speech.accounts import AzureAccount
from ivr.speech.azure_sdk import NEEDED, sdk, voice_config
from ivr.speech.languages import with_region
from ivr.speech.voice_cache import VoiceIdentity
from ivr.speech.voice_names import VoiceNames
from ivr.speech.wording import DATES, speakable

FEMALE, MALE = "en-US-AvaMultilingualNeural", "en-US-AndrewMultilingualNeural"
"Voices that speak all languages of the service."
LONGEST_WAIT = 8.0
"Seconds for which a caller hears silence, at most."
_FORMS: Mapping[SampleRate, str] = {
    8_000: "Raw8Khz16BitMonoPcm",
    16_000: "Raw16Khz16BitMonoPcm",
    48_000: "Raw48Khz16BitMonoPcm",
}
"What the service is to send, in the words of its SDK: it makes all rates by itself."
_SAY_AS: Mapping[str, str] = {
    **{name: f'interpret-as="date" format="{order}"' for name, order in DATES.items()},
    "letters": 'interpret-as="characters"',
    "cardinal": 'interpret-as="cardinal"',
    "ordinal": 'interpret-as="ordinal"',
    "telephone": 'interpret-as="telephone"',
    "name": 'interpret-as="name"',
    "time12": 'interpret-as="time" format="hms12"',
    "time24": 'interpret-as="time" format="hms24"',
}
"What a text is said to be, in the service's SSML."


class AzureVoice:
    """A `Voice` over Microsoft's SDK."""

    def __init__(self, account: AzureAccount, names: VoiceNames) -> None:
        """Raise ValueError, with what to do, if the SDK is not there."""
        if sdk is None:
            raise ValueError(f"IVR_VOICE=azure {NEEDED}")
        self._account = account
        self._names = names.with_default(FEMALE, MALE)

    def identity(self, text: Text) -> VoiceIdentity:
        """Return what its sound depends on: the voice is the model, the same in every region."""
        name = self._names.name(text)
        return VoiceIdentity("azure", self._account.endpoint, name, ssml(text, name))

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of a text; raise SynthesisFailed."""
        config = voice_config(self._account)
        config.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat[_FORMS[rate]])
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                yield await _Synthesis(config, ssml(text, self._names.name(text))).result()
        except TimeoutError as error:
            raise VoiceUnavailable("the speech service took too long") from error


def ssml(text: Text, voice: str) -> str:
    """Return a text as the service's SSML."""
    language = quoteattr(with_region(text.language))
    words = escape(speakable(text.value))
    if say_as := _SAY_AS.get(text.say_as or ""):
        words = f"<say-as {say_as}>{words}</say-as>"
    if text.emphasize:
        words = f"<emphasis>{words}</emphasis>"
    if "Multilingual" in voice:  # others have one language, and refuse the element
        words = f"<lang xml:lang={language}>{words}</lang>"
    speech = f"<voice name={quoteattr(voice)}>{words}</voice>"
    return f'<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang={language}>{speech}</speak>'


class _Synthesis:
    """One text on its way through the SDK."""

    def __init__(self, config: Any, order: str) -> None:
        self._config = config
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[bytes] = self._loop.create_future()

    async def result(self) -> bytes:
        """Return the samples; raise SynthesisFailed."""
        # A separate thread that is not joined: even when given up, the SDK waits on for the service.
        threading.Thread(target=self._run, name="azure voice", daemon=True).start()
        return await self._answer

    def _run(self) -> None:
        try:
            # Nothing else may hold the synthesizer: letting go of it takes its time, too.
            synthesizer = sdk.SpeechSynthesizer(speech_config=self._config, audio_config=None)
            found: bytes | SynthesisFailed = _found(synthesizer.speak_ssml_async(self._order).get())
        except RuntimeError:  # the SDK's only exception; its text is a stack of addresses
            found = VoiceUnavailable("the Speech SDK failed")
        with suppress(RuntimeError):  # the loop is closed, and with it the task that waited
            self._loop.call_soon_threadsafe(self._tell, found)

    def _tell(self, found: bytes | SynthesisFailed) -> None:
        if self._answer.done():
            return
        if isinstance(found, SynthesisFailed):
            self._answer.set_exception(found)
        else:
            self._answer.set_result(found)


def _found(result: Any) -> bytes | SynthesisFailed:
    if result.reason == sdk.ResultReason.SynthesizingAudioCompleted:
        samples = bytes(result.audio_data)
        return samples[: len(samples) & ~1] or SynthesisFailed("the speech service's sound is empty")
    # The text of the error names addresses and sessions; the code says enough.
    code = result.cancellation_details.error_code
    if code == sdk.CancellationErrorCode.BadRequest:  # a voice, or a language, that it has not
        return SynthesisFailed(f"the speech service said {code.name}")
    return VoiceUnavailable(f"the speech service said {code.name}")
