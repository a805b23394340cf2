"""Addresses of recordings: only those that this server made are good, for one recording, one use, and a while."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.server.recording_links import GOOD_FOR, PATH, LinkUse, RecordingLink, RecordingLinks

NOW = 1_795_168_800.0
MEDIA = "0123456789abcdef0123456789abcdef.wma"
LINKS = RecordingLinks("https://ivr.example/", bytes(32))
USES: tuple[LinkUse, ...] = ("prompt", "line", "listen")


def token_of(address: str) -> str:
    return address.removeprefix(f"https://ivr.example{PATH}")


@pytest.mark.parametrize("use", USES)
def test_an_address_is_good_for_as_long_as_its_use_needs_and_not_for_ever(use: LinkUse) -> None:
    token = token_of(LINKS.address(MEDIA, use, now=NOW + 0.5))
    assert LINKS.read(token, now=NOW + GOOD_FOR[use]) == RecordingLink(MEDIA, use)
    assert LINKS.read(token, now=NOW + GOOD_FOR[use] + 3601) is None


def test_a_question_that_is_repeated_names_the_same_address() -> None:
    assert LINKS.for_prompt(MEDIA, NOW + 10) == LINKS.for_prompt(MEDIA, NOW + 600)
    assert LINKS.for_prompt(MEDIA, NOW) != LINKS.for_prompt(MEDIA.replace("0", "1"), NOW)
    assert LINKS.for_prompt(MEDIA, NOW) != LINKS.address(MEDIA, "listen", now=NOW)


def test_the_address_for_a_line_ends_as_a_wav_file_does() -> None:
    token = token_of(LINKS.for_line(MEDIA, NOW))
    assert token.endswith(".wav")
    assert LINKS.read(token, now=NOW) == RecordingLink(MEDIA, "line")


def test_no_other_key_makes_or_reads_it() -> None:
    other = RecordingLinks("https://ivr.example", bytes(31) + b"1")
    assert other.read(token_of(LINKS.for_prompt(MEDIA, NOW)), now=NOW) is None


@given(at=st.integers(0, 200), byte=st.integers(1, 255))
def test_one_changed_byte_makes_it_good_for_nothing(at: int, byte: int) -> None:
    token = token_of(LINKS.for_prompt(MEDIA, NOW))
    whole = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    whole[at % len(whole)] ^= byte
    assert LINKS.read(urlsafe_b64encode(whole).rstrip(b"=").decode(), now=NOW) is None


@given(st.text(max_size=300))
def test_whatever_else_is_asked_for_is_nothing(token: str) -> None:
    assert LINKS.read(token, now=NOW) is None


def test_what_is_signed_and_is_no_recording_is_nothing() -> None:
    token = token_of(LINKS.address("../calls.db", "listen", now=NOW))
    assert LINKS.read(token, now=NOW) is None
