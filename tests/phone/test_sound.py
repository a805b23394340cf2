"""Speaking, playing, recording and understanding with the real libraries; each test is skipped where one is missing."""

import io
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Literal

import pytest

from ivr.engine.commands import Audio, Silence, Text
from ivr.media.installed import missing
from ivr.media.prompt_renderer import Speaker, samples_of
from ivr.media.recorder import Recorder
from ivr.media.sound import BYTES_A_SECOND, Sound, Unplayable, silence, tone
from ivr.phone.callers.turn_based import PlaySamples, Speak
from ivr.phone.platform import Target, platform, sound_of
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, RECORD, fake_bot, flow
from tests.phone.people import call

needs_voice = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")
needs_codecs = pytest.mark.skipif("silent" in " ".join(missing()), reason="PyAV is not installed")
needs_ear = pytest.mark.skipif("typed" in " ".join(missing()), reason="pocketsphinx is not installed")
needs_speaker = pytest.mark.skipif(shutil.which("flite") is None, reason="flite, who speaks here, is not installed")


async def samples(sound: Sound, *segments: Text | Silence | Audio) -> bytes:
    return b"".join([piece.samples async for piece in sound.renderer.render(segments)])


@pytest.mark.parametrize(
    ("absent", "cure"),
    [
        ("espeakng_loader", "pip install 'ivr[phone]'"),
        ("av", "pip install av"),
        ("pocketsphinx", "pip install pocketsphinx"),
    ],
)
def test_what_is_missing_is_told_with_what_brings_just_that(absent: str, cure: str) -> None:
    (told,) = missing(lambda module: module != absent)
    assert told.endswith(f"To change that: {cure}")


def test_where_nothing_is_missing_nothing_is_told() -> None:
    assert missing(lambda _: True) == []


async def test_silence_is_as_long_as_it_says() -> None:
    async with platform(Target("http://127.0.0.1/")) as phone:
        assert await samples(sound_of(phone), Silence(500)) == bytes(BYTES_A_SECOND // 2)


@needs_voice
async def test_a_text_is_spoken_and_two_voices_differ() -> None:
    async with platform(Target("http://127.0.0.1/")) as phone:
        he = await samples(sound_of(phone), Text("Press one for sales.", "male", "en-US"))
        she = await samples(sound_of(phone), Text("Press one for sales.", "female", "en-US"))
    assert 0.8 < len(he) / BYTES_A_SECOND < 4
    assert he != she


@needs_codecs
@pytest.mark.parametrize("form", ["wma", "wav", "mp3"])
async def test_a_file_is_fetched_and_played(form: Literal["wma", "wav", "mp3"]) -> None:
    encoded = await Recorder(encodes=True).encode(tone(440, 1.0), form)
    assert encoded is not None
    async with fake_bot(files={"a": encoded.data}) as bot, platform(Target(bot.call)) as phone:
        played = await samples(sound_of(phone), Audio(url=f"{bot.base}/files/a"))
    assert len(played) / BYTES_A_SECOND == pytest.approx(1.0, abs=0.1)


@needs_codecs
@pytest.mark.parametrize("content", [b"", b"ffconcat version 1.0\nfile /etc/hostname\n", b"RIFF" + bytes(100)])
async def test_a_file_that_is_no_audio_is_unplayable(content: bytes) -> None:
    async with fake_bot(files={"a": content}) as bot, platform(Target(bot.call)) as phone:
        with pytest.raises(Unplayable):
            await samples(sound_of(phone), Audio(url=f"{bot.base}/files/a"))


async def test_without_libraries_a_file_is_fetched_all_the_same() -> None:
    async with fake_bot(files={"a": b"x"}) as bot, platform(Target(bot.call)) as phone:
        plain = Speaker(None, phone.fetch, phone.workers, plays=False)
        pieces = [piece async for piece in plain.render([Audio(url=f"{bot.base}/files/a"), Text("Hi.", "male", "en")])]
        assert [piece.samples for piece in pieces] == [b"", b""]
        assert all(piece.seconds > 0 for piece in pieces)
        with pytest.raises(Unplayable, match="404"):
            [piece async for piece in plain.render([Audio(url=f"{bot.base}/files/b")])]


@needs_codecs
@pytest.mark.parametrize(
    ("form", "magic"), [("wma", b"0&\xb2u"), ("wav", b"RIFF"), ("mp3", b"ID3")], ids=["wma", "wav", "mp3"]
)
async def test_a_recording_comes_in_the_format_that_was_asked_for(form: str, magic: bytes) -> None:
    record = RECORD | {"recordingFormat": form}
    async with fake_bot(flow(ANSWER, record), flow(HANG_UP)) as bot:
        await call(bot, Speak("my flight was late"), aloud=True)
    told = next(told for told in bot.told if told.headers["Content-Type"].startswith("multipart"))
    assert told.parts["recordedAudio"].startswith(magic)
    assert told.outcome["format"] == form


@needs_codecs
async def test_what_is_recorded_decodes_to_what_was_said(tmp_path: Path) -> None:
    said = tone(440, 2.0)
    encoded = await Recorder(encodes=True).encode(said, "wma")
    assert encoded is not None
    (tmp_path / "a.wma").write_bytes(encoded.data)
    async with platform(Target("http://127.0.0.1/")) as phone:
        decoded = await samples_of(tmp_path / "a.wma", phone.workers)
    assert len(decoded) / BYTES_A_SECOND == pytest.approx(encoded.seconds, abs=0.15)


def flite(words: str, folder: Path) -> bytes:
    """Let somebody speak; pocketsphinx understands flite better than espeak-ng."""
    file = folder / "said.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", words, "-o", str(file)], check=True, capture_output=True)
    with wave.open(io.BytesIO(file.read_bytes())) as spoken:
        assert spoken.getframerate() == 16_000
        return silence(0.3) + spoken.readframes(spoken.getnframes()) + silence(0.3)


@needs_codecs
@needs_ear
@needs_speaker
async def test_a_caller_s_voice_chooses_and_other_words_do_not(tmp_path: Path) -> None:
    menu = MENU | {
        "choices": [
            {"name": "sales", "speechVariation": ["sales department"]},
            {"name": "help", "speechVariation": ["technical support"]},
        ]
    }
    async with fake_bot(flow(ANSWER, menu), flow(menu), flow(HANG_UP)) as bot:
        await call(
            bot,
            PlaySamples(flite("technical support", tmp_path)),
            PlaySamples(flite("yesterday it was raining all the time", tmp_path)),
            aloud=True,
        )
    understood, refused = (outcome["choiceOutcome"] for outcome in bot.outcomes[:2])
    assert understood == {"completionReason": "speechOptionMatched", "choiceName": "help"}
    assert refused == {"completionReason": "initialSilenceTimeout"}
