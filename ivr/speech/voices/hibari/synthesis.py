"""What hibari does in a worker process: say how sentences sound, and speak them. The only module that imports it."""

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ivr.errors import TranscriptionFailed
from ivr.speech.voices.hibari.voice_package import VOICE, checked_package

LONGEST = 400
"""Phonemes that the model gets at once: some 25 s of sound. More take more memory. The library cuts a long sentence at
this length, too, but only where there is a comma."""
_QUIET = 0.001
"Of full scale: what is below, before the first sound, is silence. The model begins with a quarter of a second of it."
_LEAD = 480
"Samples of silence that stay before the first sound: 20 ms."
_SEED = 0
"Of the noise in a voice: with the same seed, a text has always the same samples."


def load() -> None:
    """Load the voice, so that no caller waits for it; raise TranscriptionFailed, with what to do."""
    _voice()


def pronounce(*, sentences: Sequence[str]) -> list[str]:
    """Return the sounds of sentences, in pieces that the model can be given; raise TranscriptionFailed."""
    voice = _voice()
    try:
        return [piece for sentence in sentences for phonemes in voice.phonemize(sentence) for piece in pieces(phonemes)]
    except Exception as error:  # its errors have no class of their own, and their texts hold the sentence
        raise TranscriptionFailed("failed", f"hibari stopped with {type(error).__name__}") from error


def speak(target: int, *, phonemes: str) -> int:
    """Write the samples of a piece into an open file, and return how many bytes they are.

    They are 24 kHz, mono, 16 bit, little endian.
    """
    sound = _voice().from_phonemes(phonemes, seed=_SEED)
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    sound = sound[max(0, loud[0] - _LEAD) :] if loud.size else sound[:0]
    with os.fdopen(target, "wb") as file:
        file.seek(0)  # a worker that crashed may have begun
        return file.write((np.clip(sound, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def pieces(phonemes: str) -> list[str]:
    """Return phonemes in pieces that the model can be given, cut between words where there are any."""
    found, rest = [], phonemes
    while len(rest) > LONGEST:
        space = rest.rfind(" ", 1, LONGEST + 1)
        end = space if space > 0 else LONGEST
        found.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*found, rest] if rest else found


@cache
def _voice() -> Any:
    """Return the voice, loaded once; it takes a second."""
    try:
        checked_package()
    except ValueError as error:
        raise TranscriptionFailed("failed", str(error)) from error
    known = sys.pycache_prefix
    # The compiled files beside the sources were not checked: let Python look for them where there are none.
    sys.pycache_prefix = os.devnull
    try:
        from hibari import Hibari  # noqa: PLC0415
        from hibari.g2p import G2P  # noqa: PLC0415
        from hibari.g2p.oov import OOV  # noqa: PLC0415
    finally:
        sys.pycache_prefix = known
    return Hibari(VOICE, threads=1, g2p=G2P(oov=OOV()))
