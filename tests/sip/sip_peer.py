"""The other side of one endpoint, written by hand: requests and answers as a test wants them, to the letter."""

from collections.abc import Sequence
from itertools import count

from ivr.sip.endpoint import Endpoint
from ivr.sip.message import Headers, Message, Request, Response, cseq, encode, from_, parse, to
from ivr.sip.outputs import CallOffered, Event, Link, Output, Send, Transport
from ivr.sip.policy import EndpointConfig
from tests.sip.sip_network import CALLEE, CALLER, OpenPolicy, events, link, media, sent, tokens

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
)
SDP = ("Content-Type", "application/sdp")

Lines = Sequence[tuple[str, str]]


class Peer:
    """A user agent that a test plays; its endpoint has the tokens `b…`, so that tags and handles are known."""

    def __init__(
        self, policy: OpenPolicy | None = None, config: EndpointConfig | None = None, transport: Transport = "udp",
        endpoint: Endpoint | None = None,
    ) -> None:  # fmt: skip
        self.policy = policy or OpenPolicy()
        self.endpoint = endpoint or Endpoint(config or EndpointConfig(), self.policy, tokens("b"))
        self.link: Link = link(CALLEE, CALLER, transport, 0 if transport == "udp" else 1)
        self.transport = transport
        self.now = 1000.0
        self.call_id = "call"
        self.tag = "peer"
        self.remote_tag = ""
        self.number = 0
        self.branches = count(1)
        self.handle = ""
        self.outputs: list[Output] = []
        "Of the last thing that happened."
        self.events: list[Event] = []
        "All of them."

    # --- what the peer sends

    def request(
        self, method: str, headers: Lines = (), body: bytes = b"", *, number: int | None = None, branch: str = "",
        to_tag: str | None = None, uri: str = "sip:support@192.0.2.2",
    ) -> bytes:  # fmt: skip
        """Return a request of the call; its CSeq goes up but for an ACK or CANCEL."""
        if number is None:
            self.number += method not in ("ACK", "CANCEL")
            number = self.number
        tag = self.remote_tag if to_tag is None else to_tag
        fields = [
            (
                "Via",
                f"SIP/2.0/{self.transport.upper()} 192.0.2.1;branch={branch or f'z9hG4bK{next(self.branches)}'};rport",
            ),
            ("From", f"<sip:anna@192.0.2.1>;tag={self.tag}"),
            ("To", f"<sip:support@192.0.2.2>{f';tag={tag}' if tag else ''}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", "<sip:anna@192.0.2.1:5060>"),
        ]
        return encode(Request(method, uri, Headers.of(*fields, *([SDP] if body else []), *headers), body))

    def send(self, data: bytes, by: Link | None = None) -> list[Message]:
        """Let the endpoint receive this; return the messages that it sends."""
        return self._took(self.endpoint.receive(data, by or self.link, self.now))

    def ask(self, method: str, headers: Lines = (), body: bytes = b"") -> Message:
        """Send a request; return its one answer."""
        (answer,) = self.send(self.request(method, headers, body))
        return answer

    def invite(self, headers: Lines = (), body: bytes = OFFER) -> list[Message]:
        """Send the INVITE that begins the call."""
        answers = self.send(self.request("INVITE", headers, body, branch="z9hG4bKinvite", to_tag=""))
        offered = [each for each in self.outputs if isinstance(each, CallOffered)]
        self.handle = offered[0].call if offered else ""
        return answers

    def ack(self, body: bytes = b"", number: int | None = None) -> list[Message]:
        return self.send(self.request("ACK", (), body, number=number))

    def reply(
        self, request: Message, status: int, headers: Lines = (), body: bytes = b"", tag: str = "peer"
    ) -> list[Message]:
        """Answer a request of the endpoint."""
        return self.send(encode(self.answer_to(request, status, headers, body, tag)))

    @staticmethod
    def answer_to(request: Message, status: int, headers: Lines = (), body: bytes = b"", tag: str = "peer") -> Response:
        fields = [(name, value) for name, value in request.headers if name in ("Via", "From", "Call-ID", "CSeq")]
        address = to(request)
        fields.append(("To", (address if address.tag or status == 100 else address.with_tag(tag)).text))
        return Response(status, "Reason", Headers.of(*fields, *([SDP] if body else []), *headers), body)

    # --- what the owner of the call does

    def owner(self, outputs: list[Output]) -> list[Message]:
        """Take what a command gave out."""
        return self._took(outputs)

    def answered(self) -> Message:
        """Let the call be answered; return the 200."""
        (answer,) = self.owner(self.endpoint.answer(self.handle, media(40000, CALLEE[0]), self.now))
        return answer

    def established(self, headers: Lines = ()) -> "Peer":
        """Bring a call to where it is established."""
        self.invite(headers)
        self.answered()
        self.ack()
        return self

    def wait(self, seconds: float) -> list[Message]:
        """Let time pass; return what is sent in it."""
        end, all_ = self.now + seconds, []
        while (due := self.endpoint.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            all_ += self.endpoint.tick(self.now)
        self.now = end
        return self._took(all_)

    def _took(self, outputs: list[Output]) -> list[Message]:
        self.outputs = outputs
        self.events += events(outputs)
        messages = sent(outputs)
        for each in messages:
            ours = to(each) if isinstance(each, Response) else from_(each)
            if cseq(each).method == "INVITE" and ours.tag:
                self.remote_tag = ours.tag
        return messages


def raw(outputs: list[Output]) -> list[bytes]:
    """Return the bytes that are sent."""
    return [each.data for each in outputs if isinstance(each, Send)]


def status_of(message: Message) -> int:
    assert isinstance(message, Response)
    return message.status


__all__ = ["OFFER", "SDP", "Peer", "parse", "raw", "status_of"]
