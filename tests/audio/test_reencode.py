"""Recordings made into files that a line or a person can play."""

import tempfile
from pathlib import Path

import pytest

from ivr.audio.encode import encoded
from ivr.audio.formats import TO_FILE, Reencoded, sniff
from ivr.audio.workers import Workers
from ivr.engine.commands import RecordingFormat
from ivr.errors import TranscriptionFailed
from ivr.media.sound import tone

MOST = 512 * 1024


async def made(audio: bytes, form: RecordingFormat, most: int | None = MOST) -> tuple[Reencoded, bytes]:
    workers = Workers()
    try:
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
            source.write(audio)
            source.flush()
            what = await workers.run(TO_FILE, source, target, form=form, longest=600.0, most=most)
            target.seek(0)
            return what, target.read()
    finally:
        await workers.close()


@pytest.mark.parametrize("form", ["wma", "mp3", "wav"])
async def test_a_recording_becomes_a_file_of_the_sort_that_is_wanted(form: RecordingFormat) -> None:
    what, file = await made(encoded(tone(440, 2.0), "mp3"), form)
    assert sniff(file) == form
    assert not what.cut
    assert abs(what.seconds - 2.0) < 0.1


@pytest.mark.parametrize(("seconds", "cut"), [(105.0, False), (115.0, False), (150.0, False), (200.0, True)])
async def test_one_that_is_too_large_gets_less_quality_and_then_loses_its_end(seconds: float, cut: bool) -> None:
    what, file = await made(encoded(tone(440, seconds), "mp3"), "wma")
    assert what.cut is cut
    assert MOST * 0.6 < len(file) <= MOST
    assert abs(what.seconds - min(seconds, 155)) < 2
    assert sniff(file) == "wma"


async def test_what_is_for_people_is_whole() -> None:
    what, file = await made(encoded(tone(440, 200.0), "mp3"), "mp3", most=None)
    assert not what.cut
    assert len(file) > MOST


async def test_what_holds_no_sound_is_refused() -> None:
    with pytest.raises(TranscriptionFailed):
        await made(Path(__file__).read_bytes(), "wma")
