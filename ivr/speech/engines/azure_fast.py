"""The engine `azure-fast`: Azure's fast transcription, one request with the whole recording; no SDK."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.accounts import AzureAccount
from ivr.speech.languages import with_region
from ivr.speech.speech_requests import Pause, SpeechService, read_reply
from ivr.speech.wav import Wav, transcribe_wav

_VERSION = "2024-11-15"
_VERSION_WITH_PHRASES = "2025-10-15"
"The first that knows phrase lists."


class _Phrase(Struct, frozen=True, rename="camel"):
    text: str
    offset_milliseconds: int
    duration_milliseconds: int
    confidence: float | None = None


class _Combined(Struct, frozen=True):
    text: str


class _FastReply(Struct, frozen=True, rename="camel"):
    combined_phrases: tuple[_Combined, ...] = ()
    phrases: tuple[_Phrase, ...] = ()


class AzureFast:
    """A `SpeechToText` over HTTP."""

    name = "azure-fast"

    def __init__(self, account: AzureAccount, workers: Workers, *, pause: Pause = asyncio.sleep) -> None:
        url = f"{account.rest}/speechtotext/transcriptions:transcribe"
        self._service = SpeechService(url, {"Ocp-Apim-Subscription-Key": account.key}, pause=pause)
        self._workers = workers

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Ask the service."""
        definition: dict[str, Any] = {"locales": [with_region(language)], "profanityFilterMode": "None"}
        if phrases:
            definition["phraseList"] = {"phrases": list(phrases)}
        fields = {"definition": msgspec.json.encode(definition).decode()}
        query = {"api-version": _VERSION_WITH_PHRASES if phrases else _VERSION}

        async def ask(wav: Wav) -> Transcript:
            reply = read_reply(await self._service.ask(wav.file, "audio", fields, query), _FastReply)
            text = " ".join(one.text for one in reply.combined_phrases).strip()
            return Transcript(text or None, _confidence(reply), self.name, wav.seconds, _spoken(reply))

        return await transcribe_wav(self._workers, audio, self.name, ask)


def _spoken(reply: _FastReply) -> tuple[SpokenPiece, ...]:
    return tuple(
        SpokenPiece(
            one.offset_milliseconds / 1000, (one.offset_milliseconds + one.duration_milliseconds) / 1000, one.text
        )
        for one in reply.phrases
    )


def _confidence(reply: _FastReply) -> float | None:
    """Return the mean of the phrases, by their length; None: the service did not say."""
    known = [(one.duration_milliseconds, one.confidence) for one in reply.phrases if one.confidence is not None]
    whole = sum(duration for duration, _ in known)
    return round(sum(duration * value for duration, value in known) / whole, 3) if whole else None
