"""Requests as the platform sends them, and every oddity that a request can have."""

import json
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from tests.server.harness import form, part

JSON = b"application/json; charset=utf-8"
FORM = b'multipart/form-data; boundary="B", application/json; charset=utf-8'


class Sent(Struct, frozen=True):
    """A request, before it is bytes."""

    body: bytes
    kind: bytes = JSON
    line: bytes = b"POST /callback HTTP/1.1"
    id: bytes = b"m"
    token: bytes = b""
    others: tuple[bytes, ...] = ()
    "Further lines of the head."
    order: int = 0
    "By how many places the lines of the head are turned."
    length: bytes | None = None
    "None: as long as the body is."
    end: bytes = b"\r\n"
    "Of each line of the head."
    after: bytes = b""
    "What comes behind the body."

    @property
    def written(self) -> bytes:
        length = str(len(self.body)).encode() if self.length is None else self.length
        lines = [
            b"Host: ivr.example",
            b"Authorization: Bearer " + self.token,
            b"X-Microsoft-Skype-Message-ID: " + self.id,
            *([b"Content-Type: " + self.kind] if self.kind else []),
            *([b"Content-Length: " + length] if length else []),
            *self.others,
        ]
        turned = lines[self.order % len(lines) :] + lines[: self.order % len(lines)]
        return self.end.join([self.line, *turned, b"", b""]) + self.body + self.after


# --- what the platform says ------------------------------------------------------------------------------------------


def conversation(call: str, state: str = "incoming") -> bytes:
    people = [{"identity": "29:caller", "originator": True}, {"identity": "28:bot", "originator": False}]
    return _json({"id": call, "participants": people, "presentedModalityTypes": ["audio"], "callState": state})


def _choice(call: str, operation: str = "1.2", name: str = "message") -> bytes:
    picked = {"completionReason": "dtmfOptionMatched", "choiceName": name}
    outcome = {"type": "recognizeOutcome", "id": operation, "outcome": "success", "choiceOutcome": picked}
    return _json({"id": call, "operationOutcome": outcome, "callState": "established"})


def _recorded(call: str, operation: str = "2.1") -> bytes:
    outcome = {
        "type": "recordOutcome", "id": operation, "outcome": "success", "format": "wma",
        "completionReason": "completedStopToneDetected", "lengthOfRecordingInSecs": 2.5,
    }  # fmt: skip
    return _json({"id": call, "operationOutcome": outcome, "callState": "established"})


def _terminated(call: str) -> bytes:
    return _json({"id": call, "type": "callStateChange", "currentState": "terminated", "stateChangeCode": "0"})


def _json(content: object) -> bytes:
    return json.dumps(content).encode()


CALL = b"POST /call HTTP/1.1"
PLAIN: dict[str, Callable[[str], Sent]] = {
    "incoming": lambda call: Sent(conversation(call), line=CALL, id=b"incoming"),
    "to a flow": lambda call: Sent(conversation(call), line=b"POST /call/desk HTTP/1.1", id=b"incoming"),
    "to no flow": lambda call: Sent(conversation(call), line=b"POST /call/none HTTP/1.1", id=b"incoming"),
    "choice": lambda call: Sent(_choice(call), id=b"choice"),
    "another choice": lambda call: Sent(_choice(call, name="none"), id=b"another"),
    "recording": lambda call: Sent(form(b"audio" * 99, message=_recorded(call)), FORM, id=b"recording"),
    "recording as a result": lambda call: Sent(_recorded(call), id=b"recording"),
    "stale": lambda call: Sent(_choice(call, "0.7"), id=b"stale"),
    "end": lambda call: Sent(_terminated(call), id=b"end"),
    "end of a conversation": lambda call: Sent(conversation(call, "terminated"), id=b"end"),
    "result at the address of calls": lambda call: Sent(_choice(call), line=CALL, id=b"choice"),
    "call at the address of results": lambda call: Sent(conversation(call), id=b"incoming"),
}
"By name, what the platform sends, well or ill timed; ids of messages come again."

# --- oddities --------------------------------------------------------------------------------------------------------

Odd = Callable[[Sent], Sent]


def _add(*lines: bytes) -> Odd:
    return lambda sent: replace(sent, others=sent.others + lines)


def _line(old: bytes, new: bytes) -> Odd:
    return lambda sent: replace(sent, line=sent.line.replace(old, new))


def _type(kind: bytes) -> Odd:
    return lambda sent: replace(sent, kind=kind)


def _length(change: int) -> Odd:
    return lambda sent: replace(sent, length=str(len(sent.body) + change).encode())


def _as_length(pattern: bytes) -> Odd:
    return lambda sent: replace(sent, length=pattern.replace(b"N", str(len(sent.body)).encode()))


