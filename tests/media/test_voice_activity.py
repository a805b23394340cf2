"""Voice and silence are told apart by ear."""

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from ivr.media.sound import FRAME
from ivr.media.voice_activity import Activity, detect, loudness

SAMPLES = round(16_000 * FRAME)
SILENCE = bytes(2 * SAMPLES)


def sound(level: int) -> bytes:
    return array("h", (round(level * math.sin(index / 5)) for index in range(SAMPLES))).tobytes()


def listen(*parts: tuple[float, bytes]) -> list[bool]:
    """Listen to so many seconds of each; tell for each frame whether somebody speaks."""
    before, told = Activity(), []
    for seconds, frame in parts:
        for _ in range(round(seconds / FRAME)):
            before = detect(before, loudness(frame))
            told.append(before.active)
    return told


def changes(told: list[bool]) -> list[tuple[float, bool]]:
    return [
        (round(n * FRAME, 2), now) for n, (was, now) in enumerate(zip([False, *told], told, strict=False)) if was != now
    ]


def test_a_voice_is_heard_soon_and_its_end_a_little_later() -> None:
    begins, ends = changes(listen((1.0, SILENCE), (2.0, sound(4000)), (1.0, SILENCE)))
    assert begins[1] is True
    assert 1.0 <= begins[0] <= 1.15
    assert ends[1] is False
    assert 3.0 < ends[0] <= 3.4


def test_a_click_is_no_voice() -> None:
    assert changes(listen((0.5, SILENCE), (0.04, sound(20000)), (0.5, SILENCE))) == []


def test_a_pause_between_two_words_is_no_silence() -> None:
    assert len(changes(listen((0.5, SILENCE), (0.5, sound(4000)), (0.2, SILENCE), (0.5, sound(4000))))) == 1


def test_a_hum_is_silence_and_a_voice_above_it_is_not() -> None:
    _, hum_forgotten, voice = changes(listen((0.5, SILENCE), (8.0, sound(300)), (1.0, sound(6000))))
    assert hum_forgotten[1] is False
    assert voice[0] >= 8.5


def test_quiet_noise_is_silence() -> None:
    assert changes(listen((3.0, sound(100)))) == []


@given(st.lists(st.binary(max_size=700), max_size=30))
def test_any_bytes_can_be_listened_to(frames: list[bytes]) -> None:
    activity = Activity()
    for frame in frames:
        activity = detect(activity, loudness(frame))
        assert activity.floor > 0
