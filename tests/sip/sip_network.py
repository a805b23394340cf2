"""Two endpoints on a network of the tests, in a time of its own: it loses, repeats, delays and swaps messages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from ivr.sip.endpoint import Endpoint
from ivr.sip.media_plan import HostPort
from ivr.sip.message import Message, Request, parse
from ivr.sip.negotiation import LocalMedia
from ivr.sip.outputs import Event, Link, Output, Send, Transport
from ivr.sip.policy import Admission, Allowed, EndpointConfig

CALLER: HostPort = ("192.0.2.1", 5060)
CALLEE: HostPort = ("192.0.2.2", 5060)


def tokens(prefix: str) -> Callable[[], str]:
    """Return tokens that a reader of a failed test can tell apart."""
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers):0{16 - len(prefix)}x}"


@dataclass
class OpenPolicy:
    """Whoever calls is welcome; tests change what they are about."""

    realm: str = "ivr"
    secret: bytes = b"secret of the tests"
    draining: bool = False
    full: bool = False
    admission: Admission = field(default_factory=Allowed)
    served: bool = True
    passwords: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        self.asked += 1
        return self.admission

    def serves(self, request: Request) -> bool:
        return self.served

    def password_of(self, user: str) -> str | None:
        return self.passwords.get(user)


def media(port: int = 30000, host: str = CALLER[0]) -> LocalMedia:
    return LocalMedia(host, port, session=7, version=1)


def link(local: HostPort, remote: HostPort, transport: Transport = "udp", connection: int = 0) -> Link:
    return Link(transport, local, remote, connection)


def sent(outputs: list[Output]) -> list[Message]:
    """Return the messages among outputs, parsed."""
    return [parse(each.data) for each in outputs if isinstance(each, Send)]


def events(outputs: list[Output]) -> list[Event]:
    return [each for each in outputs if not isinstance(each, Send)]


def shown(message: Message) -> str:
    """Return a message in a word, such as `INVITE` or `200 INVITE`."""
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {(message.headers.get('CSeq') or '').partition(' ')[2]}"


class Side:
    """One endpoint, what it was told, and what it sent."""

    def __init__(self, name: str, here: HostPort, there: HostPort, config: EndpointConfig | None = None) -> None:
        self.name = name
        self.here = here
        self.policy = OpenPolicy()
        self.endpoint = Endpoint(config or EndpointConfig(), self.policy, tokens(name))
        self.link = link(here, there)
        self.events: list[Event] = []
        self.sent: list[bytes] = []

    @property
    def words(self) -> list[str]:
        """What was sent, in order."""
        return [shown(parse(each)) for each in self.sent]

    def told(self, kind: type[Event]) -> list[Event]:
        return [each for each in self.events if isinstance(each, kind)]


class Network:
    """Carries datagrams between two sides; `fate` returns after how many seconds each copy arrives."""

    def __init__(
        self, caller: Side | None = None, callee: Side | None = None,
        fate: Callable[[], list[float]] = lambda: [0.01],
    ) -> None:  # fmt: skip
        self.caller = caller or Side("a", CALLER, CALLEE)
        self.callee = callee or Side("b", CALLEE, CALLER)
        self.fate = fate
        self.now = 1000.0
        self.on_event: Callable[[Side, Event], list[Output]] = lambda side, event: []
        self._under_way: list[tuple[float, int, Side, bytes, HostPort]] = []
        self._numbers = count()

    def do(self, side: Side, outputs: list[Output]) -> None:
        """Carry what a side gives out; events may lead to commands of its owner at once."""
        for each in outputs:
            if not isinstance(each, Send):
                side.events.append(each)
                self.do(side, self.on_event(side, each))
                continue
            side.sent.append(each.data)
            address = each.to.remote if isinstance(each.to, Link) else (each.to.host, each.to.port)
            target = {self.caller.here: self.caller, self.callee.here: self.callee}.get(address)
            for delay in self.fate() if target is not None else []:
                heappush(self._under_way, (self.now + delay, next(self._numbers), target, each.data, side.here))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while (moment := self.next_moment()) is not None and moment <= end:
            self.now = max(self.now, moment)
            if self._under_way and self._under_way[0][0] <= self.now:
                _, _, side, data, source = heappop(self._under_way)
                self.do(side, side.endpoint.receive(data, link(side.here, source), self.now))
            for side in (self.caller, self.callee):
                if (due := side.endpoint.deadline) is not None and due <= self.now:
                    self.do(side, side.endpoint.tick(self.now))
        self.now = end

    def next_moment(self) -> float | None:
        moments = [each.endpoint.deadline for each in (self.caller, self.callee)]
        moments += [self._under_way[0][0]] if self._under_way else []
        return min((each for each in moments if each is not None), default=None)

    def dial(self, **more: Any) -> str:
        """Let the caller call; return its handle."""
        handle, outputs = self.caller.endpoint.dial(
            "sip:support@192.0.2.2", self.caller.link, media(), self.now, caller="sip:anna@192.0.2.1", **more
        )
        self.do(self.caller, outputs)
        return handle
