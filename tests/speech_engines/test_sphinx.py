"""The engine `pocketsphinx`, on speech as callers send it."""

import itertools
import logging
import os
from pathlib import Path

import pytest

from ivr.audio.encode import encoded
from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import Transcript
from ivr.speech.engines.sphinx.engine import MOST_PHRASES, Sphinx

pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")

from ivr.audio.decode import RecordingSamples  # it imports PyAV, which comes with pocketsphinx

MENU = (
    "technical support",
    "sales",
    "lost luggage",
    "goodbye",
    "yes",
    "no",
    "Tuesday at ten thirty",
    "Contoso",
    "Fabrikam",
)


@pytest.fixture
def engine(workers: Workers) -> Sphinx:
    return Sphinx(workers)


def samples(file: Path) -> bytes:
    with file.open("rb") as source:
        return b"".join(RecordingSamples(os.dup(source.fileno()), longest=60.0))


def wav(folder: Path, sound: bytes) -> Path:
    file = folder / "made.wav"
    file.write_bytes(encoded(sound, "wav"))
    return file


@pytest.mark.parametrize(
    ("recording", "phrase"),
    [
        ("technical-support-v1.wma", "technical support"),
        ("lost-luggage.mp3", "lost luggage"),
        ("goodbye.ogg", "goodbye"),
        ("yes.wav", "yes"),
        ("tuesday-at-ten-thirty.wav", "Tuesday at ten thirty"),
        ("contoso.wma", "Contoso"),
    ],
)
async def test_a_choice_is_understood_and_given_as_its_author_wrote_it(
    engine: Sphinx, recordings: Path, recording: str, phrase: str
) -> None:
    heard = await engine.transcribe(recordings / recording, language="en-US", phrases=MENU)
    assert heard.text == phrase
    assert heard.engine == "pocketsphinx"
    assert heard.confidence is not None
    assert 0.5 <= heard.confidence <= 1.0
    assert heard.seconds is not None
    assert 0.5 < heard.seconds < 2.0


@pytest.mark.parametrize("recording", ["weather.wma", "printer.wma", "goodbye.ogg", "tuesday-at-ten-thirty.wav"])
async def test_what_is_none_of_the_phrases_is_rejected(engine: Sphinx, recordings: Path, recording: str) -> None:
    heard = await engine.transcribe(recordings / recording, language="en", phrases=["sales", "technical support"])
    assert heard.text is None
    assert heard.confidence is None
    assert heard.engine == "pocketsphinx"


@pytest.mark.parametrize("phrases", [MENU, ()], ids=["phrases", "dictation"])
async def test_a_caller_is_heard_the_same_whoever_called_before(
    workers: Workers, recordings: Path, phrases: tuple[str, ...]
) -> None:
    engine = Sphinx(workers, dictation=True)
    heard = [
        await engine.transcribe(recordings / name, language="en-US", phrases=phrases)
        for name in ("contoso.wma", "yes.wav", "contoso.wma")
    ]
    assert heard[0] == heard[2] != heard[1]


async def test_a_word_of_no_dictionary_does_not_spoil_the_others(engine: Sphinx, recordings: Path) -> None:
    phrases = ["zqxj", "gh", "Zendaro", "goodbye", "Ångström & Søn", "x" * 60]
    heard = await engine.transcribe(recordings / "goodbye.ogg", language="en-US", phrases=phrases)
    assert heard.text == "goodbye"