def _body(change: Callable[[bytes], bytes]) -> Odd:
    return lambda sent: replace(sent, body=change(sent.body))


def _chunked(*lines: bytes, pattern: bytes = b"%x\r\n%s\r\n0\r\n\r\n", length: bytes = b"") -> Odd:
    def change(sent: Sent) -> Sent:
        body = pattern % (len(sent.body), sent.body)
        return replace(sent, body=body, length=length, others=sent.others + lines)

    return change


def _in_head(old: bytes, new: bytes) -> Odd:
    """Change the head where it is written."""

    def change(sent: Sent) -> Sent:
        head, gap, rest = sent.written.partition(b"\r\n\r\n")
        return Raw(sent.body, raw=head.replace(old, new) + gap + rest)

    return change


class Raw(Sent, frozen=True):
    """A request that is bytes already."""

    raw: bytes = b""

    @property
    def written(self) -> bytes:
        return self.raw


SMUGGLED = b"POST /call HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
HARMLESS: dict[str, Odd] = {
    "other headers": _add(b"X-Microsoft-Skype-Chain-ID: 1", b"User-Agent: x", b"Accept: */*"),
    "keep-alive": _add(b"Connection: keep-alive"),
    "Keep-Alive": _add(b"Connection: Keep-Alive"),
    "forwarded": _add(b"X-Forwarded-For: 1.2.3.4", b"Via: 1.1 x", b"Forwarded: for=1.2.3.4"),
    "names in capitals": _in_head(b"Content-", b"CONTENT-"),
    "names in small letters": _in_head(b"Content-", b"content-"),
    "the token's name in small letters": _in_head(b"Authorization", b"authorization"),
    "the id's name in small letters": _in_head(b"X-Microsoft-Skype-Message-ID", b"x-microsoft-skype-message-id"),
    "bearer": _in_head(b"Bearer ", b"bearer "),
    "no spaces": _in_head(b": ", b":"),
    "spaces": _in_head(b": ", b":   "),
    "tabs": _in_head(b": ", b":\t"),
    "spaces at the ends of fields": _in_head(b"ivr.example", b"ivr.example \t"),
    "no charset": lambda sent: replace(sent, kind=sent.kind.replace(b"; charset=utf-8", b"")),
    "type in capitals": lambda sent: replace(sent, kind=sent.kind.upper()),
    "another charset": lambda sent: replace(sent, kind=sent.kind.replace(b"utf-8", b"latin-1")),
    "blanks around the JSON": _body(lambda body: b" \r\n" + body + b"\r\n"),
    "names of members in capitals": _body(lambda body: body.replace(b'"id"', b'"ID"')),
    "an unknown member": _body(lambda body: body.replace(b"{", b'{"more": [1, {"a": null}], ', 1)),
    "a byte order mark": _body(lambda body: b"\xef\xbb\xbf" + body),
    "a line end before the request": lambda sent: Raw(sent.body, raw=b"\r\n" + sent.written),
}
"Ways to write a request that change nothing about its answer, whichever way it goes."

