"""What pocketsphinx does in a worker process: listen for phrases, or write down whatever is said.

The samples go in as a whole, since the model then knows how loud and dark the whole recording is before it judges the
first word; piece by piece it mishears four times as many phrases. pocketsphinx is imported below this folder alone.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pocketsphinx
from msgspec import Struct
from pocketsphinx import Config, Decoder

from ivr.audio.decode import RecordingSamples
from ivr.audio.formats import RATE, WIDTH
from ivr.ports import SpokenPiece, Transcript
from ivr.speech.engines.sphinx.pronunciation import Dictionary, spoken
from ivr.speech.engines.sphinx.signal import has_digital_silence, speech_in, with_floor, with_rest

ENGINE = "pocketsphinx"

_MODEL = Path(pocketsphinx.get_model_path()) / "en-us"

_THRESHOLD = -1.0
"""Log-likelihood a frame, of the phrase against any phones at all, from which a phrase is believed: of phrases that
were said nine in ten and more lie above it, of other words 2 to 4 % (docs/speech.md has the figures by set). The
engine's own confidence tells nothing."""
_SPREAD = 0.3
"What is one unit of confidence, in the same measure."
_BYTES_A_FRAME = RATE // 100 * WIDTH
"The model judges a hundred frames a second."
_LONGEST_PHRASE = 30.0
"""Seconds of speech, its pauses included, that can be one of the phrases, said alone: a monologue matches none of them,
and would hold a worker for a ninth of its length to find that out."""
_PAUSE = 0.8
"Seconds of rest at which a dictation is cut."
_SCORE_UNIT = 1024
"pocketsphinx gives scores with their lowest ten bits cut off."

pocketsphinx.set_loglevel("FATAL")


def phrases(source: int, *, phrases: Sequence[str], longest: float) -> Transcript:
    """Listen for one of these phrases, said alone, in an open file; raise TranscriptionFailed if it is no recording."""
    samples, seconds, silent = _samples(source, longest)
    if silent:
        return _nothing(seconds)
    rules = grammar(phrases, _dictionary().pronunciations)
    speaking = speech_in(samples)
    if rules is None or not speaking or _seconds(speaking[0].stop - speaking[0].start) > _LONGEST_PHRASE:
        return _nothing(seconds)
    # Always, not only where there is digital silence: what the two decoders say can be compared only if both have
    # heard rest beside the words. It costs no phrase, and takes nine of ten false ones away.
    speech = with_floor(with_rest(samples[speaking[0]]))
    best = _best(_phrase_decoder(rules), speech)
    if best is None:
        return _nothing(seconds)
    saying, score = best
    anything = _best(_forgetful(_phone_decoder()), speech)
    gain = (score - (anything[1] if anything else 0.0)) / (len(speech) / _BYTES_A_FRAME)
    confidence = 1 / (1 + math.exp((_THRESHOLD - gain) / _SPREAD))
    text = rules.phrases.get(saying) if confidence >= 0.5 else None
    return Transcript(text, round(confidence, 3), ENGINE, seconds) if text else _nothing(seconds)


def dictation(source: int, *, longest: float) -> Transcript:
    """Write down what is said in an open file, piece by piece; at least a quarter of the words will be wrong."""
    samples, seconds, silent = _samples(source, longest)
    if silent:
        return _nothing(seconds)
    decoder = _forgetful(_dictation_decoder())
    said = [
        SpokenPiece(_seconds(place.start), _seconds(place.stop), best[0])
        for place in speech_in(samples, pause=_PAUSE)
        if (best := _best(decoder, _without_zeros(samples[place])))
    ]
    text = " ".join(one.text for one in said)
    return Transcript(text or None, None, ENGINE, seconds, tuple(said))


class Grammar(Struct, frozen=True):
    """What can be understood, as pocketsphinx reads it: a JSGF grammar, and a dictionary of exactly its words.

    Words are numbered, so nothing that an author writes is ever grammar; and a dictionary of forty words loads in a
    hundredth of the time of the whole one.
    """

    jsgf: str
    dictionary: str
    phrases: dict[str, str]
    "What the decoder says, to the phrase as its author wrote it."


