"""Which of some phrases was said: how likely Whisper finds each of them, compared with what it hears freely."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from msgspec import Struct

_WORSE = -2.0
"Log-likelihood a token by which a phrase may be less likely than what is heard freely."
_AT_ONCE = 64
"Ways to write phrases that are compared in one batch."
_SAMPLES_A_FRAME = 320
"The encoder gives fifty frames a second."
_FRAMES_MORE = 25
_LEAST = 1e-9


class Choice(Struct, frozen=True):
    """What was made of a choice."""

    phrase: str | None
    "None: none of them."
    confidence: float
    "0 to 1; 0.5 and more where there is a phrase."


def choose(whisper: WhisperModel, tokenizer: Tokenizer, wave: Any, phrases: Sequence[str]) -> Choice:
    """Return which of the phrases is spoken in samples of 16 kHz, from -1 to 1, 30 s at most."""
    encoded = whisper.encode(pad_or_trim(whisper.feature_extractor(wave)))
    heard = np.array(encoded)
    heard = np.ascontiguousarray(heard[:, : len(wave) // _SAMPLES_A_FRAME + _FRAMES_MORE])  # without the padding
    start = list(tokenizer.sot_sequence)
    free = whisper.model.generate(encoded, [[*start, tokenizer.no_timestamps]], beam_size=1, max_length=64)[0]
    said = tokenizer.decode(free.sequences_ids[0]).strip(" .?!")
    # The full stop stands for the end, which cannot be scored: without it, a phrase that begins another wins.
    ways = [("", f" {said}.")]
    for phrase in phrases:
        written = {phrase, phrase[:1].upper() + phrase[1:], phrase.title()}
        ways += [(phrase, f" {one}.") for one in sorted(written)]
    best: dict[str, tuple[float, int]] = {}
    for place in range(0, len(ways), _AT_ONCE):
        part = ways[place : place + _AT_ONCE]
        tokens = [tokenizer.encode(text) for _, text in part]
        view = StorageView.from_array(np.repeat(heard, len(part), 0))
        for (phrase, _), found in zip(part, whisper.model.align(view, start, tokens, heard.shape[1] * 2), strict=True):
            score = float(np.log(np.maximum(found.text_token_probs, _LEAST)).sum())
            best[phrase] = max(best.get(phrase, (-math.inf, 1)), (score, len(found.text_token_probs)))
    freely, _ = best.pop("")
    phrase = max(best, key=best.__getitem__)
    score, count = best[phrase]
    gain = (score - freely) / count - _WORSE
    return Choice(phrase if gain > 0 else None, round(1 / (1 + math.exp(-gain)), 3))
