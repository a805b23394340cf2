"""Damaged datagrams by the thousand: no exception but the one that says so, nothing kept, and no new header.

`FUZZ=100000 pytest tests/sip/test_sip_fuzz.py` runs more of them, others each time.
"""

import gc
import os
import random
import time
import tracemalloc

from msgspec.structs import replace

from ivr.sip.bodies import Unsupported, sdp_of
from ivr.sip.caller_identity import call_parties
from ivr.sip.digest import NonceCounts, credentials, is_stale, verify
from ivr.sip.framing import StreamFramer
from ivr.sip.message import (
    Headers,
    MalformedMessage,
    Message,
    Request,
    Response,
    call_id,
    contact,
    cseq,
    encode,
    from_,
    parse,
    request_uri,
    routes,
    to,
    top_via,
)
from ivr.sip.negotiation import LocalMedia, accepted, answer
from tests.sip.damage import SEEDS, damaged

COUNT = int(os.environ.get("FUZZ", "3000"))
SEED = random.SystemRandom().randrange(2**32) if "FUZZ" in os.environ else 4475
LOCAL = LocalMedia("192.0.2.9", 20000, 1, 1, ("PCMA", "PCMU", "G722", "opus"), bytes(30), secure=True)


def used(data: bytes, counts: NonceCounts) -> Message | None:
    """Do all that is done with a datagram; None: it was refused."""
    try:
        message = parse(data)
    except MalformedMessage as error:
        refused = error.request
        if refused is not None:
            encode(answered(refused))
            top_via(refused)
        return None
    assert top_via(message).transport
    assert cseq(message).number >= 0
    assert call_id(message)
    assert (from_(message).uri, to(message).uri) > ("", "")
    contact(message)
    routes(message, "Record-Route")
    body = sdp_of(message)
    if body is not None and not isinstance(body, Unsupported):
        answer(body, LOCAL)
        accepted(body, LOCAL)
    if isinstance(message, Request):
        request_uri(message)
        call_parties(message, trusted=True)
        proof = message.headers.get("Authorization") or ""
        assert verify(proof, method="INVITE", realm="ivr", password_of={"alice": "x"}.get, secret=b"s", now=1.0,
                      counts=counts) != "ok"  # fmt: skip
    else:
        is_stale(message)
        header = credentials(message, user="u", password="p", method="INVITE", uri="sip:h", cnonce="c")
        if header is not None:
            encode(Request("INVITE", "sip:h", Headers.of(header)))
    return message


def answered(request: Request) -> Response:
    """Return an answer with all that is copied from a request (RFC 3261 8.2.6.2)."""
    copied = ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq")
    return Response(400, "x", Headers.of(*((name, value) for name in copied for value in request.headers.all(name))))


def test_before_they_are_damaged_all_of_them_are_taken_whole() -> None:
    invite, response, brief = (used(data, NonceCounts()) for data in SEEDS)
    assert invite is not None
    assert response is not None
    assert brief is not None
    for message, codec in ((invite, "PCMA"), (brief, "opus")):
        body = sdp_of(message)
        assert isinstance(body, bytes)
        result = answer(body, replace(LOCAL, host="192.0.2.9" if codec == "PCMA" else "::1"))
        assert result is not None
        assert result[1].codec == codec


def test_damaged_datagrams_are_taken_or_refused_and_nothing_else() -> None:
    print("seed", SEED)
    chance = random.Random(SEED)
    counts = NonceCounts()
    taken = 0
    for _ in range(COUNT):
        data = damaged(chance)
        message = used(data, counts)
        if message is not None:
            taken += 1
            assert parse(encode(message)) == message, data
            if isinstance(message, Request):
                again = parse(encode(answered(message)))
                assert {name for name, _ in again.headers} <= {"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"}
    assert 0.05 < taken / COUNT < 0.95
    assert len(counts) == 0


def test_nothing_grows_with_what_is_refused() -> None:
    chance = random.Random(SEED)
    counts = NonceCounts()
    snapshots = []
    tracemalloc.start()
    for _ in range(2):  # what is made once is made in the first round
        for _ in range(500):
            used(damaged(chance), counts)
        gc.collect()
        snapshots.append(tracemalloc.take_snapshot())
    tracemalloc.stop()
    before, after = snapshots
    ours = [line for line in after.compare_to(before, "filename") if "/ivr/sip/" in line.traceback[0].filename]
    assert sum(line.size_diff for line in ours) < 20_000


def test_a_stream_of_damaged_messages_is_cut_or_closed() -> None:
    chance = random.Random(SEED)
    for _ in range(COUNT // 10):
        framer = StreamFramer()
        stream = b"".join(damaged(chance) for _ in range(3))
        try:
            for at in range(0, len(stream), 97):
                for _ in framer.feed(stream[at : at + 97]):
                    pass
        except MalformedMessage:
            continue


PIECES = (b";a", b";a=b", b" ", b"\t", b'"', b'\\"', b"<", b"<>", b",", b"%41", b"@", b":", b"a ", b"1", b"\r\n ", b"=")
STARTS = (b"Via: SIP/2.0/UDP h", b"From: <sip:a@h>", b"To: ", b"Contact: <sip:a@h", b"Call-ID: ", b"CSeq: 1 ",
          b"Allow: ", b"X: ", b"Diversion: <sip:")  # fmt: skip


def test_the_longest_and_worst_datagrams_cost_little() -> None:
    """A datagram has 64 KiB at most; none of them takes longer than some milliseconds, whatever stands in it."""
    slowest = 0.0
    for piece in PIECES:
        for start in STARTS:
            data = b"INVITE sip:h SIP/2.0\r\n" + (start + piece * 60000)[:60000] + b"\r\nFrom: <sip:a@h>\r\n\r\n"
            started = time.process_time()
            used(data, NonceCounts())
            slowest = max(slowest, time.process_time() - started)
    assert slowest < 0.1
