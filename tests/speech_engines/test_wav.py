"""A recording on its way to an engine: decoded in a worker, in a file without a name."""

import random
import tempfile
import wave
from array import array
from pathlib import Path

import pytest

from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.speech.wav import decoded


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("technical-support.wma", 1.86),
        ("technical-support-v1.wma", 1.44),
        ("tuesday-at-ten-thirty.wav", 1.64),  # mu-law at 8 kHz
        ("lost-luggage.mp3", 1.41),
        ("goodbye.ogg", 0.79),  # Opus
    ],
)
async def test_every_sort_of_recording_becomes_what_every_engine_takes(
    workers: Workers, recordings: Path, name: str, seconds: float
) -> None:
    async with decoded(workers, recordings / name) as result:
        with wave.open(result.file, "rb") as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
            assert file.getnframes() / 16_000 == result.seconds == pytest.approx(seconds, abs=0.02)
            assert max(array("h", file.readframes(file.getnframes()))) > 8_000


async def test_nothing_is_left_behind(
    workers: Workers, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with decoded(workers, recordings / "technical-support.wma") as result:
        assert list(tmp_path.iterdir()) == []  # nor would `kill -9` leave anything
        assert result.file.read(4) == b"RIFF"


async def test_a_recording_that_is_gone_is_no_recording(workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(TranscriptionFailed) as caught:
        async with decoded(workers, tmp_path / "gone.wma"):
            pass
    assert caught.value.code == "recording"


async def test_whatever_happened_to_a_recording_no_worker_goes_down(
    workers: Workers, recordings: Path, tmp_path: Path
) -> None:
    chance = random.Random(7)
    file = tmp_path / "hurt"
    outcomes = set()
    for name in ("technical-support.wma", "lost-luggage.mp3", "goodbye.ogg", "tuesday-at-ten-thirty.wav"):
        whole = (recordings / name).read_bytes()
        for _ in range(25):
            hurt = bytearray(whole)
            for _ in range(chance.randrange(1, 40)):
                hurt[chance.randrange(len(hurt))] = chance.randrange(256)
            file.write_bytes(hurt[: chance.randrange(1, len(hurt))])
            try:
                async with decoded(workers, file):
                    outcomes.add("decoded")
            except TranscriptionFailed as error:
                outcomes.add("refused" if error.code == "recording" and "crashed" not in str(error) else str(error))
    assert outcomes == {"decoded", "refused"}
