"""Messages cut out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.framing import KeepAlive, StreamFramer
from ivr.sip.message import LONGEST_BODY, LONGEST_HEAD, MalformedMessage

PING = KeepAlive(b"\r\n")
PONG = KeepAlive(b"")


def message(body: bytes = b"", name: bytes = b"Content-Length") -> bytes:
    return b"OPTIONS sip:h SIP/2.0\r\n%s: %d\r\nSubject: x\r\n\r\n%s" % (name, len(body), body)


def test_messages_end_where_their_length_says() -> None:
    framer = StreamFramer()
    one, other = message(b"a\r\n\r\nb"), message()
    assert list(framer.feed(one + other + one[:-1])) == [one, other]
    assert framer.partial
    assert list(framer.feed(one[-1:])) == [one]
    assert not framer.partial
    assert list(framer.feed(one[:3])) == []
    assert framer.partial


@pytest.mark.parametrize("name", [b"Content-Length", b"CONTENT-LENGTH ", b"l", b"L\t", b"l:\r\n "])
def test_the_length_is_found_however_it_is_written(name: bytes) -> None:
    whole = message(b"body", name).replace(b":\r\n :", b":\r\n ")
    assert list(StreamFramer().feed(whole)) == [whole]


def test_a_message_without_length_has_no_body() -> None:
    head = b"OPTIONS sip:h SIP/2.0\r\nX: 1\r\n\r\n"
    assert list(StreamFramer().feed(head + head)) == [head, head]


def test_a_ping_is_two_line_breaks_and_gets_one() -> None:
    """RFC 5626 4.4.1."""
    framer = StreamFramer()
    assert list(framer.feed(b"\r\n\r\n\r\n" + message())) == [PING, PONG, message()]
    assert list(framer.feed(b"\r\n")) == []
    assert not framer.partial
    assert list(framer.feed(b"\r")) == []
    assert list(framer.feed(b"\n")) == [PING]
    assert list(framer.feed(b"\r\n")) + list(framer.feed(b"\rX")) == [PONG]


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (LONGEST_HEAD + 5),
        b"x" * (LONGEST_HEAD + 1) + b"\r\n\r\n",
        message().replace(b": 0", b": -1"),
        message().replace(b": 0", b": "),
        message().replace(b": 0", b": 5, 5"),
        message().replace(b": 0", b": 65537"),
        message().replace(b": 0", b": " + b"9" * 4000),
        message().replace(b"Subject: x", b"l: 0"),
    ],
)  # fmt: skip
def test_where_a_message_ends_must_be_known(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        list(StreamFramer().feed(data))


def test_a_message_may_be_as_long_as_its_limits() -> None:
    start = b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 65536\r\nX: "
    whole = start + b"x" * (LONGEST_HEAD - len(start)) + b"\r\n\r\n" + b"b" * LONGEST_BODY
    assert list(StreamFramer().feed(whole)) == [whole]


def test_no_more_is_held_than_a_message_may_be_long() -> None:
    framer = StreamFramer()
    assert list(framer.feed(b"x" * (LONGEST_HEAD + 4))) == []
    with pytest.raises(MalformedMessage):
        list(framer.feed(b"x"))


PIECES = st.lists(
    st.one_of(st.binary(max_size=30).map(message), st.sampled_from([b"\r\n\r\n"]), st.just(message(b"", b"l"))),
    max_size=6,
)  # fmt: skip


@given(PIECES, st.lists(st.integers(1, 40), min_size=1))
def test_it_does_not_matter_how_a_stream_is_divided(pieces: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(pieces)
    framer = StreamFramer()
    found: list[bytes | KeepAlive] = []
    at = 0
    for size in sizes * len(stream):
        found += framer.feed(stream[at : at + size])
        at += size
    assert found == [PING if piece == b"\r\n\r\n" else piece for piece in pieces]


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"\r\n", b"l:1", b"\r\n\r\n", b"x"])))
def test_any_stream_is_cut_or_refused(reads: list[bytes]) -> None:
    framer = StreamFramer()
    try:
        for data in reads:
            list(framer.feed(data))
    except MalformedMessage:
        pass
