"""What Whisper does in a worker process: write down what is said, or listen for phrases.

This module and `phrase_scores` alone import the libraries. Both need sound in which somebody speaks: for silence and
noise Whisper makes up words. So a detector of voices (Silero, inside faster-whisper) comes before it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.vad import VadOptions, get_speech_timestamps
from msgspec import Struct

from ivr.audio.decode import RecordingSamples
from ivr.audio.formats import RATE
from ivr.errors import TranscriptionFailed
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.engines.whisper.model_folder import WhisperModelFolder
from ivr.speech.engines.whisper.phrase_scores import choose

ENGINE = "whisper"

_CODES = {"nb": "no", "fil": "tl", "jv": "jw"}
"Languages that Whisper calls otherwise than ISO 639."
_VOICE = 0.35
"""Probability from which the detector takes sound for a voice: no silence, noise or tone of our tests reaches it, and
at the usual 0.5 short words are lost (docs/speech.md)."""
_BEAMS = 5
"Sentences that are followed at the same time: more exact than one, at the same price."
_TRIES = (0.0, 0.4, 0.8)
"Temperatures: what repeats itself is tried again, more at random. Other doubtful words get no better by it."
_UNSURE = -1.0
"""Mean log-likelihood of a token under which words are not written down: with noise as loud as the voice, nearly all of
them are made up. People who were understood at all, on a noisy line too, are above -0.85 (docs/speech.md)."""
_WINDOW = 30 * RATE
"Samples that Whisper hears at a time; more is not one of the phrases."
_PART = 180 * RATE
"Samples that are looked at together: a quarter of an hour at once takes a gigabyte."
_PAUSE = 300
"Milliseconds without a voice, where a longer recording may be cut."


def load(*, folder: str, published: Mapping[str, str]) -> bool:
    """Load model and detector, so that the first recording need not wait; raise TranscriptionFailed if it cannot be.

    True: the model knows other languages than English.
    """
    _voices(np.zeros(RATE, np.float32))
    return bool(_model(folder, published).model.is_multilingual)


def dictation(source: int, *, folder: str, published: Mapping[str, str], language: str, longest: float) -> Transcript:
    """Write down what is said in an open file; raise TranscriptionFailed if it is no recording."""
    whisper, language = _model_for(language, folder, published)
    heard = _heard(source, longest)
    if heard.silent:
        return _nothing(heard)
    ctranslate2.set_random_seed(1)  # the same recording gets the same words
    said = [
        (piece, SpokenPiece(heard.within(start + piece.start), heard.within(start + piece.end), text))
        for start, wave in _parts(heard.wave)
        for piece in _written(whisper, wave, language)
        if (text := piece.text.strip())
    ]
    if not said:
        return _nothing(heard)
    spoken = tuple(one for _, one in said)
    confidence = _confidence([piece for piece, _ in said])
    return Transcript(" ".join(one.text for one in spoken), confidence, ENGINE, heard.seconds, spoken)


def _written(whisper: WhisperModel, wave: Any, language: str) -> Sequence[Any]:
    """Return the segments of faster-whisper of which the model is sure enough."""
    segments, _ = whisper.transcribe(
        wave,
        language=language,
        beam_size=_BEAMS,
        temperature=_TRIES,
        log_prob_threshold=None,
        no_speech_threshold=None,
        vad_filter=True,
        vad_parameters={"threshold": _VOICE},
        # Timestamps are left on: without them words at the border of two windows are lost. Nor is it told what was
        # said before, which makes it repeat itself.
        condition_on_previous_text=False,
    )
    return [one for one in segments if one.avg_logprob >= _UNSURE]


def _parts(wave: Any) -> Iterator[tuple[float, Any]]:
    """Cut a long recording at pauses; return where each part begins, in seconds, and its samples."""
    place = 0
    while len(wave) - place > _PART:
        part = wave[place : place + _PART]
        # A voice without a pause is cut in its middle, at the shortest rest: so there is always a last one to cut at.
        voices = _voices(part, min_silence_duration_ms=_PAUSE, max_speech_duration_s=_PART / RATE / 2)
        cut = voices[-1].start if len(voices) > 1 else _PART
        yield place / RATE, part[:cut]
        place += cut
    yield place / RATE, wave[place:]


def _voices(wave: Any, **options: float) -> list[slice]:
    """Find where somebody speaks, each with a little rest around it; empty: nobody does."""
    return [
        slice(place + one["start"], place + one["end"])
        for place in range(0, len(wave), _PART)
        for one in get_speech_timestamps(wave[place : place + _PART], VadOptions(threshold=_VOICE, **options))
    ]


def phrases(
    source: int,
    *,
    folder: str,
    published: Mapping[str, str],
    language: str,
    phrases: Sequence[str],
    longest: float,
) -> Transcript:
    """Listen for one of these phrases in an open file; raise TranscriptionFailed if it is no recording."""
    whisper, language = _model_for(language, folder, published)
    heard = _heard(source, longest)
    if heard.silent or not (voices := _voices(heard.wave)):
        return _nothing(heard)
    wave = heard.wave[voices[0].start : voices[-1].stop]
    if len(wave) > _WINDOW:
        return _nothing(heard)
    tokenizer = Tokenizer(whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=language)
    choice = choose(whisper, tokenizer, wave, phrases)
    if choice.phrase is None:
        return _nothing(heard)
    return Transcript(choice.phrase, choice.confidence, ENGINE, heard.seconds)


class _Heard(Struct, frozen=True):
    """A recording, decoded."""

    wave: Any
    "Samples of 16 kHz as an array of numbers from -1 to 1."
    seconds: float
    silent: bool
    "There is no sound in it."

    def within(self, time: float) -> float:
        """Return a time in seconds, at the end at the latest: Whisper's windows go on after it."""
        return round(min(time, self.seconds), 3)


