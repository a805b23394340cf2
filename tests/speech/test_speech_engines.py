"""The engines that need no model: one that hears nothing, one that hears what a script says."""

import hashlib
import json
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.ports import Transcript
from ivr.speech.engines.scripted import Scripted
from ivr.speech.registry import ENGINES, Engine, EngineOptions

OPTIONS = EngineOptions(Workers())


def test_every_value_of_the_setting_is_an_engine() -> None:
    assert tuple(ENGINES) == get_args(Engine)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(b"audio")
    return path


def scripted(tmp_path: Path, script: object) -> Scripted:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(script))
    return Scripted.read(file)


async def test_none_understands_nothing(audio: Path) -> None:
    engine = ENGINES["none"].make(OPTIONS)
    assert engine.name == "none"
    assert await engine.transcribe(audio, language="en-US", phrases=()) == Transcript(None)


async def test_the_script_answers_by_the_audio_and_else_by_the_star(tmp_path: Path, audio: Path) -> None:
    script = {hashlib.sha256(b"audio").hexdigest(): {"text": "hello", "confidence": 0.5}, "*": {"text": "anything"}}
    engine = scripted(tmp_path, script)
    assert await engine.transcribe(audio, language="en-US", phrases=()) == Transcript("hello", 0.5)
    audio.write_bytes(b"other")
    assert await engine.transcribe(audio, language="en-US", phrases=()) == Transcript("anything")


async def test_the_script_can_fail(tmp_path: Path, audio: Path) -> None:
    with pytest.raises(TranscriptionFailed) as caught:
        await scripted(tmp_path, {"*": {"error": "recording"}}).transcribe(audio, language="en-US", phrases=())
    assert caught.value.code == "recording"


async def test_audio_that_the_script_does_not_know_fails(tmp_path: Path, audio: Path) -> None:
    with pytest.raises(TranscriptionFailed):
        await scripted(tmp_path, {}).transcribe(audio, language="en-US", phrases=())


@pytest.mark.parametrize("script", ["{", "[]", '{"*": {"tekst": "x"}}', '{"*": {"error": "bad"}}'])
def test_a_script_that_is_none_says_which_file(tmp_path: Path, script: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(script)
    with pytest.raises(ValueError, match=r"script\.json is not a script"):
        Scripted.read(file)


def test_a_scripted_engine_without_a_script_says_what_to_set() -> None:
    with pytest.raises(ValueError, match="IVR_STT_SCRIPT"):
        ENGINES["scripted"].make(OPTIONS)
    with pytest.raises(ValueError, match="cannot be read"):
        ENGINES["scripted"].make(replace(OPTIONS, script=Path("nowhere.json")))
