"""What was spoken is kept: for all calls of a process, and in a folder for the next one."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed
from ivr.ports import SampleRate
from ivr.speech.voice_cache import MARKED_EVERY, CachedVoice, SpeechMemory, VoiceIdentity
from ivr.speech.voice_folder import VoiceFolder, _read, _written
from ivr.speech.wording import in_words
from tests.waiting import PATIENCE, begun

HELLO = Text("Hello.", "female", "en-US")
PARTS = [b"0011", b"", b"22"]


def one(text: Text) -> VoiceIdentity:
    return VoiceIdentity("one", "1.0", text.voice, in_words(text))


def two(text: Text) -> VoiceIdentity:
    return VoiceIdentity("one", "1.1", text.voice, in_words(text))


class Speaker:
    """A voice of two parts, the second when it may go on."""

    def __init__(self, *, fails: bool = False) -> None:
        self.texts: list[Text] = []
        self.rates: list[int] = []
        self.at_once = self.most_at_once = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._fails = fails

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.texts.append(text)
        self.rates.append(rate)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield text.value.encode()
            await self.go_on.wait()
            if self._fails:
                raise SynthesisFailed("hoarse")
            yield b".."
        finally:
            self.at_once -= 1


class Steady:
    """A voice that has its sounds ready."""

    def __init__(self, sounds: Mapping[str, bytes]) -> None:
        self._sounds = sounds

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        yield self._sounds[text.value]


async def spoken(voice: CachedVoice, text: Text = HELLO) -> list[bytes]:
    async with asyncio.timeout(PATIENCE):
        return [part async for part in voice.speak(text)]


async def test_each_rate_is_kept_by_itself() -> None:
    speaker = Speaker()
    voice = CachedVoice(speaker, one, at_once=1)
    for rate in (8_000, 16_000, 8_000, 16_000):
        assert [part async for part in voice.speak(HELLO, rate=rate)]
    assert speaker.rates == [8_000, 16_000]


async def test_many_calls_that_begin_at_once_have_a_text_spoken_once() -> None:
    speaker = Speaker()
    speaker.go_on.clear()
    voice = CachedVoice(speaker, one, at_once=4)
    first = voice.speak(HELLO)
    assert await anext(first) == b"Hello."  # each part as soon as it is there
    calls = [await begun(spoken(voice)) for _ in range(50)]
    speaker.go_on.set()
    assert await asyncio.gather(*calls) == [[b"Hello.", b".."]] * 50
    assert [part async for part in first] == [b".."]
    assert await spoken(voice) == [b"Hello.", b".."]
    assert speaker.texts == [HELLO]


async def test_who_interrupts_leaves_it_to_be_finished_for_the_next() -> None:
    speaker = Speaker()
    speaker.go_on.clear()
    voice = CachedVoice(speaker, one, at_once=1)
    call = await begun(spoken(voice))
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    speaker.go_on.set()
    assert await spoken(voice) == [b"Hello.", b".."]
    assert speaker.texts == [HELLO]


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    speaker = Speaker(fails=True)
    speaker.go_on.clear()
    voice = CachedVoice(speaker, one, at_once=4)
    calls = [await begun(spoken(voice)) for _ in range(3)]
    speaker.go_on.set()
    assert [str(error) for error in await asyncio.gather(*calls, return_exceptions=True)] == ["hoarse"] * 3
    with pytest.raises(SynthesisFailed):
        await spoken(voice)
    assert len(speaker.texts) == 2


async def test_every_difference_of_a_text_is_another_sound() -> None:
    speaker = Speaker()
    voice = CachedVoice(speaker, one, at_once=4)
    texts = [
        HELLO,
        Text("Hello!", "female", "en-US"),
        Text("Hello.", "male", "en-US"),
        Text("Hello.", "female", "en-GB"),
        Text("Hello.", "female", "en-US", "letters"),
        Text("Hello.", "female", "en-US", emphasize=True),
    ]
    for text in texts * 2:
        await spoken(voice, text)
    assert speaker.texts == texts


async def test_no_more_texts_are_spoken_at_once_than_a_voice_can() -> None:
    speaker = Speaker()
    speaker.go_on.clear()
    voice = CachedVoice(speaker, one, at_once=2)
    calls = [await begun(spoken(voice, Text(str(number), "male", "en-US"))) for number in range(5)]
    await asyncio.sleep(0)
    speaker.go_on.set()
    await asyncio.gather(*calls)
    assert speaker.most_at_once == 2


async def test_what_was_not_heard_for_longest_leaves_the_memory() -> None:
    speaker = Speaker()
    voice = CachedVoice(speaker, one, at_once=1, memory=SpeechMemory(6))  # two texts of three bytes
    for word in ("a", "b", "a", "c", "a", "b"):
        await spoken(voice, Text(word, "male", "en-US"))
    assert [text.value for text in speaker.texts] == ["a", "b", "c", "b"]


async def test_voices_that_share_a_memory_are_told_apart_by_engine_version_name_and_words() -> None:
    memory = SpeechMemory()
    identities = [VoiceIdentity(*parts) for parts in ("a1xw", "b1xw", "a2xw", "a1yw", "a1xv")]
    for _ in range(2):
        speakers = [Speaker() for _ in identities]
        for speaker, identity in zip(speakers, identities, strict=True):
            await spoken(CachedVoice(speaker, lambda _, its=identity: its, at_once=1, memory=memory))
    assert [len(speaker.texts) for speaker in speakers] == [0, 0, 0, 0, 0]


async def test_a_voice_without_a_name_for_the_gender_speaks_both_alike() -> None:
    speaker = Speaker()
    voice = CachedVoice(speaker, lambda _: VoiceIdentity("hibari", "1", "heart", "Hello."), at_once=1)
    for gender in ("female", "male"):
        await spoken(voice, Text("Hello.", gender, "en-US"))
    assert len(speaker.texts) == 1


async def test_what_is_heard_from_memory_for_days_is_not_what_the_folder_drops_first(tmp_path: Path) -> None:
    now = 0.0
    sounds = {word: bytes(1000) for word in ("welcome", "a", "b", "c", "d")}
    size = len(_written([next(iter(sounds.values()))]))
    folder = VoiceFolder(tmp_path, most=4 * size)
    voice = CachedVoice(Steady(sounds), one, at_once=1, folder=folder, now=lambda: now)
    for day, word in enumerate(("welcome", "a", "b", "c", "d")):
        now = day * 86_400.0
        for said in dict.fromkeys(("welcome", word)):
            before = set(tmp_path.iterdir())
            await spoken(voice, Text(said, "male", "en-US"))
            for new in set(tmp_path.iterdir()) - before:
                os.utime(new, (day, day))
    kept = [word for word in sounds if await voice.is_kept(Text(word, "male", "en-US"))]
    assert kept == ["welcome", "c", "d"]


async def test_a_file_that_is_gone_is_not_missed_while_its_text_is_in_memory(tmp_path: Path) -> None:
    now = 0.0
    speaker = Speaker()
    voice = CachedVoice(speaker, one, at_once=1, folder=VoiceFolder(tmp_path, most=1 << 20), now=lambda: now)
    await spoken(voice)
    for file in tmp_path.iterdir():
        file.unlink()
    now = MARKED_EVERY
    assert await spoken(voice) == [b"Hello.", b".."]
    assert list(tmp_path.iterdir()) == []  # who deleted it wanted it forgotten
    assert speaker.texts == [HELLO]


async def test_whether_a_text_outlives_the_process_is_known(tmp_path: Path) -> None:
    kept = CachedVoice(Speaker(), one, at_once=1, folder=VoiceFolder(tmp_path, most=1 << 20))
    assert not await kept.is_kept(HELLO)
    await spoken(kept)
    assert await kept.is_kept(HELLO)
    assert not await kept.is_kept(HELLO, rate=8_000)
    forgets = CachedVoice(Speaker(), one, at_once=1)
    await spoken(forgets)
    assert not await forgets.is_kept(HELLO)


async def test_another_process_finds_what_was_spoken_unless_its_voice_is_another(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    assert await spoken(CachedVoice(Speaker(), one, at_once=1, folder=VoiceFolder(folder, most=1 << 20)))
    speaker = Speaker()
    kept = VoiceFolder(folder, most=1 << 20)
    assert await spoken(CachedVoice(speaker, one, at_once=1, folder=kept)) == [b"Hello.", b".."]
    assert speaker.texts == []
    assert await spoken(CachedVoice(speaker, two, at_once=1, folder=kept))
    assert speaker.texts == [HELLO]
    assert "Hello" not in "".join(file.name for file in folder.iterdir())


# --- the folder ---------------------------------------------------------------------------------------------------


def test_files_are_for_the_operator_alone_and_nothing_half_written_stays(tmp_path: Path) -> None:
    folder = VoiceFolder(tmp_path / "a" / "voices", most=1 << 20)
    folder.put("k", PARTS)
    [file] = (tmp_path / "a" / "voices").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert folder.get("k") == PARTS
    assert folder.get("other") is None


@given(st.lists(st.binary(max_size=50).map(lambda data: data * 2), max_size=5))
def test_what_is_written_is_read(parts: list[bytes]) -> None:
    assert _read(_written(parts)) == parts


@given(st.integers(0, 200), st.binary(max_size=8), st.integers(0, 8))
def test_a_damaged_file_is_no_file(at: int, noise: bytes, missing: int) -> None:
    whole = _written(PARTS)
    damaged = whole[:at] + noise + whole[at + missing :]
    if damaged != whole:
        assert _read(damaged) in (None, PARTS)  # a space in its head changes nothing


@pytest.mark.parametrize(
    "damage", [b"", b"ivr-voice-1\n", b'ivr-voice-1\n[[2],"0"]\nab', b"RIFF", b"ivr-voice-1\n{}\n"]
)
def test_a_file_that_is_something_else_is_ignored_and_replaced(tmp_path: Path, damage: bytes) -> None:
    folder = VoiceFolder(tmp_path, most=1 << 20)
    folder.put("k", PARTS)
    [file] = tmp_path.iterdir()
    file.write_bytes(damage)
    assert folder.get("k") is None
    folder.put("k", PARTS)
    assert folder.get("k") == PARTS


def test_the_folder_stays_within_its_size_and_drops_what_was_not_wanted_for_longest(tmp_path: Path) -> None:
    part = [bytes(1000)]
    size = len(_written(part))
    folder = VoiceFolder(tmp_path, most=4 * size)
    for number, key in enumerate(("a", "b", "c", "d")):
        folder.put(key, part)
        os.utime(tmp_path / f"{key}.speech", (number, number))
    assert folder.get("a") == part  # wanted just now
    (tmp_path / "unrelated.txt").write_bytes(bytes(10_000))
    folder.put("e", part)
    assert [key for key in "abcde" if folder.get(key)] == ["a", "d", "e"]
    assert (tmp_path / "unrelated.txt").exists()
    again = VoiceFolder(tmp_path, most=4 * size)  # counts what is there
    again.put("f", part)
    again.put("g", part)
    assert sum(file.stat().st_size for file in tmp_path.glob("*.speech")) <= 4 * size


WRITER = """
import sys
from pathlib import Path
from ivr.speech.voice_folder import VoiceFolder
folder = VoiceFolder(Path(sys.argv[1]), most=1 << 24)
number = 0
while True:
    folder.put(str(number % 50), [bytes([number % 256]) * 200_000])
    number += 1
    print(number, flush=True)