def grammar(phrases: Sequence[str], pronunciations: Callable[[str], tuple[str, ...]]) -> Grammar | None:
    """Make a grammar of one of these phrases, said alone; None: none of them can be said."""
    numbers: dict[str, str] = {}
    sayings: dict[str, str] = {}
    for phrase in phrases:
        words = [numbers.setdefault(word, f"w{len(numbers)}") for word in spoken(phrase)]
        if words:
            sayings.setdefault(" ".join(words), phrase)
    if not sayings:
        return None
    lines = [
        f"{number}({index}) {phones}\n" if index > 1 else f"{number} {phones}\n"
        for word, number in numbers.items()
        for index, phones in enumerate(pronunciations(word), 1)
    ]
    jsgf = f"#JSGF V1.0;\ngrammar phrases;\npublic <phrase> = {' | '.join(sayings)};\n"
    return Grammar(jsgf, "".join(lines), sayings)


def _without_zeros(samples: bytes) -> bytes:
    """Lay a floor only where a line was off: under a real line's own noise, more of it makes dictation worse."""
    return with_floor(samples) if has_digital_silence(samples) else samples


def _nothing(seconds: float) -> Transcript:
    return Transcript(None, None, ENGINE, seconds)


def _samples(source: int, longest: float) -> tuple[bytes, float, bool]:
    """Read a recording: its samples, its seconds, and whether there is no sound in it."""
    recording = RecordingSamples(source, longest=longest)
    samples = b"".join(recording)
    return samples, _seconds(len(samples)), recording.level.is_silent


def _seconds(size: int) -> float:
    """Return the time that so many bytes of samples take."""
    return round(size / WIDTH / RATE, 3)


def _best(decoder: Decoder, speech: bytes) -> tuple[str, float] | None:
    """Return the words that fit best and their score (a logarithm); None: nothing fits."""
    decoder.start_utt()
    decoder.process_raw(speech, no_search=False, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    if found is None or not found.hypstr or found.score <= 0:
        return None
    return found.hypstr, math.log(found.score) * _SCORE_UNIT


def _forgetful(decoder: Decoder) -> Decoder:
    """Make a decoder forget the noise on the line of its last recording, by which it would judge the next caller's."""
    decoder.reinit_feat()
    return decoder


@cache
def _dictionary() -> Dictionary:
    return Dictionary.read(_MODEL / "cmudict-en-us.dict")


def _phrase_decoder(rules: Grammar) -> Decoder:
    """Make a decoder of this grammar alone, in 7 ms."""
    with _named(rules.dictionary) as dictionary:
        decoder = Decoder(_config(dictionary))
    decoder.add_jsgf_string("phrases", rules.jsgf)
    decoder.activate_search("phrases")
    return decoder


@cache
def _phone_decoder() -> Decoder:
    """Make a decoder that takes anything for speech: how well it fits is what a phrase is measured by."""
    with _named("yes Y EH S\n") as dictionary:  # it wants to have one
        decoder = Decoder(_config(dictionary, lw=2.0, beam=1e-20, pbeam=1e-20))
    decoder.add_allphone_file("phones", str(_MODEL / "en-us-phone.lm.bin"))
    decoder.activate_search("phones")
    return decoder


def _config(dictionary: str, **more: float) -> Config:
    """Set up a decoder whose scores can be compared with another's.

    By default a sound is scored against those that the grammar still expects, so that silence fits anything once
    nothing else is expected; `compallsen` scores it against all sounds.
    """
    return Config(hmm=str(_MODEL / "en-us"), dict=dictionary, lm=None, compallsen=True, **more)


@cache
def _dictation_decoder() -> Decoder:
    return Decoder()


@contextmanager
def _named(text: str) -> Iterator[str]:
    """Return a text a file name, without a file: pocketsphinx reads its dictionary by name, once."""
    with os.fdopen(os.memfd_create("dictionary"), "wb") as file:
        file.write(text.encode("ascii"))
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
