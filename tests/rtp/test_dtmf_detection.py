"""Keys in the sound against the numbers of ITU-T Q.24, and against voices, which are no keys."""

import asyncio
import math
import random
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.audio.g711 import MU_LAW
from ivr.engine.commands import Gender, Text
from ivr.media.installed import missing
from ivr.rtp.codecs import payloads
from ivr.rtp.dtmf_detection import RATE, DtmfDetector
from ivr.rtp.dtmf_tones import TONES, tone
from ivr.rtp.heard import Heard
from ivr.rtp.telephone_events import KEYS
from ivr.sip.media_plan import CodecName
from ivr.speech.voices.espeak import EspeakVoice
from tests.rtp import streams
from tests.rtp.streams import CALLER, PLAN, keys, recording, stream

ROOT = Path(__file__).parents[2]
needs_voice = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")
LEVEL = 4_000.0
CHANCES = range(8)
Piece = tuple[str, float]


def sound(
    *pieces: Piece, lead: float = 0.0, off: float = 0.0, twist: float = 0.0, level: float = LEVEL, noise: float = 0.0
) -> bytes:
    """Return pieces of a key's tones, or of silence (no key), each with its seconds; `twist` is in dB for the high."""
    chance = random.Random(f"{pieces} {lead}")
    samples: list[float] = []
    for name, seconds in (("", lead), *pieces, ("", 0.1)):
        low, high = TONES.get(name, (0, 0))
        strong = level * 10 ** (twist / 20)
        samples += [
            level * math.sin(2 * math.pi * low * (1 + off) * at / RATE)
            + strong * math.sin(2 * math.pi * high * (1 + off) * at / RATE)
            for at in range(round(seconds * RATE))
        ]
    samples += [0.0] * (-len(samples) % 160)
    return array("h", (round(sample + chance.gauss(0, noise)) for sample in samples)).tobytes()


def found(samples: bytes) -> str:
    """Return the keys that are found in a sound after it went through a telephone line."""
    detector = DtmfDetector()
    line = MU_LAW.linear(MU_LAW.compressed(samples))
    return keys(key for start in range(0, len(line), 320) for key in detector.hear(line[start : start + 320]))


def leads() -> Iterator[float]:
    """Return when a key begins within a frame."""
    return (0.02 + chance * 0.0025 for chance in CHANCES)


@pytest.mark.parametrize("name", KEYS)
def test_40_ms_are_a_key_wherever_they_begin(name: str) -> None:
    assert [found(sound((name, 0.04), lead=lead)) for lead in leads()] == [f"{name}-"] * len(CHANCES)


@pytest.mark.parametrize("name", KEYS)
def test_23_ms_are_none(name: str) -> None:
    assert [found(sound((name, 0.023), lead=lead)) for lead in leads()] == [""] * len(CHANCES)