async def test_a_phrase_that_cannot_be_said_is_passed_over_and_named_once(
    engine: Sphinx, recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        heard = await engine.transcribe(recordings / "yes.wav", language="en-US", phrases=["日本語", "yes", "no"])
        assert heard.text == "yes"
    assert [vars(record)["phrase"] for record in caplog.records] == ["日本語"]


async def test_phrases_that_nobody_can_say_match_nothing(engine: Sphinx, recordings: Path) -> None:
    heard = await engine.transcribe(recordings / "yes.wav", language="en-US", phrases=["!!!", "日本語"])
    assert heard.text is None


@pytest.mark.parametrize("hostile", ["yes | no", "<phrase>;", "yes; public <x> = no", "#JSGF V1.0;", "/10/ yes {tag}"])
async def test_what_an_author_writes_is_never_grammar(engine: Sphinx, recordings: Path, hostile: str) -> None:
    heard = await engine.transcribe(recordings / "yes.wav", language="en-US", phrases=[hostile, "yes"])
    assert heard.text in {"yes", None}


async def test_without_phrases_there_is_no_transcript_and_the_log_says_so_once(
    engine: Sphinx, recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        heard = await engine.transcribe(recordings / "goodbye.ogg", language="en-US", phrases=())
        assert heard == Transcript(None, engine="pocketsphinx")
    assert len(caplog.records) == 1
    assert "without phrases" in vars(caplog.records[0])["reason"]


async def test_dictation_writes_down_whatever_is_said_if_it_is_on(workers: Workers, recordings: Path) -> None:
    heard = await Sphinx(workers, dictation=True).transcribe(recordings / "weather.wma", language="en-GB", phrases=())
    assert heard.text == "the weather is lovely today"
    assert [one.text for one in heard.spoken] == [heard.text]
    assert 0.0 <= heard.spoken[0].start < heard.spoken[0].end <= (heard.seconds or 0.0)


async def test_dictation_is_cut_at_its_pauses(workers: Workers, recordings: Path, tmp_path: Path) -> None:
    parts = [samples(recordings / name) for name in ("weather.wma", "goodbye.ogg")]
    file = wav(tmp_path, parts[0] + bytes(2 * 32_000) + parts[1])
    heard = await Sphinx(workers, dictation=True).transcribe(file, language="en-US", phrases=())
    assert [one.text for one in heard.spoken] == ["the weather is lovely today", "goodbye"]
    assert heard.spoken[1].start - heard.spoken[0].end > 1.0


async def test_phrases_come_before_dictation(workers: Workers, recordings: Path) -> None:
    engine = Sphinx(workers, dictation=True)
    heard = await engine.transcribe(recordings / "weather.wma", language="en-US", phrases=["sales", "yes"])
    assert heard.text is None


@pytest.mark.parametrize("phrases", [("yes", "no"), ()], ids=["phrases", "dictation"])
async def test_in_digital_silence_nobody_speaks(workers: Workers, tmp_path: Path, phrases: tuple[str, ...]) -> None:
    engine = Sphinx(workers, dictation=True)
    heard = await engine.transcribe(wav(tmp_path, bytes(2 * 32_000)), language="en-US", phrases=phrases)
    assert heard == Transcript(None, None, "pocketsphinx", 2.0)


@pytest.mark.parametrize("recording", ["yes.wav", "goodbye.ogg", "lost-luggage.mp3"])
async def test_digital_silence_around_the_words_does_no_harm(
    engine: Sphinx, recordings: Path, tmp_path: Path, recording: str
) -> None:
    padded = bytes(32_000) + samples(recordings / recording) + bytes(48_000)
    heard = await engine.transcribe(wav(tmp_path, padded), language="en-US", phrases=MENU)
    assert heard.text == recording.partition(".")[0].replace("-", " ")


@pytest.mark.parametrize("sound", [b"", b"\0\0", b"\1\0" * 100], ids=["nothing", "one-sample", "a-blip"])
async def test_a_recording_of_next_to_nothing_says_nothing(engine: Sphinx, tmp_path: Path, sound: bytes) -> None:
    file = wav(tmp_path, sound)
    if not sound:
        with pytest.raises(TranscriptionFailed) as failure:
            await engine.transcribe(file, language="en-US", phrases=["yes"])
        assert failure.value.code == "recording"
    else:
        assert (await engine.transcribe(file, language="en-US", phrases=["yes"])).text is None


async def test_a_monologue_is_none_of_the_phrases(engine: Sphinx, recordings: Path, tmp_path: Path) -> None:
    """And is not searched for them: that would take a worker's whole allowance."""
    speech = samples(recordings / "weather.wma")
    long = b"".join(itertools.islice(itertools.cycle([speech]), 300))
    heard = await engine.transcribe(wav(tmp_path, long), language="en-US", phrases=["sales", "yes"])
    assert heard.text is None
    assert heard.seconds == pytest.approx(len(long) / 32_000, abs=0.01)


async def test_languages_other_than_english_are_refused(engine: Sphinx, recordings: Path) -> None:
    with pytest.raises(TranscriptionFailed, match="only English, not de-DE") as failure:
        await engine.transcribe(recordings / "yes.wav", language="de-DE", phrases=["ja"])
    assert failure.value.code == "failed"


async def test_more_phrases_than_can_be_told_apart_are_refused(engine: Sphinx, recordings: Path) -> None:
    phrases = [f"choice {number}" for number in range(MOST_PHRASES + 1)]
    with pytest.raises(TranscriptionFailed, match="more than 1000 phrases"):
        await engine.transcribe(recordings / "yes.wav", language="en-US", phrases=phrases)


async def test_as_many_phrases_as_may_be_are_understood(engine: Sphinx, recordings: Path) -> None:
    phrases = [f"choice number {number}" for number in range(MOST_PHRASES - 1)] + ["goodbye"]
    heard = await engine.transcribe(recordings / "goodbye.ogg", language="en-US", phrases=phrases)
    assert heard.text == "goodbye"


async def test_a_recording_that_is_gone_or_none_is_refused(engine: Sphinx, tmp_path: Path) -> None:
    (tmp_path / "text.wma").write_text("hello")
    for name in ("missing.wma", "text.wma"):
        with pytest.raises(TranscriptionFailed) as failure:
            await engine.transcribe(tmp_path / name, language="en-US", phrases=["yes"])
        assert failure.value.code == "recording"
