"""How long a recording is by its own head: right for what platforms write, unknown for all else, and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.encode import encoded
from ivr.audio.formats import RATE
from ivr.audio.length import HEAD, seconds_of
from ivr.engine.commands import RecordingFormat

FORMS: tuple[RecordingFormat, ...] = ("wma", "wav", "mp3")
FILES = {form: encoded(bytes(2 * RATE * 3), form) for form in FORMS}
"Three seconds in each form."


def length(file: bytes) -> float | None:
    return seconds_of(file[:HEAD], len(file))


@pytest.mark.parametrize("form", FORMS)
def test_the_file_of_a_recording_says_how_long_it_is(form: RecordingFormat) -> None:
    assert length(FILES[form]) == pytest.approx(3.0, abs=0.25)


@pytest.mark.parametrize("form", FORMS)
def test_a_recording_of_a_telephone_says_how_long_it_is_too(form: RecordingFormat) -> None:
    assert length(encoded(bytes(2 * 8_000 * 3), form, 8_000)) == pytest.approx(3.0, abs=0.25)


def test_a_writer_that_streams_a_wav_does_not_know_its_length() -> None:
    for told in (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff"):
        at = FILES["wav"].index(b"data") + 4
        assert length(FILES["wav"][:at] + told + FILES["wav"][at + 4 :]) == pytest.approx(3.0, abs=0.01)


def test_an_mp3_may_begin_with_a_tag() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    start = FILES["mp3"].index(b"\xff", 10 if FILES["mp3"].startswith(b"ID3") else 0)
    assert length(tag + FILES["mp3"][start:]) == pytest.approx(3.0, abs=0.25)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"RIFF",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"RIFF\x00\x00\x00\x00WAVEdata" + bytes(8),
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(HEAD),
        FILES["wma"][:60],
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(range(256)) * 4,
        b"\xff\xfb\x00\x00" + bytes(100),
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(100),
        b"OggS" + bytes(100),
        b"ID3",
    ],
    ids=range(11),
)
def test_of_a_file_that_does_not_say_the_length_is_unknown(file: bytes) -> None:
    assert length(file) is None


@given(st.sampled_from(FORMS), st.integers(0, 600), st.binary(max_size=60), st.integers(0, 2**40))
def test_whatever_a_file_says_the_length_is_unknown_or_less_than_a_day(
    form: RecordingFormat, at: int, noise: bytes, size: int
) -> None:
    file = FILES[form]
    found = seconds_of((file[:at] + noise + file[at + len(noise) :])[:HEAD], size)
    assert found is None or 0 < found <= 86_400
