"""Recordings of every sort to 16 kHz, and files that are none."""

import asyncio
import ctypes
import io
import itertools
import math
import os
import tempfile
import wave
import zipfile
from array import array
from pathlib import Path
from typing import TypeAlias

import pytest

from ivr.audio.formats import RATE, TO_WAV, Decoded
from ivr.audio.workers import Workers
from ivr.engine.commands import RecordingFormat
from ivr.errors import TranscriptionFailed

av = pytest.importorskip("av", reason="PyAV is not installed")

from ivr.audio.decode import RecordingSamples, to_wav  # noqa: E402  # it imports av
from ivr.audio.encode import encoded  # noqa: E402  # it imports av, too

TONE = 440
"Hertz."
LONGEST = 900.0
Sound: TypeAlias = "array[int]"


def tone(seconds: float, rate: int) -> Sound:
    return array("h", [round(9000 * math.sin(math.tau * TONE * i / rate)) for i in range(int(seconds * rate))])


def made(container: str, codec: str, samples: Sound, rate: int, layout: str = "mono", **options: str) -> bytes:
    """Make an audio file; the same samples go to each channel."""
    channels = {"mono": 1, "stereo": 2}[layout]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout, options=options)
        if not codec.startswith("pcm"):
            stream.bit_rate = 32_000 * channels
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
        for start in range(0, len(samples), 65_535):
            piece = samples[start : start + 65_535]
            frame = av.AudioFrame(format="s16", layout=layout, samples=len(piece))
            sound = _interleaved(piece, channels).tobytes()
            frame.planes[0].update(sound.ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts = rate, start
            for ready in resampler.resample(frame):
                output.mux(stream.encode(ready))
        output.mux(stream.encode(None))
    return file.getvalue()


def _interleaved(samples: Sound, channels: int) -> Sound:
    if channels == 1:
        return samples
    return array("h", itertools.chain.from_iterable(zip(*[samples] * channels, strict=True)))


def heard(data: bytes, *, longest: float = LONGEST) -> tuple[Sound, bool]:
    """Decode in this process; give the samples, and whether some are missing."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        recording = RecordingSamples(os.dup(file.fileno()), longest=longest)
        return array("h", b"".join(recording)), recording.damaged


def hertz(samples: Sound) -> float:
    """Count how often the sound rises through zero, away from its ends, where codecs fade."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return sum(a < 0 <= b for a, b in itertools.pairwise(middle)) * RATE / len(middle)


@pytest.mark.parametrize(
    ("container", "codec", "rate", "layout", "frame"),
    [
        ("asf", "wmav1", 16_000, "mono", 1024),
        ("asf", "wmav2", 16_000, "mono", 1024),
        ("asf", "wmav2", 44_100, "stereo", 2048),
        ("wav", "pcm_s16le", 16_000, "mono", 1),
        ("wav", "pcm_s16le", 44_100, "stereo", 1),
        ("wav", "pcm_s16le", 8_000, "mono", 1),
        ("wav", "pcm_mulaw", 8_000, "mono", 1),
        ("wav", "pcm_alaw", 8_000, "mono", 1),
        ("mp3", "libmp3lame", 16_000, "mono", 1152),
        ("mp3", "libmp3lame", 44_100, "stereo", 1152),
        ("ogg", "libopus", 48_000, "mono", 960),
        ("webm", "libopus", 48_000, "mono", 960),
        ("flac", "flac", 16_000, "mono", 1),
        ("ipod", "aac", 16_000, "mono", 1024),
    ],
)
def test_every_sort_of_recording_keeps_its_tone_and_its_length(
    container: str, codec: str, rate: int, layout: str, frame: int
) -> None:
    samples, damaged = heard(made(container, codec, tone(1.5, rate), rate, layout))
    # A codec ends and begins with whole frames of its own; the resampler keeps a few samples back.
    assert abs(len(samples) - 1.5 * RATE) <= (2 * frame / rate + 0.002) * RATE
    assert hertz(samples) == pytest.approx(TONE, rel=0.02)
    assert 5000 < max(samples) < 20_000  # codecs overshoot where a tone begins
    assert not damaged


@pytest.mark.parametrize("form", ["wma", "wav", "mp3"])
def test_what_a_telephone_recorded_keeps_its_rate_its_tone_and_its_length(form: RecordingFormat) -> None:
    file = encoded(tone(1.5, 8_000).tobytes(), form, 8_000)
    with av.open(io.BytesIO(file)) as container:
        assert container.streams.audio[0].rate == 8_000
    samples, damaged = heard(file)
    assert len(samples) / RATE == pytest.approx(1.5, abs=0.15)
    assert hertz(samples) == pytest.approx(TONE, rel=0.02)
    assert not damaged


def test_the_samples_of_a_wideband_wav_stay_as_they_are() -> None:
    samples = tone(0.5, RATE)
    assert heard(made("wav", "pcm_s16le", samples, RATE)) == (samples, False)


@pytest.mark.parametrize(("container", "codec"), [("asf", "wmav2"), ("mp3", "libmp3lame"), ("wav", "pcm_s16le")])
def test_of_a_recording_without_its_end_the_beginning_is_kept(container: str, codec: str) -> None:
    whole = made(container, codec, tone(10.0, RATE), RATE)
    share = 3 / 48
    samples, _ = heard(whole[: int(len(whole) * share)])
    assert len(samples) / RATE == pytest.approx(10.0 * share, abs=0.4)
    assert hertz(samples) == pytest.approx(TONE, rel=0.05)


def test_a_recording_with_a_damaged_middle_keeps_the_rest() -> None:
    whole = bytearray(made("asf", "wmav2", tone(6.0, RATE), RATE))
    middle = len(whole) // 2
    whole[middle : middle + 2000] = b"\xff" * 2000
    samples, _ = heard(bytes(whole))
    assert 3.0 < len(samples) / RATE < 6.2


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("voice.wav", bytes(10_000_000))
    return file.getvalue()


def picture() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame(64, 64, "yuv420p")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


ASF_HEAD = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
NOISE = bytes((i * i * 31 + i // 7) % 256 for i in range(8192))
PLAYLIST = b"ffconcat version 1.0\nfile other.wav\n"
SILENT = made("wav", "pcm_s16le", array("h"), RATE)
HOSTILE = {
    "ffconcat": PLAYLIST,
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nother.wav\n#EXT-X-ENDLIST\n",
    "m3u8-address": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "ffmetadata": b";FFMETADATA1\ntitle=x\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "html": b"<!doctype html><audio src='other.wav'></audio>",
    "text": b"Hello, I would like to order a pizza.\n" * 50,
    "zip": zipped(),
    "empty": b"",
    "one-byte": b"R",
    "film": picture(),
    "riff-and-noise": b"RIFF\xff\xff\xff\xffWAVE" + NOISE,
    "riff-alone": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "wav-without-samples": SILENT,
    "asf-and-noise": ASF_HEAD + NOISE,
    "asf-alone": ASF_HEAD,
    "ogg-and-noise": b"OggS" + NOISE,
    "flac-and-noise": b"fLaC" + NOISE,
    "zeros": bytes(8192),
}


async def decoded(workers: Workers, data: bytes, *, longest: float = LONGEST) -> tuple[Decoded, bytes]:
    """Decode as the server does."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(data)
        source.flush()
        done = await workers.run(TO_WAV, source, target, longest=longest)
        target.seek(0)
        return done, target.read()


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_recording_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.wav").write_bytes(made("wav", "pcm_s16le", tone(1.0, RATE), RATE))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TranscriptionFailed) as refusal:
        heard(HOSTILE[name])
    assert refusal.value.code == "recording"


async def test_a_refused_file_leaves_its_worker_at_work(workers: Workers) -> None:
    for data in (HOSTILE["ffconcat"], HOSTILE["asf-and-noise"], HOSTILE["empty"]):
        with pytest.raises(TranscriptionFailed) as refusal:
            await decoded(workers, data)
        assert refusal.value.code == "recording"
    done, _ = await decoded(workers, made("wav", "pcm_s16le", tone(1.0, RATE), RATE))
    assert done == Decoded(1.0, damaged=False)


class Watch:
    """Tells whether a file was opened since it was last asked (inotify(7))."""

    _OPEN = 0x20

    def __init__(self, file: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self._events, os.fsencode(file), self._OPEN) > 0

    def saw(self) -> bool:
        try:
            return bool(os.read(self._events, 65_536))
        except BlockingIOError:
            return False

    def close(self) -> None:
        os.close(self._events)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "inotify_init1"), reason="inotify is Linux's")
def test_a_playlist_opens_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(made("wav", "pcm_s16le", tone(1.0, RATE), RATE))
    monkeypatch.chdir(tmp_path)
    watch = Watch(other)
    with av.open(io.BytesIO(PLAYLIST)) as unguarded:
        assert unguarded.streams.audio
    assert watch.saw()  # so it is a trap, and the watch sees who steps into it
    with pytest.raises(TranscriptionFailed):
        heard(PLAYLIST)
    assert not watch.saw()
    watch.close()


async def test_an_hour_in_a_few_kilobytes_is_refused_early(workers: Workers) -> None:
    bomb = made("flac", "flac", array("h", bytes(2 * 8000 * 3600)), 8000, frame_size="65535")
    assert len(bomb) < 16 * 1024
    with pytest.raises(TranscriptionFailed, match="longer than 900 s") as refusal:
        await decoded(workers, bomb)
    assert refusal.value.code == "recording"


def test_an_hour_that_is_only_claimed_is_as_long_as_its_samples() -> None:
    claim = bytearray(made("wav", "pcm_mulaw", tone(1.0, 8000), 8000)[:8192])
    place = claim.index(b"data") + 4
    claim[place : place + 4] = (3600 * 8000).to_bytes(4, "little")
    samples, _ = heard(bytes(claim))
    assert len(samples) / RATE == pytest.approx(1.0, abs=0.05)


def test_a_gap_in_the_clock_is_no_hour_of_silence() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for start in (0, 3600 * RATE):
            frame = av.AudioFrame(format="s16", layout="mono", samples=1600)
            frame.planes[0].update(tone(0.1, RATE).tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts = RATE, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    samples, _ = heard(file.getvalue())
    assert len(samples) == 3200


def test_the_longest_recording_is_a_promise_to_the_sample() -> None:
    data = made("wav", "pcm_s16le", tone(1.0, RATE), RATE)
    assert len(heard(data, longest=1.0)[0]) == RATE
    with pytest.raises(TranscriptionFailed, match=r"longer than 0\.99 s"):
        heard(data, longest=0.99)


@pytest.mark.parametrize("rate", [100, 3_999, 200_000, 2_000_000_000])
def test_a_rate_that_no_telephone_has_is_refused(rate: int) -> None:
    data = bytearray(made("wav", "pcm_s16le", tone(0.5, 8000), 8000))
    data[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(TranscriptionFailed) as refusal:
        heard(bytes(data))
    assert refusal.value.code == "recording"


async def test_a_worker_writes_a_wav_file(workers: Workers) -> None:
    done, file = await decoded(workers, made("asf", "wmav2", tone(1.0, RATE), RATE))
    with wave.open(io.BytesIO(file)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, RATE)
        assert wav.getnframes() / RATE == done.seconds == pytest.approx(1.0, abs=0.13)


async def test_what_a_crashed_worker_had_written_is_written_over() -> None:
    data = made("wav", "pcm_s16le", tone(0.2, RATE), RATE)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(data)
        source.flush()
        target.write(b"half a file" * 10_000)
        target.flush()
        # The places in both files are shared with the process that is gone.
        done = await asyncio.to_thread(to_wav, os.dup(source.fileno()), os.dup(target.fileno()), longest=LONGEST)
        target.seek(0)
        with wave.open(target, "rb") as wav:
            assert wav.getnframes() / RATE == done.seconds == 0.2
