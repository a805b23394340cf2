"""The engine `azure`: Microsoft's Speech SDK, over a websocket.

The SDK has threads of its own and calls back from them; here they meet one thread of ours a recording, never the loop
itself. Recognition goes on to the end of the recording: the SDK's simpler call stops at the first pause.
"""

import asyncio
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.accounts import AzureAccount
from ivr.speech.azure_sdk import NEEDED, sdk, speech_config
from ivr.speech.languages import with_region
from ivr.speech.wav import Wav, transcribe_wav

_THROTTLE = "SPEECH-TransmitLengthBeforThrottleMs"  # sic: the SDK's own spelling
"""The SDK sends the first seconds at once and the rest at twice the speed of speech, since it expects a microphone: ten
seconds of recording would take two and a half. This property moves the border behind the longest recording."""
_TICKS = 10_000_000
"The service counts time in tenths of a microsecond."


class _Best(Struct, frozen=True, rename="pascal"):
    confidence: float | None = None


class _Detail(Struct, frozen=True):
    """The part of the service's JSON that the SDK has no property for."""

    best: tuple[_Best, ...] = msgspec.field(default=(), name="NBest")


class Azure:
    """A `SpeechToText` over Microsoft's SDK."""

    name = "azure"

    def __init__(self, account: AzureAccount, workers: Workers) -> None:
        """Raise ValueError, with what to do, if the SDK is not there."""
        if sdk is None:
            raise ValueError(f"IVR_STT=azure {NEEDED}; IVR_STT=azure-fast needs neither")
        self._config = _config(account)
        self._workers = workers

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Ask the service."""

        async def ask(wav: Wav) -> Transcript:
            found = await _Recognition(self._config, wav.file, with_region(language), phrases).result()
            return _transcript(found, wav.seconds)

        return await transcribe_wav(self._workers, audio, self.name, ask)


class _Found(Struct, frozen=True):
    """A phrase as the service gave it."""

    spoken: SpokenPiece
    confidence: float | None


class _Recognition:
    """One recording on its way through the SDK."""

    def __init__(self, config: Any, wav: BinaryIO, language: str, phrases: Sequence[str]) -> None:
        self._config = config
        # Ours until the SDK is done with it, which may be long after the caller has given up.
        self._file = os.dup(wav.fileno())
        self._language = language
        self._phrases = phrases
        self._found: list[_Found] = []
        self._trouble: TranscriptionFailed | None = None
        self._over = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[list[_Found]] = self._loop.create_future()

    async def result(self) -> list[_Found]:
        """Return what was recognised up to the end of the recording; raise TranscriptionFailed."""
        # A separate thread that is not joined: even when given up, the SDK still waits ten seconds for the service.
        threading.Thread(target=self._run, name="azure speech", daemon=True).start()
        try:
            return await self._answer
        finally:
            self._over.set()

    def _run(self) -> None:
        try:
            self._recognise()
        except RuntimeError:  # the SDK's only exception; its text is a stack of addresses
            self._trouble = self._trouble or TranscriptionFailed("failed", "the Speech SDK failed")
            self._report()
        finally:
            os.close(self._file)

    def _recognise(self) -> None:
        # Nothing else may hold the recogniser: letting go of it takes seconds too, in whatever thread does it. It reads
        # the file by the only name that it has; samples by callback crash where Python has forgotten the callback.
        recogniser = sdk.SpeechRecognizer(
            speech_config=self._config,
            audio_config=sdk.audio.AudioConfig(filename=f"/proc/self/fd/{self._file}"),
            language=self._language,
        )
        if self._phrases:
            known = sdk.PhraseListGrammar.from_recognizer(recogniser)
            for phrase in self._phrases:
                known.addPhrase(phrase)
        recogniser.recognized.connect(self._recognised)
        recogniser.canceled.connect(self._cancelled)
        recogniser.session_stopped.connect(lambda _: self._over.set())
        recogniser.start_continuous_recognition_async().get()
        self._over.wait()
        self._report()
        recogniser.stop_continuous_recognition_async().get()

    def _report(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, and with it the task that waited
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if self._answer.done():
            return
        if self._trouble:
            self._answer.set_exception(self._trouble)
        else:
            self._answer.set_result(self._found)

    def _recognised(self, event: Any) -> None:
        result = event.result
        if result.reason != sdk.ResultReason.RecognizedSpeech or not result.text:
            return
        start = result.offset / _TICKS
        spoken = SpokenPiece(round(start, 3), round(start + result.duration / _TICKS, 3), result.text)
        self._found.append(_Found(spoken, _confidence(result.json)))

    def _cancelled(self, event: Any) -> None:
        details = event.cancellation_details
        if details.reason == sdk.CancellationReason.Error:
            # The text names addresses and sessions; the code says enough.
            code = "timeout" if details.code == sdk.CancellationErrorCode.ServiceTimeout else "failed"
            self._trouble = TranscriptionFailed(code, f"the speech service said {details.code.name}")
        self._over.set()


def _config(account: AzureAccount) -> Any:
    config = speech_config(account)
    config.output_format = sdk.OutputFormat.Detailed
    config.set_property_by_name(_THROTTLE, "3600000")
    return config


def _confidence(detail: str) -> float | None:
    try:
        best = msgspec.json.decode(detail, type=_Detail).best
    except msgspec.DecodeError:
        return None
    return best[0].confidence if best else None


def _transcript(found: Sequence[_Found], seconds: float) -> Transcript:
    spoken = tuple(one.spoken for one in found)
    text = " ".join(one.text for one in spoken)
    known = [(one.spoken.end - one.spoken.start, one.confidence) for one in found if one.confidence is not None]
    whole = sum(length for length, _ in known)
    confidence = round(sum(length * value for length, value in known) / whole, 3) if whole else None
    return Transcript(text or None, confidence, Azure.name, seconds, spoken)
