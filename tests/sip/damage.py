"""SIP messages, damaged: what a scanner, a broken phone or an attacker may send in a datagram."""

import random

_PARTS = (
    b"--b\r\nContent-Type: application/sdp\r\n\r\n"
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 30000 RTP/AVP 8 0 96 13\r\na=rtpmap:96 telephone-event/8000\r\na=sendrecv\r\n"
    b"a=rtcp:30001\r\n\r\n--b--\r\n"
)
_INVITE = (
    b"INVITE sip:+4989@192.0.2.9;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK776;rport, SIP/2.0/TLS p.example.com;branch=z9hG4bKx\r\n"
    b'From: "Alice \\"A\\" B" <sip:alice@192.0.2.1>;tag=19\r\nTo: <sip:support@192.0.2.9>\r\n'
    b"Call-ID: a84b4c76e66710@pc33\r\nCSeq: 314159 INVITE\r\nMax-Forwards: 70\r\n"
    b"Contact: <sip:alice@192.0.2.1:5062;transport=tcp>;expires=60\r\n"
    b"Record-Route: <sip:p1.de;lr>,\r\n <sip:p2.de;lr>\r\n"
    b"P-Asserted-Identity: <tel:+4930>\r\nDiversion: <sip:+49@h>;reason=no-answer\r\nPrivacy: none\r\n"
    b'Authorization: Digest username="alice", realm="ivr", nonce="5f5e100-00", uri="sip:h", response="00", qop=auth, '
    b'nc=00000001, cnonce="c"\r\nSession-Expires: 1800;refresher=uac\r\nRequire: timer, 100rel\r\n'
    b"Content-Type: multipart/mixed;boundary=b\r\nContent-Length: %d\r\n\r\n"
) % len(_PARTS) + _PARTS  # fmt: skip
_RESPONSE = (
    b"SIP/2.0 401 Unauthorized\r\nv: SIP/2.0/TCP h;branch=z9hG4bK1\r\nf: sip:a@h;tag=1\r\n"
    b"t: <sip:b@h>;tag=2\r\ni: c\r\n"
    b'CSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm="x", nonce="1", algorithm=SHA-256, qop="auth,auth-int", '
    b'opaque="o"\r\nl: 0\r\n\r\n'
)
_BRIEF = (
    b"INVITE sip:a@[::1]:5060 SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: a <tel:7042;phone-context=x>\r\nTo: sip:b@h\r\n"
    b"Call-ID: c\r\nCSeq: 1 INVITE\r\nm: *\r\nc: application/sdp\r\n\r\n"
    b"v=0\no=- 1 2 IN IP6 ::1\nc=IN IP6 ::1\nm=audio 9 RTP/SAVP 111 9\na=rtpmap:111 opus/48000/2\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CB|2^31\na=inactive\n"
)
SEEDS = (_INVITE, _RESPONSE, _BRIEF)

_PIECES = (b'"', b"<", b">", b";", b",", b":", b"@", b" ", b"\t", b"\r\n", b"\r\n ", b"\r", b"\n", b"=", b"%00", b"\\",
           b"?", b"sip:", b"tel:", b"[::1]", b"0", b"-1", b"99999999999", b"SIP/2.0", b"Via: ", b"\xc3\xa4", b"\xff",
           b"\0", b"/", b"--b", b"m=audio 1 RTP/AVP 8", b"Content-Length: 1\r\n", b"\xe2\x80\xa8", b"*",
           b"INVITE ")  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """Return a message with up to eight places damaged, or sometimes bytes of no kind at all."""
    if chance.random() < 0.02:
        return chance.randbytes(chance.randrange(200))
    data = chance.choice(SEEDS)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        start = chance.randrange(len(data) + 1)
        end = start + chance.choice((0, 0, 1, 2, 20))
        match chance.randrange(6):
            case 0:
                data = data[:start] + data[end:]
            case 1:
                data = data[:start] + chance.choice(_PIECES) + data[end:]
            case 2:
                data = data[:start] + data[start:end] * chance.choice((2, 3, 300)) + data[end:]
            case 3:
                data = data[:start] + chance.randbytes(chance.randrange(4)) + data[end:]
            case 4:
                data = data[:start]
            case _:
                other = chance.choice(SEEDS)
                data = data[:start] + other[chance.randrange(len(other)) :]
    return data