"""


def test_what_a_killed_process_left_is_whole(tmp_path: Path) -> None:
    for rounds in (1, 7):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            for _ in range(rounds):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        files = list(tmp_path.glob("*.speech"))
        assert len(files) >= rounds
        assert all(_read(file.read_bytes()) for file in files)


def test_what_was_left_half_written_makes_room_first(tmp_path: Path) -> None:
    half = tmp_path / "x.new"
    half.write_bytes(bytes(3000))
    os.utime(half, (1, 1))
    folder = VoiceFolder(tmp_path, most=4000)
    folder.put("a", [bytes(1000)])
    folder.put("b", [bytes(1000)])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.speech", "b.speech"]


def test_two_processes_together_stay_within_the_size(tmp_path: Path) -> None:
    part = [bytes(1000)]
    most = 50 * len(_written(part))
    folders = [VoiceFolder(tmp_path, most=most) for _ in range(3)]
    for number in range(200):
        folders[number % 3].put(f"{number:03}", part)
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= most * 2
    assert folders[0].get("199") == part


def test_what_is_larger_than_the_folder_is_not_kept(tmp_path: Path) -> None:
    folder = VoiceFolder(tmp_path, most=100)
    folder.put("k", [bytes(1000)])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing_is_no_reason_not_to_speak(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = VoiceFolder(tmp_path / "voices", most=1 << 20)
    (tmp_path / "voices").rmdir()
    for _ in range(3):
        folder.put("k", PARTS)
        assert folder.get("k") is None
    assert [record.message for record in caplog.records] == ["voice cache cannot be written"]
