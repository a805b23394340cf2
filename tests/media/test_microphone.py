"""What a microphone keeps of a line, in whatever form and pieces its sound comes."""

import itertools
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.audio.formats import RATE
from ivr.audio.g711 import A_LAW as A_LAW_TABLES
from ivr.audio.g711 import MU_LAW as MU_LAW_TABLES
from ivr.media.capture import A_LAW, LINEAR, MU_LAW, CaptureBuffer, CaptureFormat
from ivr.media.microphone import BEFORE, LONGEST_UTTERANCE, Microphone
from ivr.media.sound import FRAME
from ivr.media.voice_activity import ONSET, RELEASE

FORMS = [LINEAR, A_LAW, MU_LAW]
each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


def in_form(form: CaptureFormat, samples: bytes) -> bytes:
    """Return 16 bit samples of the form's own rate in that form."""
    match form.name:
        case "PCMA":
            return A_LAW_TABLES.compressed(samples)
        case "PCMU":
            return MU_LAW_TABLES.compressed(samples)
    return samples


def level(form: CaptureFormat, seconds: float, height: int) -> bytes:
    """Return a square wave of 100 Hz, which any resampler leaves as it is but for its edges."""
    half = form.rate // 200
    count = round(seconds * form.rate)
    return in_form(form, array("h", (height if index // half % 2 else -height for index in range(count))).tobytes())


def quiet(form: CaptureFormat, seconds: float) -> bytes:
    return form.silence * round(seconds * form.rate)


def fed(microphone: Microphone, data: bytes, size: int) -> list[bool]:
    return [active for start in range(0, len(data), size) for active in microphone.hear(data[start : start + size])]


def heights(samples: bytes, *, rate: int) -> list[int]:
    """Return the loudness of each 20 ms, rounded to hundreds."""
    sound = array("h", samples)
    frame = round(rate * FRAME)
    parts = [sound[start : start + frame] for start in range(0, len(sound), frame)]
    return [round(math.sqrt(sum(sample**2 for sample in part) / len(part)) / 100) for part in parts]


@each_form
def test_a_frame_of_20_ms_has_its_size_and_silence_has_no_level(form: CaptureFormat) -> None:
    assert form.frame_bytes == {"linear": 640, "PCMA": 160, "PCMU": 160}[form.name]
    assert form.level(quiet(form, FRAME)) < 10
    assert form.level(level(form, FRAME, 8000)) == pytest.approx(8000, rel=0.03)
    assert form.level(b"") == 0.0


@each_form
def test_a_voice_is_told_from_silence_in_every_form(form: CaptureFormat) -> None:
    microphone = Microphone(form)
    assert fed(microphone, quiet(form, 0.5), 160) == []
    assert fed(microphone, level(form, 0.5, 6000), 160) == [True]
    assert fed(microphone, quiet(form, 1.0), 160) == [False]
    assert microphone.utterance().seconds == pytest.approx(BEFORE - ONSET + 0.5 + RELEASE, abs=0.03)
    assert not microphone.utterance()


async def test_an_utterance_goes_to_the_ear_at_its_rate() -> None:
    microphone = Microphone(MU_LAW)
    fed(microphone, quiet(MU_LAW, 0.5) + level(MU_LAW, 0.6, 6000) + quiet(MU_LAW, 1.0), 160)
    utterance = microphone.utterance()
    samples = await utterance.samples(RATE)
    assert len(samples) / (2 * RATE) == pytest.approx(utterance.seconds)
    assert 0.55 <= FRAME * sum(height > 30 for height in heights(samples, rate=RATE)) <= 0.65


def test_an_utterance_without_end_keeps_what_was_said_last() -> None:
    microphone = Microphone(A_LAW)
    fed(microphone, level(A_LAW, LONGEST_UTTERANCE + 5.0, 6000) + quiet(A_LAW, 0.4), 160)
    assert microphone.utterance().seconds == pytest.approx(LONGEST_UTTERANCE)


@each_form
async def test_a_recording_is_as_long_as_the_line_says_cut_off_or_followed_by_silence(form: CaptureFormat) -> None:
    microphone = Microphone(form)
    microphone.record()
    fed(microphone, level(form, 1.0, 6000), 160)
    microphone.keep()
    fed(microphone, level(form, 1.0, 6000), 160)
    recorded = microphone.recorded()
    assert (recorded.rate, recorded.seconds) == (form.rate, 1.0)
    assert len(await recorded.samples(form.rate, 0.5)) == form.rate
    longer = await recorded.samples(form.rate, 1.5)
    assert len(longer) == 3 * form.rate
    assert not any(longer[2 * form.rate :])


@each_form
async def test_a_line_without_sound_records_silence_at_its_rate(form: CaptureFormat) -> None:
    microphone = Microphone(form)
    microphone.record()
    recorded = microphone.recorded()
    assert recorded.rate == form.rate
    assert await recorded.samples(recorded.rate, 0.25) == bytes(form.rate // 2)


async def test_another_codec_in_mid_call_leaves_no_gap() -> None:
    microphone = Microphone(A_LAW)
    microphone.record()
    told = fed(microphone, level(A_LAW, 0.4, 2000), 160)
    microphone.use(MU_LAW)
    told += fed(microphone, level(MU_LAW, 0.4, 4000), 160)
    assert told == [True]  # the voice goes on
    same_rate = microphone.recorded()
    assert same_rate.rate == 8_000
    assert heights(await same_rate.samples(8_000), rate=8_000) == pytest.approx([20] * 20 + [40] * 20, abs=1)
    microphone.use(LINEAR)
    told += fed(microphone, level(LINEAR, 0.4, 6000) + quiet(LINEAR, 0.4), 640)
    assert told == [True, False]
    recorded = microphone.recorded()
    assert recorded.rate == RATE
    wide = heights(await recorded.samples(RATE), rate=RATE)
    assert len(wide) == 80
    assert wide[2:18] + wide[22:38] + wide[42:58] == pytest.approx([20] * 16 + [40] * 16 + [60] * 16, abs=4)
    assert microphone.utterance().seconds == pytest.approx(1.2 + RELEASE, abs=0.03)


pieces = st.lists(
    st.tuples(
        st.sampled_from(FORMS),
        st.integers(1, 15),  # frames of 20 ms
        st.integers(1, 700),  # bytes that come at once
        st.sampled_from([0, 2000, 9000]),
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(pieces)
async def test_what_is_recorded_is_as_long_as_what_was_heard_whatever_pieces_it_came_in(
    parts: list[tuple[CaptureFormat, int, int, int]],
) -> None:
    microphone = Microphone()
    microphone.record()
    for form, frames, size, height in parts:
        microphone.use(form)
        told = fed(microphone, level(form, frames * FRAME, height) if height else quiet(form, frames * FRAME), size)
        assert not any(one == other for one, other in itertools.pairwise(told))
    recorded = microphone.recorded()
    seconds = FRAME * sum(frames for _, frames, _, _ in parts)
    assert recorded.seconds == pytest.approx(seconds)
    samples = await recorded.samples(recorded.rate)
    assert len(samples) == pytest.approx(2 * recorded.rate * seconds)
    loud = [height > 0 for _, frames, _, height in parts for _ in range(frames)]
    found = heights(samples, rate=recorded.rate)
    assert len(found) == len(loud)
    settled = [
        number for number in range(1, len(loud) - 1) if loud[number - 1] == loud[number] == loud[number + 1]
    ]  # a resampler rings where one piece meets the next
    assert [found[number] > 5 for number in settled] == [loud[number] for number in settled]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(FORMS), st.integers(0, 300)), max_size=8), st.integers(0, 60))
def test_a_buffer_keeps_what_came_last(parts: list[tuple[CaptureFormat, int]], frames: int) -> None:
    buffer = CaptureBuffer()
    for form, milliseconds in parts:
        buffer.add(form, quiet(form, milliseconds / 1000))
    whole = sum(milliseconds for _, milliseconds in parts) / 1000
    buffer.keep_last(frames * FRAME)
    assert buffer.sound(RATE).seconds == pytest.approx(min(whole, frames * FRAME), abs=1e-9)
    buffer.clear()
    assert not buffer.sound(RATE)