@pytest.mark.parametrize(
    ("conditions", "is_key"),
    [
        ({"off": 0.015}, True), ({"off": -0.015}, True), ({"off": 0.035}, False), ({"off": -0.035}, False),
        ({"twist": 4.0}, True), ({"twist": -8.0}, True), ({"twist": 9.0}, False), ({"twist": -13.0}, False),
        ({"level": 1_300.0}, True), ({"level": 16_000.0}, True), ({"level": 500.0}, False),  # -25, -3 and -33 dBm0
        ({"noise": 700.0}, True),  # 18 dB below
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("name", "159D")
def test_frequency_twist_level_and_noise_have_the_limits_of_the_standard(
    conditions: dict[str, float], is_key: bool, name: str
) -> None:
    assert {found(sound((name, 0.06), lead=lead, **conditions)) for lead in leads()} == {f"{name}-" if is_key else ""}


def test_an_interruption_of_10_ms_ends_no_key_and_a_pause_of_40_ms_does() -> None:
    for lead in leads():
        assert found(sound(("5", 0.06), ("", 0.01), ("5", 0.06), lead=lead)) == "5-"
        assert found(sound(("5", 0.06), ("", 0.04), ("5", 0.06), lead=lead)) == "5-5-"
        assert found(sound(("5", 0.08), ("6", 0.12), lead=lead)) == "5-6-"


def test_one_tone_or_a_third_one_is_no_key() -> None:
    def waves(*tones: int) -> bytes:
        return array(
            "h", (round(sum(LEVEL * math.sin(2 * math.pi * each * at / RATE) for each in tones)) for at in range(3_200))
        ).tobytes()

    assert found(waves(770)) == ""
    assert found(waves(1_336)) == ""
    assert found(waves(770, 852, 1_336)) == ""
    assert found(waves(770, 1_336, 1_477)) == ""
    assert found(waves(770, 1_336, 2_000)) == ""
    assert found(waves(770, 1_336)) == "5"
    assert found(waves(350, 440)) == ""  # the dial tone of North America
    assert found(waves(480, 620)) == ""  # its busy tone


async def spoken(text: str, voice: Gender) -> list[bytes]:
    return [samples async for samples in EspeakVoice().speak(Text(text, voice, "en-US"))]


@needs_voice
@pytest.mark.parametrize("voice", ["male", "female"])
def test_a_voice_presses_no_keys(voice: Gender) -> None:
    """Half an hour of it was tried: none. Half a minute of it stays here."""
    words = "".join(each for each in (ROOT / "README.md").read_text("utf-8") if each.isalpha() or each in " .,")
    for samples in asyncio.run(spoken(words[:600], voice)):
        line = b"".join(payloads("PCMU", samples))
        assert found(MU_LAW.linear(line)) == ""


# --- on a call --------------------------------------------------------------------------------------------------------


def heard_of(codec: CodecName, kind: int, pressed: str) -> list[Heard]:
    """Return what a call without events hears of keys that its caller presses."""
    caller = stream(codec=codec, payload_type=kind, event_type=None)
    called = stream(codec=codec, payload_type=kind, event_type=None)
    for name in pressed:
        caller.press(name, 0.1)
    heard: list[Heard] = []
    for number in range(12 * len(pressed) + 20):
        for datagram, _ in caller.tick():
            heard += called.receive(datagram, CALLER, number * 0.02)
    assert caller.keys_sent == len(pressed)
    assert called.statistics.keys == len(pressed)
    return heard


@pytest.mark.parametrize(("codec", "kind"), [("PCMU", 0), ("PCMA", 8), ("G722", 9), ("opus", 96)])
def test_without_events_keys_are_sent_and_found_in_the_sound(codec: CodecName, kind: int) -> None:
    assert keys(heard_of(codec, kind, "12#D")) == "1-2-#-D-"


def test_keys_are_told_at_their_place_in_the_sound() -> None:
    heard = heard_of("PCMU", 0, "5")
    names = [type(each).__name__ for each in heard]
    assert 1 <= names.index("KeyBegan") <= 4
    assert recording(heard)


def test_with_events_the_sound_is_not_looked_at() -> None:
    calling = stream()
    heard: list[Heard] = []
    for number, payload in enumerate(payloads("PCMU", tone("5", 0.2))):
        heard += calling.receive(streams.sound(number, payload), CALLER, number * 0.02)
    assert keys(heard) == ""


def test_it_is_not_looked_at_any_more_once_keys_come_otherwise() -> None:
    calling = stream(event_type=None)
    pieces = payloads("PCMU", tone("5", 0.2) + tone("6", 0.2))
    heard: list[Heard] = []
    for number, payload in enumerate(pieces):
        if number == 5:
            calling.ignore_tones()
        heard += calling.receive(streams.sound(number, payload), CALLER, number * 0.02)
    assert keys([*heard, *calling.heard(0.5)]) == "5-"
    calling.use(PLAN, 1.0)
    assert calling.statistics.keys == 1


def test_a_later_offer_without_events_begins_the_search_and_one_with_them_ends_it() -> None:
    calling = stream()
    calling.use(replace(PLAN, event_type=None), 0.0)
    heard: list[Heard] = []
    for number, payload in enumerate(payloads("PCMU", tone("5", 0.2))[:6]):
        heard += calling.receive(streams.sound(number, payload), CALLER, number * 0.02)
    assert keys(heard) == "5"
    calling.use(PLAN, 0.12)  # in the middle of the key
    assert keys(calling.heard(0.13)) == "-"
