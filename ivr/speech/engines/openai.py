"""The engine `openai`: any server with OpenAI's transcription protocol, theirs or a Whisper in one's own house."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.accounts import OpenAiServer
from ivr.speech.languages import without_region
from ivr.speech.speech_requests import Pause, SpeechService, read_reply
from ivr.speech.wav import Wav, transcribe_wav

_SILENT = 0.6
_UNSURE = -1.0
"""Whisper invents words where there is no speech. By its authors' own rule a segment is silence from this probability
of silence on, if its words' mean log-probability is below the other."""


class _Segment(Struct, frozen=True):
    start: float
    end: float
    text: str
    avg_logprob: float | None = None
    no_speech_prob: float = 0.0


class _Token(Struct, frozen=True):
    logprob: float


class _OpenAiReply(Struct, frozen=True):
    """`verbose_json` has segments, `json` may have the tokens' probabilities; small servers give the text alone."""

    text: str
    segments: tuple[_Segment, ...] | None = None
    logprobs: tuple[_Token, ...] | None = None


class OpenAi:
    """A `SpeechToText` over HTTP."""

    name = "openai"

    def __init__(self, server: OpenAiServer, workers: Workers, *, pause: Pause = asyncio.sleep) -> None:
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        self._service = SpeechService(server.transcriptions, headers, pause=pause)
        self._model = server.model
        self._workers = workers

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        """Ask the server; phrases go along as a prompt, which makes their words likelier."""

        async def ask(wav: Wav) -> Transcript:
            return _transcript(await self._service.ask(wav.file, "file", self._fields(language, phrases)), wav)

        return await transcribe_wav(self._workers, audio, self.name, ask)

    def _fields(self, language: str, phrases: Sequence[str]) -> dict[str, str]:
        fields = {"model": self._model, "language": without_region(language), "temperature": "0"}
        if phrases:
            fields["prompt"] = ", ".join(phrases)
        if self._model.startswith("gpt-"):  # these know no other form
            return fields | {"response_format": "json", "include[]": "logprobs"}
        return fields | {"response_format": "verbose_json"}


def _transcript(body: bytes, wav: Wav) -> Transcript:
    reply = read_reply(body, _OpenAiReply)
    if reply.segments is None:
        confidence = _confidence([(1.0, token.logprob) for token in reply.logprobs or ()])
        return Transcript(reply.text.strip() or None, confidence, OpenAi.name, wav.seconds)
    kept = [one for one in reply.segments if one.text.strip() and not _silence(one)]
    text = " ".join(one.text.strip() for one in kept)
    confidence = _confidence([(one.end - one.start, one.avg_logprob) for one in kept if one.avg_logprob is not None])
    spoken = tuple(SpokenPiece(one.start, one.end, one.text.strip()) for one in kept)
    return Transcript(text or None, confidence, OpenAi.name, wav.seconds, spoken)


def _silence(segment: _Segment) -> bool:
    return segment.no_speech_prob > _SILENT and segment.avg_logprob is not None and segment.avg_logprob < _UNSURE


def _confidence(weighted: Sequence[tuple[float, float]]) -> float | None:
    """Make a probability of log-probabilities, each with its weight; None: it is not known."""
    weights = sum(weight for weight, _ in weighted)
    if weights <= 0:
        return None
    return round(min(1.0, math.exp(sum(weight * value for weight, value in weighted) / weights)), 3)
