"""A recording of a stream: the phone's limits, by the length of the sound, however the network delivers it."""

import io
import wave
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Record
from ivr.line import Outcome
from ivr.media.sound import tone
from ivr.server.stream_recorder import PATIENCE, StreamRecorder, linear

RATE = 8000
RECORD = Record("1.1", (), max_duration=10.0, max_silence=2.0, terminators="#*", initial_silence=5.0)


def voice(seconds: float) -> bytes:
    """Return something like speech: syllables of a tone, with short gaps."""
    syllable = array("h", tone(180, 0.16))[::2].tobytes() + bytes(2 * int(0.04 * RATE))
    return (syllable * (int(seconds / 0.2) + 1))[: 2 * round(seconds * RATE)]


def quiet(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def recorder(record: Record = RECORD) -> StreamRecorder:
    return StreamRecorder(record, linear(RATE))


def recorded(*sound: bytes, record: Record = RECORD, keys: str = "") -> StreamRecorder:
    one = recorder(record)
    for piece in sound:
        one.hear(piece)
    for key in keys:
        one.press(key)
    return one


def ended(one: StreamRecorder) -> tuple[str, float]:
    assert one.outcome is not None
    return one.outcome.result, one.outcome.seconds


def test_silence_after_speech_ends_it() -> None:
    result, seconds = ended(recorded(voice(3.0), quiet(3.0)))
    assert result == "spoken"
    assert seconds == pytest.approx(3.0 + 0.35 + 2.0, abs=0.2)


def test_who_says_nothing_at_all_was_silent() -> None:
    assert ended(recorded(quiet(5.1))) == ("silence", 0.0)


def test_a_pause_that_is_short_does_not_end_it() -> None:
    assert recorded(voice(2.0), quiet(1.5), voice(1.0)).outcome is None


def test_it_is_no_longer_than_it_may_be() -> None:
    assert ended(recorded(voice(11.0))) == ("limit", 10.0)


@pytest.mark.parametrize("key", "#*")
def test_any_of_the_keys_ends_it(key: str) -> None:
    assert ended(recorded(voice(1.5), keys=f"1{key}")) == ("terminator", 1.5)


def test_what_is_no_key_is_passed_over() -> None:
    one = recorded(voice(1.0))
    for text in ("", "12", "E", "\0"):
        one.press(text)
    assert one.outcome is None


def test_a_key_before_any_sound_is_no_recording() -> None:
    one = recorded(keys="#")
    assert one.outcome == Outcome("1.1", ok=False, result="terminator")


def test_who_hangs_up_has_left_what_was_said() -> None:
    one = recorded(voice(1.5))
    one.left()
    assert ended(one) == ("left", 1.5)


def test_sound_that_stays_away_is_silence_after_a_moment() -> None:
    one = recorder()
    one.idle(PATIENCE)
    assert one.seconds == 0
    one.idle(PATIENCE + 5.0)
    assert ended(one) == ("silence", 0.0)


def test_nothing_that_comes_after_the_end_counts() -> None:
    one = recorded(voice(1.0), keys="#")
    one.hear(voice(5.0))
    one.left()
    one.idle(1000.0)
    assert ended(one) == ("terminator", 1.0)


async def test_the_file_is_the_sound_to_the_byte() -> None:
    said = voice(1.5)
    audio = await recorded(said, keys="#").file()
    assert audio is not None
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.readframes(file.getnframes()) == said


async def test_of_silence_there_is_no_file() -> None:
    assert await recorded(quiet(5.1)).file() is None


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=40), st.booleans())
def test_how_the_network_cuts_the_sound_makes_no_difference(sizes: list[int], speaks: bool) -> None:
    sound = voice(1.2) + (voice(2.0) if speaks else quiet(2.6)) + quiet(1.0)
    whole, pieces = recorder(), recorder()
    whole.hear(sound)
    rest = sound
    for size in sizes:
        pieces.hear(rest[:size])
        rest = rest[size:]
    pieces.hear(rest)
    assert (pieces.outcome, pieces.seconds) == (whole.outcome, whole.seconds)