STRANGE: dict[str, Odd] = {
    **{
        f"with {line!r:.60}": _add(line)
        for line in (
            *(b"TE: trailers", b"Trailer: x", b"Expect: 100-continue", b"Expect: x", b"Origin: http://x"),
            *(b"Sec-Fetch-Site: cross-site", b"Upgrade: h2c", b"Content-Encoding: identity", b"Content-Encoding: gzip"),
            *(b"Connection: close", b"Connection: upgrade", b"Connection: keep-alive, close", b"Connection:"),
            *(b"Connection: keep-alive, x", b"Proxy-Connection: close", b"Keep-Alive: timeout=1", b"Cookie: a=b"),
            *(b"Content-Length: 1", b"Host: other", b"Authorization: Bearer x", b"Content-Type: text/plain"),
            *(b"X-Microsoft-Skype-Message-ID: other", b"x-microsoft-skype-message-id: m", b"X-Other: \xff\xfe"),
            *(b"X-Other: a\x00b", b"X-Other: a\x7fb", b"X-Other: a\x01b", b"X-Other:", b"X-Other", b": x", b"X Y: z"),
            *(b"X-Other : x", b" folded", b"X-Other: a\r\n folded", b"X-Other: a\n b", b"X-Other: a\rX-More: b"),
            *(b"X-Other: " + b"a" * 8000, b"X-Other: " + b"a" * 9000, b"\xe4: x", b"X_Y: z", b"Content_Length: 1"),
            *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding: xchunked"),
            *(b"Sec-WebSocket-Key1: x", b"Max-Forwards: 0", b"Range: bytes=0-1", b"If-None-Match: *"),
        )
    },
    "130 headers": _add(*[b"X-%d: y" % number for number in range(130)]),
    "websocket": _add(b"Connection: Upgrade", b"Upgrade: websocket"),
    "h2c": _add(b"Connection: Upgrade", b"Upgrade: h2c"),
    "no length": _as_length(b""),
    **{
        f"length {pattern!r}": _as_length(pattern)
        for pattern in (
            *(b"+N", b"-N", b"0N", b"N ", b" N", b"\tN", b"N\t", b"N, N", b"N;", b"0xN", b"N.0", b"Ne0", b"N\r\n "),
            *(b"0", b"99999999999999999999999", b"18446744073709551615", b"4294967296", b"67108865", b"N\x00", b"\xb2"),
        )
    },
    **{f"length {change:+}": _length(change) for change in (-100000, -9, -2, -1, 1, 2, 9, 300)},
    "chunked": _chunked(b"Transfer-Encoding: chunked"),
    "chunked with a length": _chunked(b"Transfer-Encoding: chunked", length=b"5"),
    "chunked, with an extension": _chunked(b"Transfer-Encoding: chunked", pattern=b"%x;a=b\r\n%s\r\n0\r\nT: x\r\n\r\n"),
    "chunked, by line feeds": _chunked(b"Transfer-Encoding: chunked", pattern=b"%x\n%s\n0\n\n"),
    "chunked, with a wrong size": _chunked(b"Transfer-Encoding: chunked", pattern=b"%x0\r\n%s\r\n0\r\n\r\n"),
    "chunked, with a large size": _chunked(b"Transfer-Encoding: chunked", pattern=b"f00000000%x\r\n%s\r\n0\r\n\r\n"),
    "chunked by itself": _chunked(),
    "chunked twice": _chunked(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "chunked, as gzip": _chunked(b"Transfer-Encoding: gzip, chunked"),
    "chunked, and then some": _chunked(b"Transfer-Encoding: chunked, identity"),
    "CHUNKED": _chunked(b"transfer-encoding: CHUNKED"),
    **{
        f"as {new!r}": _line(old, new)
        for old, news in (
            (b"HTTP/1.1", b"HTTP/1.0 HTTP/1.2 HTTP/2.0 HTTP/0.9 http/1.1 ICE/1.0"),
            (b"POST", b"post PUT GET HEAD CONNECT BREW"),
            (b"/call", b"//call /%63all /CALL http://ivr.example/call call"),
            (b"/call", b"http:///call //ivr.example/call /x/../call /./call"),
            (b"/callback", b"/callback/ /callback? /callback?a=/call /callback# /callback%20"),
            (b"/callback", b"/callback\xc3\xa4 /callback;x"),
            (b"/callback", b"/call? /call?a=b /call#a /call\xff /call%00 /call\t /call/%64esk /call/"),
            (b"/callback", b"/call/%2e%2e /call//desk /call/desk/ /call/desk?x /call/d%65sk /call/" + b"d" * 101),
        )
        for new in news.split(b" ")
    },
    **{f"as {new!r}": _line(old, new) for old, new in ((b"POST", b" POST"), (b"POST", b"POST "), (b" HTTP/1.1", b""))},
    "HTTP/1.0 that stays": lambda sent: _add(b"Connection: keep-alive")(_line(b"HTTP/1.1", b"HTTP/1.0")(sent)),
    "spaces at the ends of lines": _in_head(b"\r\n", b" \t\r\n"),
    "lines that end in a line feed": lambda sent: replace(sent, end=b"\n"),
    "lines that end in a carriage return": lambda sent: replace(sent, end=b"\r"),
    "a blank line first": lambda sent: Raw(sent.body, raw=b"\n\r\n" + sent.written),
    "NUL first": lambda sent: Raw(sent.body, raw=b"\x00" + sent.written),
    "no Host": _in_head(b"Host: ivr.example\r\n", b""),
    "an empty Host": _in_head(b"Host: ivr.example", b"Host:"),
    "an odd Host": _in_head(b"Host: ivr.example", b"Host: a b:x@[\xff"),
    "no id": _in_head(b"X-Microsoft-Skype-Message-ID: ", b"X-Nothing: "),
    "an empty id": lambda sent: replace(sent, id=b""),
    "an id of high bytes": lambda sent: replace(sent, id=b"m\xc3\xa4"),
    "a long id": lambda sent: replace(sent, id=b"m" * 3000),
    "a space before the colon": _in_head(b"Authorization:", b"Authorization :"),
    "no token": _in_head(b"Authorization: ", b"X-Nothing: "),
    "another scheme": _in_head(b"Bearer", b"Basic"),
    "no space in the token": _in_head(b"Bearer ", b"Bearer"),
    "spaces in the token": _in_head(b"Bearer ", b"Bearer    "),
    "a tab in the token": _in_head(b"Bearer ", b"Bearer\t"),
    "a high byte in the token": lambda sent: replace(sent, token=sent.token + b"\xff"),
    "more of the token": lambda sent: replace(sent, token=sent.token + b"x"),
    "less of the token": lambda sent: replace(sent, token=sent.token[:-1]),
    "garbage for a token": lambda sent: replace(sent, token=b"eyJhbGciOiJSUzI1NiJ9.garbage.garbage"),
    "a token of 9 KB": lambda sent: replace(sent, token=sent.token * 20),
    "two tokens": lambda sent: replace(sent, token=sent.token + b", " + sent.token),
    **{
        f"type {kind!r:.60}": _type(kind)
        for kind in (
            *(b"", b"text/plain", b"application/jsonx", b"application/json x", b"application/json;"),
            *(b"application/json, text/plain", b"application/json; charset=\xff", b" application/json"),
            *(b";application/json", b"application/ json", b"multipart/form-data", b"multipart/form-data; boundary="),
            *(FORM, JSON, b'multipart/form-data; boundary="B', b"multipart/form-data; boundary=B"),
            *(b"multipart/form-data;boundary=C", b"Multipart/Form-Data; Boundary=B", b"multipart/mixed; boundary=B"),
            *(b"multipart/form-data; boundary=B; boundary=C", b"multipart/form-data; boundary=" + b"B" * 71),
        )
    },
    **{
        f"body: {what}": _body(change)
        for what, change in (
            ("nothing", lambda body: b""),
            ("cut", lambda body: body[:-3]),
            ("NUL", lambda body: body.replace(b"id", b"i\\u0000d")),
            ("a NUL as it is", lambda body: body.replace(b"i", b"\x00", 1)),
            ("half a pair", lambda body: body.replace(b'"c', b'"\\ud800c')),
            ("high bytes", lambda body: body.replace(b'"c', b'"\xff\xfec')),
            ("a member twice", lambda body: body.replace(b"{", b'{"id": "other", ', 1)),
            ("deep", lambda body: b"[" * 3000 + body),
            ("UTF-16", lambda body: body.decode("latin-1").encode("utf-16")),
            ("NaN", lambda body: body.replace(b"2.5", b"NaN")),
            ("a large number", lambda body: body.replace(b"2.5", b"9" * 5000)),
            ("null", lambda body: b"null"),
            ("an id with a line end", lambda body: body.replace(b'"id": "c', b'"id": "\\nc')),
            ("a long id", lambda body: body.replace(b'"id": "c', b'"id": "' + b"c" * 600)),
            ("70 KB", lambda body: body.replace(b"{", b"{" + b" " * 70_000, 1)),
            ("300 KB", lambda body: body.replace(b"{", b"{" + b" " * 300_000, 1)),
            ("another boundary", lambda body: body.replace(b"--B", b"--C")),
            ("parts swapped", lambda body: b"--B".join([b"", *reversed(body.split(b"--B")[1:-1]), b"--\r\n"])),
            ("no end", lambda body: body.removesuffix(b"--B--\r\n")),
            ("a cut end", lambda body: body.removesuffix(b"-\r\n")),
            ("an epilogue", lambda body: body + b"epilogue"),
            ("a preamble", lambda body: b"preamble\r\n" + body),
            ("a third part", lambda body: body.replace(b"--B--", part("x", b"").rstrip() + b"\r\n\r\n\r\n--B--")),
            ("a file name", lambda body: body.replace(b"=recordedAudio", b'="recordedAudio"; filename="../../x"')),
            ("a picture", lambda body: body.replace(b"audio/x-ms-wma", b"image/png")),
            ("audio of no kind", lambda body: body.replace(b"Content-Type: audio/x-ms-wma\r\n", b"")),
            ("base64", lambda body: body.replace(b"x-ms-wma", b"x-ms-wma\r\nContent-Transfer-Encoding: base64")),
            ("a recording of 200 KB", lambda body: body.replace(b"audioaudio", b"audio" * 40_000, 1)),
        )
    },
    "followed by a line end": lambda sent: replace(sent, after=b"\r\n"),
    "followed by garbage": lambda sent: replace(sent, after=b"garbage\r\n\r\n"),
    "followed by half a request": lambda sent: replace(sent, after=b"POST /callb"),
    "followed by another request": lambda sent: replace(sent, after=SMUGGLED),
    "with a request in its body": lambda sent: replace(sent, body=SMUGGLED),
    "with a request beyond its length": lambda sent: _length(-len(SMUGGLED))(replace(sent, body=sent.body + SMUGGLED)),
    "as large as a flow of them": lambda sent: Raw(sent.body, raw=sent.written * 40),
}  # fmt: skip
"What makes a request unusual, or no request at all."

ODDITIES = {**HARMLESS, **STRANGE}
