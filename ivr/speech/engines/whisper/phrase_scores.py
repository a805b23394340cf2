"""Which of some phrases was said: two questions to Whisper, what was said, and how likely each phrase is all of it.

The transcript alone mishears a short word as a more usual one ("Thanks." for *six*). The likelihoods alone refuse
sentences around a phrase (*I'd like sales, please*). So a phrase is taken that is nearly as likely as the transcript,
or else one that is among the transcript's words.

Likelihoods are asked for twice: of all phrases with the sound alone, then of the best few with the rest of Whisper's
window of 30 seconds, as the transcript is made. That costs four times as much a phrase, and only so can a phrase be
compared with the transcript: docs/speech.md has figures.
"""

import math
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Protocol

import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from msgspec import Struct

from ivr.speech.numerals import in_digits, in_writing
from ivr.speech.said_phrase import phrase_among

MOST_SCORED = 48
"Phrases whose likelihood is asked for; of more, those that are nearest to the transcript."

_WORSE = 2.0
"Log-likelihood a token by which a phrase may be less likely than the transcript."
_APART = 1.0
"Log-likelihood by which it must be more likely than any other phrase."
_BEST = 4
"Phrases that are compared with the transcript."


class Choice(Struct, frozen=True):
    """What was made of a choice."""

    phrase: str | None
    "None: none of them."
    confidence: float
    "0 to 1; 0.5 and more where there is a phrase."


class Likelihood(Struct, frozen=True, order=True):
    """How likely a text is to be what is said."""

    log: float
    "Natural logarithm."
    tokens: int
    "Words and parts of words that the text has for the model."


class Sound(Protocol):
    """A recording, as the model hears it."""

    transcript: str
    probability: float
    "Of a token of the transcript, in the geometric mean."

    def likelihoods(self, texts: Sequence[str], *, exactly: bool) -> list[Likelihood]:
        """Return how likely each text is all that is said; `exactly`: comparable with the transcript's, and dear."""


def choose(whisper: WhisperModel, tokenizer: Tokenizer, wave: Any, phrases: Sequence[str]) -> Choice:
    """Return which of the phrases is spoken in samples of 16 kHz, from -1 to 1, 30 s at most."""
    return chosen(_EncodedSound(whisper, tokenizer, wave), phrases)


_NONE_SAID = 0.499
"The most that the confidence is where there is no phrase: just below, it would be rounded to that of one."


def chosen(sound: Sound, phrases: Sequence[str]) -> Choice:
    """Return which of the phrases is said: by its likelihood, or else by the transcript."""
    sayable = [phrase for phrase in dict.fromkeys(phrases) if in_digits(phrase)]
    likely = _by_likelihood(sound, nearest(sound.transcript, sayable)) if sayable else Choice(None, 0.0)
    if likely.phrase is not None:
        return likely
    said = phrase_among(sound.transcript, sayable)
    return likely if said is None else Choice(said, round(max(0.5, sound.probability), 3))


def nearest(transcript: str, phrases: Sequence[str]) -> list[str]:
    """Return the phrases that are written most like a transcript, so many that scoring them takes no second."""
    if len(phrases) <= MOST_SCORED:
        return list(phrases)
    matcher = SequenceMatcher(b=in_digits(transcript), autojunk=False)

    def likeness(phrase: str) -> float:
        matcher.set_seq1(in_digits(phrase))
        return matcher.ratio()

    return sorted(phrases, key=likeness, reverse=True)[:MOST_SCORED]


def spellings(phrase: str) -> tuple[str, ...]:
    """Return how a phrase may be written, each as a sentence: Whisper finds only likely what it would write so itself.

    The full stop stands for the end, which cannot be scored: without it a phrase that begins another one wins.
    """
    written = dict.fromkeys((phrase, phrase[:1].upper() + phrase[1:], phrase.title(), in_writing(phrase)))
    return tuple(f" {one.rstrip('.')}." for one in written)


