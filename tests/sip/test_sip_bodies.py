"""Which body of a message is a session description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.bodies import Unsupported, sdp_of
from ivr.sip.message import Headers, Request

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"


def brought(body: bytes, *headers: tuple[str, str]) -> bytes | Unsupported | None:
    return sdp_of(Request("INVITE", "sip:h", Headers.of(*headers), body))


def multipart(*parts: bytes, boundary: bytes = b"b1", preamble: bytes = b"") -> bytes:
    return preamble + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


ISUP = b"Content-Type: application/isup;version=x\r\nContent-Disposition: signal; handling=optional\r\n\r\n\x00\r\n\x01"
PART = b"Content-Type: application/sdp\r\n\r\n" + SDP.rstrip()
PICTURE = b"Content-Type: image/png\r\n\r\n123"


@pytest.mark.parametrize("kind", ["application/sdp", "Application/SDP ; charset=utf-8"])
def test_sdp_alone(kind: str) -> None:
    assert brought(SDP, ("Content-Type", kind)) == SDP
    assert brought(b"", ("Content-Type", kind)) is None


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("Content-Type", "text/plain"),),
        (("Content-Type", "application/sdp"), ("Content-Encoding", "gzip")),
        (("Content-Type", "application/sdpx"),),
        (("Content-Type", "multipart/mixed"),),
        (("Content-Type", "multipart/mixed;boundary=b1"), ("Content-Encoding", "gzip")),
        (("Content-Type", "multipart/mixed;<"),),
        (("Content-Type", "application/isup"), ("Content-Disposition", "signal;handling=required")),
    ],
)
def test_what_must_be_understood_and_is_not_sdp(headers: tuple[tuple[str, str], ...]) -> None:
    assert brought(SDP, *headers) == Unsupported()


def test_a_body_that_need_not_be_understood_is_as_if_it_were_not_there() -> None:
    """RFC 3261 20.11."""
    headers = (("Content-Type", "application/isup"), ("Content-Disposition", 'signal; handling = "optional"'))
    assert brought(b"x", *headers) is None


@pytest.mark.parametrize("kind", ["multipart/mixed;boundary=b1", 'Multipart/Related; type="x"; Boundary="b1"'])
@pytest.mark.parametrize("parts", [(PART,), (ISUP, PART), (PICTURE, PART, ISUP)])
@pytest.mark.parametrize("preamble", [b"", b"ignored\r\n"])
def test_an_sdp_part_of_a_multipart(kind: str, parts: tuple[bytes, ...], preamble: bytes) -> None:
    """RFC 2046 5.1.1, RFC 5621 3."""
    assert brought(multipart(*parts, preamble=preamble), ("Content-Type", kind)) == SDP.rstrip()


def test_a_multipart_without_sdp() -> None:
    kind = ("Content-Type", "multipart/mixed;boundary=b1")
    assert brought(multipart(ISUP), kind) is None
    assert brought(multipart(ISUP, PICTURE), kind) == Unsupported()
    assert brought(multipart(PART.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n")), kind) == (
        Unsupported()
    )
    assert brought(b"--b1", kind) == Unsupported()
    assert brought(b"--b1--" + PART, kind) == Unsupported()


@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"--b1", b"\r\n", b"--", PART, ISUP, b":"])).map(b"".join))
def test_any_body_is_taken_or_not(body: bytes) -> None:
    brought(body, ("Content-Type", "multipart/mixed;boundary=b1"))