def _heard(source: int, longest: float) -> _Heard:
    recording = RecordingSamples(source, longest=longest)
    samples = np.frombuffer(b"".join(recording), dtype="<i2")
    return _Heard(samples.astype(np.float32) / 32768, round(len(samples) / RATE, 3), recording.level.is_silent)


def _nothing(heard: _Heard) -> Transcript:
    return Transcript(None, None, ENGINE, heard.seconds)


def _confidence(pieces: Sequence[Any]) -> float:
    """Return the probability of a token, in the geometric mean over pieces by their length."""
    weights = [max(piece.end - piece.start, 0.01) for piece in pieces]
    mean = sum(weight * piece.avg_logprob for weight, piece in zip(weights, pieces, strict=True)) / sum(weights)
    return round(min(1.0, math.exp(mean)), 3)


def _model_for(language: str, folder: str, published: Mapping[str, str]) -> tuple[WhisperModel, str]:
    """Return the model and what it calls a language; raise TranscriptionFailed if it does not know it."""
    whisper, code = _model(folder, published), _CODES.get(language, language)
    if code in whisper.supported_languages:
        return whisper, code
    known = "other languages" if whisper.model.is_multilingual else "only English"
    raise TranscriptionFailed("failed", f"this Whisper model understands {known}, not {language}")


def _model(folder: str, published: Mapping[str, str]) -> WhisperModel:
    return _loaded(folder, tuple(published.items()))


@cache
def _loaded(folder: str, published: tuple[tuple[str, str], ...]) -> WhisperModel:
    """Check a model once more and load it, once for all recordings of this process."""
    try:
        WhisperModelFolder(Path(folder), dict(published)).check()
        whisper = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
        _try_out(whisper)
    except Exception as error:  # one of the libraries raises nothing more exact
        reason = str(error) or type(error).__name__
        raise TranscriptionFailed("failed", f"the Whisper model cannot be loaded: {reason}") from error
    _check_features(whisper)
    return whisper


def _try_out(whisper: WhisperModel) -> None:
    """Let a model hear two frames of silence, 20 ms: a vocabulary of another model is found out no earlier."""
    encoded = whisper.encode(np.zeros((whisper.model.n_mels, 2), dtype=np.float32))
    start = whisper.hf_tokenizer.token_to_id("<|startoftranscript|>")
    whisper.model.generate(encoded, [[start]], max_length=2)


def _check_features(whisper: WhisperModel) -> None:
    """Refuse a model that wants another picture of the sound: the newest ones say so in a file of their own."""
    wanted, made = whisper.model.n_mels, len(whisper.feature_extractor.mel_filters)
    if wanted != made:
        raise TranscriptionFailed(
            "failed",
            f"the Whisper model wants {wanted} mel bands: preprocessor_config.json, which should say so, is missing or "
            "belongs to another model",
        )