def _by_likelihood(sound: Sound, phrases: Sequence[str]) -> Choice:
    ways = [(phrase, text) for phrase in phrases for text in spellings(phrase)]
    rough = zip(sound.likelihoods([text for _, text in ways], exactly=False), ways, strict=True)
    best: dict[str, str] = {}
    for _, (phrase, text) in sorted(rough, reverse=True):
        best.setdefault(phrase, text)
    few = dict(islice(best.items(), _BEST))
    freely = f" {sound.transcript}" + ("" if sound.transcript.endswith((".", "?", "!")) else ".")
    transcript, *exact = sound.likelihoods([freely, *few.values()], exactly=True)
    (first, phrase), *others = sorted(zip(exact, few, strict=True), reverse=True)
    gain = (first.log - transcript.log) / first.tokens + _WORSE
    if others:
        gain = min(gain, first.log - others[0][0].log - _APART)
    confidence = round(1 / (1 + math.exp(-gain)), 3)
    return Choice(phrase, confidence) if gain > 0 else Choice(None, min(confidence, _NONE_SAID))


# --- the model --------------------------------------------------------------------------------------------------------

_TOKENS_AT_ONCE = 320
"Of all texts of a batch: each takes 0.4 MB for the likelihood of each word that Whisper knows."
_FRAMES_AT_ONCE = 7500
"Of all texts of a batch: each takes 12 KB for tiny, 25 for base."
_SAMPLES_A_FRAME = 320
"The encoder gives fifty frames a second."
_FRAMES_MORE = 25
_LONGEST = 64
"Tokens of a transcript; a phrase that is said is shorter."
_LEAST = 1e-12
_PIECES = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+|_")
"What no token goes across."


class _EncodedSound:
    """A `Sound` for CTranslate2's Whisper."""

    def __init__(self, whisper: WhisperModel, tokenizer: Tokenizer, wave: Any) -> None:
        self._whisper = whisper.model
        self._tokenizer = tokenizer
        self._start = list(tokenizer.sot_sequence)
        encoded = whisper.encode(pad_or_trim(whisper.feature_extractor(wave)))
        self._window = np.array(encoded)
        self._frames = len(wave) // _SAMPLES_A_FRAME + _FRAMES_MORE
        if (
            self._frames == self._whisper.n_mels
        ):  # CTranslate2 would take it for the picture of a sound, not encoded yet
            self._frames += 1
        found = self._whisper.generate(
            encoded, [[*self._start, tokenizer.no_timestamps]], beam_size=1, max_length=_LONGEST, return_scores=True
        )[0]
        self.transcript: str = tokenizer.decode(found.sequences_ids[0]).strip()
        self.probability: float = math.exp(found.scores[0])

    def likelihoods(self, texts: Sequence[str], *, exactly: bool) -> list[Likelihood]:
        heard = self._window if exactly else self._window[:, : self._frames]
        frames = heard.shape[1]
        tokens = [tokens_of(text, self._tokenizer)[:_LONGEST] for text in texts]
        at_once = max(1, min(_FRAMES_AT_ONCE // frames, _TOKENS_AT_ONCE // max(map(len, tokens))))
        found = []
        for place in range(0, len(tokens), at_once):
            batch = tokens[place : place + at_once]
            view = StorageView.from_array(np.repeat(heard, len(batch), 0))
            found += self._whisper.align(view, self._start, batch, 2 * frames)
        return [_likelihood(one.text_token_probs) for one in found]


def _likelihood(probabilities: Sequence[float]) -> Likelihood:
    return Likelihood(float(np.log(np.maximum(probabilities, _LEAST)).sum()), len(probabilities))


def tokens_of(text: str, tokenizer: Tokenizer) -> list[int]:
    """Return the tokens that Whisper itself would write: a word that is a token is this token.

    The tokenizer of the multilingual models cannot put some of them together: it makes ` technical` of three tokens,
    which the model never writes, and finds impossible.
    """
    tokens: list[int] = []
    for piece in _PIECES.findall(text):
        word = tokenizer.tokenizer.token_to_id(f"Ġ{piece[1:]}") if re.fullmatch(" [A-Za-z]+", piece) else None
        tokens += tokenizer.encode(piece) if word is None else [word]
    return tokens
