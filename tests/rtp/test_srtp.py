"""Encrypted streams (RFC 3711, RFC 4568): both suites, both ways, and what was not made with the key."""

import pytest
from msgspec.structs import replace

from ivr.rtp.packet import RtpPacket, encode, parse
from ivr.rtp.rtcp import ReceiverReport, encode_compound
from ivr.sip.media_plan import SrtpKeys
from tests.rtp.streams import CALLER, PLAN, frame, keys, recording, stream

pytest.importorskip("pylibsrtp", reason="pip install 'ivr[srtp]'")

from ivr.rtp.srtp import SrtpContext  # only if it is there

SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
OURS, THEIRS, WRONG = bytes(range(30)), bytes(range(100, 130)), bytes(range(200, 230))
BOTH = pytest.mark.parametrize("suite", SUITES)
# RFC 3711 B.3 derives session keys from a master key; these are libsrtp's own vectors of one packet (test/srtp_driver).
MASTER = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6")
PLAIN = bytes.fromhex("800f1234decafbadcafebabe" + "ab" * 16)
PROTECTED = bytes.fromhex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb")


def plan(suite: str, *, ours: bytes = OURS, theirs: bytes = THEIRS) -> SrtpKeys:
    return SrtpKeys(suite, ours, theirs)


def test_a_packet_is_encrypted_to_the_byte_as_libsrtp_publishes_it() -> None:
    context = SrtpContext(SrtpKeys(SUITES[0], MASTER, MASTER))
    assert context.protect(PLAIN) == PROTECTED
    assert context.unprotect(PROTECTED) == PLAIN


@BOTH
def test_what_one_stream_sends_the_other_hears(suite: str) -> None:
    caller = stream(srtp=plan(suite))
    called = stream(srtp=plan(suite, ours=THEIRS, theirs=OURS))
    sounds = [frame(number) for number in range(20)]
    caller.queue(sounds)
    heard = []
    for number in range(20):
        ((datagram, _),) = caller.tick()
        assert sounds[number] not in datagram
        assert len(datagram) == 12 + 160 + (10 if suite == SUITES[0] else 4)
        heard += called.receive(datagram, CALLER, number * 0.02)
    assert recording(heard) == b"".join(sounds)
    caller.press("5")
    for number in range(20, 40):
        for datagram, _ in caller.tick():
            heard += called.receive(datagram, CALLER, number * 0.02)
    assert keys(heard) == "5-"


@BOTH
def test_reports_are_encrypted_too(suite: str) -> None:
    caller, called = stream(srtp=plan(suite)), stream(srtp=plan(suite, ours=THEIRS, theirs=OURS))
    ((report, _),) = caller.reports(5.0)
    assert b"0a0b0c0d" not in report  # the name
    called.receive_rtcp(report, CALLER, 5.0)
    assert called.statistics.reports == 1
    called.receive_rtcp(report, CALLER, 5.0)  # the same again
    called.receive_rtcp(encode_compound((ReceiverReport(1),)), CALLER, 5.0)  # in clear
    assert (called.statistics.reports, called.statistics.refused) == (1, 2)


@BOTH
def test_a_wrong_key_is_dropped_and_counted_and_latches_nothing(suite: str) -> None:
    calling = stream(srtp=plan(suite))
    stranger = SrtpContext(plan(suite, ours=WRONG))
    packet = encode(RtpPacket(0, 1, 160, 7, frame(1)))
    for datagram in (stranger.protect(packet), packet, packet[:14], b"\x80\0" + bytes(3_000)):
        assert calling.receive(datagram, ("203.0.113.9", 1), 0.0) == ()
    assert calling.statistics.refused == 4
    ((_, to),) = calling.tick()
    assert to == CALLER


def test_a_repeated_packet_is_refused() -> None:
    calling = stream(srtp=plan(SUITES[0]))
    datagram = SrtpContext(plan(SUITES[0], ours=THEIRS)).protect(encode(RtpPacket(0, 1, 160, 7, frame(1))))
    assert recording(calling.receive(datagram, CALLER, 0.0)) == frame(1)
    assert calling.receive(datagram, CALLER, 0.02) == ()
    assert calling.statistics.refused == 1


def test_numbers_that_wrap_around_stay_readable() -> None:
    calling, caller = stream(srtp=plan(SUITES[0])), SrtpContext(plan(SUITES[0], ours=THEIRS))
    heard = []
    for index in range(40):
        packet = RtpPacket(0, (65_520 + index) % 65_536, 160 * index, 7, frame(index))
        heard += calling.receive(caller.protect(encode(packet)), CALLER, index * 0.02)
    assert recording(heard) == b"".join(map(frame, range(40)))


def test_another_key_in_mid_call_counts_from_then_on() -> None:
    calling = stream(srtp=plan(SUITES[0]))
    calling.tick()
    calling.use(replace(PLAN, srtp=plan(SUITES[1], ours=WRONG, theirs=MASTER)), 0.1)
    ((datagram, _),) = calling.tick()
    opened = SrtpContext(plan(SUITES[1], theirs=WRONG)).unprotect(datagram)
    assert opened is not None
    assert parse(opened) is not None


def test_a_direction_whose_key_stays_goes_on_counting_its_rounds() -> None:
    calling = stream(srtp=plan(SUITES[0]))  # its numbers begin at 65,534
    peer = SrtpContext(plan(SUITES[0], ours=THEIRS, theirs=OURS))
    for _ in range(5):
        ((datagram, _),) = calling.tick()
        assert peer.unprotect(datagram) is not None
    calling.use(replace(PLAN, srtp=plan(SUITES[0], theirs=WRONG)), 0.1)
    peer.use(plan(SUITES[0], ours=WRONG, theirs=OURS))
    ((datagram, _),) = calling.tick()
    assert peer.unprotect(datagram) is not None
    heard = calling.receive(peer.protect(encode(RtpPacket(0, 1, 160, 7, frame(1)))), CALLER, 0.2)
    assert recording(heard).endswith(frame(1))


def test_encryption_may_begin_and_end_in_mid_call() -> None:
    calling = stream()
    calling.use(replace(PLAN, srtp=plan(SUITES[0])), 0.1)
    ((datagram, _),) = calling.tick()
    assert SrtpContext(plan(SUITES[0], theirs=OURS)).unprotect(datagram) is not None
    calling.use(PLAN, 0.2)
    ((datagram, _),) = calling.tick()
    assert len(datagram) == 12 + 160


def test_sources_without_end_fill_no_memory() -> None:
    """libsrtp keeps a state for each source; who has the key could name millions of them."""
    calling, caller = SrtpContext(plan(SUITES[0])), SrtpContext(plan(SUITES[0], ours=THEIRS))
    opened = [
        calling.unprotect(caller.protect(encode(RtpPacket(0, 1, 160, source, b"x")))) is not None
        for source in range(40)
    ]
    assert opened == [True] * 32 + [False] * 8


def test_keys_that_cannot_be_used_are_refused_at_once() -> None:
    with pytest.raises(KeyError):
        SrtpContext(SrtpKeys("NULL_HMAC_SHA1_80", OURS, THEIRS))
    with pytest.raises(ValueError, match="30"):
        SrtpContext(SrtpKeys(SUITES[0], OURS[:16], THEIRS))
