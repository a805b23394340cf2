"""A voice: any server with OpenAI's speech protocol (`POST /v1/audio/speech`), theirs or one in one's own house."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from ivr.audio.file_samples import decoded_samples
from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, TranscriptionFailed
from ivr.ports import SampleRate
from ivr.speech.accounts import VoiceServer
from ivr.speech.speech_requests import Pause, VoiceService
from ivr.speech.voice_cache import VoiceIdentity
from ivr.speech.voice_names import VoiceNames
from ivr.speech.wording import in_words, speakable

FEMALE, MALE = "nova", "onyx"
"Names that OpenAI's voices have, and most servers of their protocol know."
LONGEST = 120.0
"Seconds of one reply; texts come in parts of 13 s."
PCM_RATE = 24_000
"Samples a second where a reply is nothing but samples; the protocol has no other."


class OpenAiVoice:
    """A `Voice` over HTTP."""

    def __init__(
        self, server: VoiceServer, names: VoiceNames, workers: Workers, *, pause: Pause = asyncio.sleep
    ) -> None:
        """`workers` decode what the server sends."""
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        self._service = VoiceService(server.speech, headers, pause=pause)
        self._server = server
        self._names = names.with_default(FEMALE, MALE)
        self._workers = workers

    def identity(self, text: Text) -> VoiceIdentity:
        """Return what its sound depends on: the server, the model, and the voice. A new key is the same voice."""
        return VoiceIdentity(
            "openai", f"{self._server.url} {self._server.model}", self._names.name(text), in_words(text)
        )

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        """Return the samples of a text; raise SynthesisFailed.

        The model takes the language from the words. The protocol asks for no rate: a server sends its own.
        """
        order = {
            "model": self._server.model,
            "input": speakable(in_words(text)),
            "voice": self._names.name(text),
            "response_format": self._server.form,
        }
        yield await self._samples(await self._service.speak(msgspec.json.encode(order)), rate)

    async def _samples(self, sound: bytes, rate: SampleRate) -> bytes:
        if self._server.form == "pcm":
            return await asyncio.to_thread(_from_pcm, sound, rate)
        try:
            return await decoded_samples(sound, self._workers, longest=LONGEST, rate=rate)
        except TranscriptionFailed as error:
            raise SynthesisFailed(f"the speech server's sound cannot be used: {error}") from error


def _from_pcm(sound: bytes, rate: SampleRate) -> bytes:
    from ivr.audio.encode import resampled  # noqa: PLC0415  # a slow import

    samples = resampled(sound[: len(sound) & ~1], PCM_RATE, rate)
    if not samples:
        raise SynthesisFailed("the speech server's sound is empty")
    return samples
