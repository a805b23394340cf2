"""A request that came in, and its answer again for each repeat (RFC 3261 17.2, RFC 6026 for the 2xx to an INVITE).

```
state      | what happens              | next       | sent
-----------+---------------------------+------------+-----------------------------------------------------
proceeding | the request again         | proceeding | the last provisional answer; none yet: nothing
proceeding | 1xx                       | proceeding | it
proceeding | a final answer, no INVITE | answered   | it
proceeding | 2xx to an INVITE          | answered   | it; the call repeats it until the ACK (13.3.1.4)
proceeding | 300-699 to an INVITE      | unconfirmed| it; after a 1xx by UDP again: T1, doubling to T2 (timer G)
unconfirmed| ACK                       | answered   | nothing
unconfirmed| 64*T1 without ACK         | answered   | nothing more (timer H)
answered, unconfirmed: the request again            | the last answer, the same bytes
answered, unconfirmed: 64*T1 + T4 after that answer | over (timers I, J, L; as long by any transport)
```

Without a 1xx the sender repeats its INVITE until it has the answer, so the answer is not repeated by itself: an INVITE
with a forged sender that is refused makes one datagram of one, as that of a stateless server does (RFC 3261 8.2.7).

RFC 6026 lets a repeated INVITE go without answer after its 2xx. It is answered here, too: the repeat shows that the 2xx
got lost. Whoever asks, the answer goes where the first one went, so a spoofed repeat sends nothing to others.
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip.message import Request, call_id, cseq, from_, top_via
from ivr.sip.outputs import Hop, Link, Send
from ivr.sip.timers import KEPT, TIMEOUT, Repeats, earliest, repeats

MAGIC_COOKIE = "z9hG4bK"
"How the branch of a sender of RFC 3261 begins (8.1.1.7)."

ServerKey: TypeAlias = tuple[str, ...]


class ServerTransaction(Struct, frozen=True):
    """A request and its last answer."""

    to: Link | Hop
    invite: bool
    fallback: Hop | None = None
    "Where answers go if the connection is gone (RFC 3261 18.2.2)."
    state: Literal["proceeding", "unconfirmed", "answered", "over"] = "proceeding"
    last: bytes = b""
    repeats: Repeats | None = None
    "When the answer is sent again although nothing came; only while unconfirmed, by UDP."
    ends: float | None = None

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        return earliest(self.ends, self.repeats.due if self.repeats else None)


class ServerStep(Struct, frozen=True):
    """Where the transaction stands now, and what is to be sent."""

    transaction: ServerTransaction
    sends: tuple[Send, ...] = ()


def server_key(request: Request, method: str = "") -> ServerKey:
    """Return what a request and its repeats have in common (RFC 3261 17.2.3); `method`: as if it were another's.

    An ACK has that of its INVITE. Senders without the magic cookie are told apart as in RFC 2543.
    """
    via = top_via(request)
    method = method or request.method
    method = "INVITE" if method == "ACK" else method
    if via.branch.startswith(MAGIC_COOKIE):
        return (method, via.sent_by, via.branch)
    return (method, via.text, request.uri, call_id(request), from_(request).tag, str(cseq(request).number))


def arrived(request: Request, link: Link) -> tuple[Request, Link]:
    """Return the request with `received` and `rport` in its top Via, and where its answers go.

    By UDP they go to the address it came from (RFC 3261 18.2.2), to the port it came from if it asks for that (RFC 3581
    4), else to the port of its Via. Never to another host: `maddr` is ignored, so that nothing goes to a third party.
    """
    via = top_via(request)
    asks = via.parameter("rport") is not None
    changed = via
    if asks or via.host.lower() != link.remote[0].lower():
        changed = changed.with_parameter("received", link.remote[0])
    if asks:
        changed = changed.with_parameter("rport", str(link.remote[1]))
    rest = request.headers.all("Via")[1:]
    request = replace(request, headers=request.headers.replaced("Via", changed.text, *rest))
    if link.transport != "udp" or asks:
        return request, link
    return request, replace(link, remote=(link.remote[0], via.port or 5060))


def begin(request: Request, to: Link) -> ServerTransaction:
    """Start with a request that was not seen before; `to` is where its answers go."""
    fallback = None
    if to.transport != "udp":
        fallback = Hop(to.transport, to.remote[0], top_via(request).port or (5061 if to.transport == "tls" else 5060))
    return ServerTransaction(to, request.method == "INVITE", fallback)


def answered(transaction: ServerTransaction, status: int, data: bytes, now: float) -> ServerStep:
    """Send an answer of ours; after a final one others change nothing."""
    if transaction.state != "proceeding":
        return ServerStep(transaction)
    sends = (Send(transaction.to, data),)
    if status < 200:
        return ServerStep(replace(transaction, last=data), sends)
    unconfirmed = transaction.invite and status >= 300
    by_itself = unconfirmed and transaction.last and transaction.to.transport == "udp"
    again = repeats(now) if by_itself else None
    state: Literal["unconfirmed", "answered"] = "unconfirmed" if unconfirmed else "answered"
    return ServerStep(replace(transaction, state=state, last=data, repeats=again, ends=now + KEPT), sends)


def again(transaction: ServerTransaction) -> ServerStep:
    """Send the last answer's bytes again: the request came again, or its 2xx is to be repeated."""
    if transaction.last and transaction.state != "over":
        return ServerStep(transaction, (Send(transaction.to, transaction.last),))
    return ServerStep(transaction)


def acknowledged(transaction: ServerTransaction) -> ServerTransaction:
    """Take the ACK of a refusal; that of a 2xx is a transaction of its own (RFC 3261 17.1.1.3)."""
    if transaction.state != "unconfirmed":
        return transaction
    return replace(transaction, state="answered", repeats=None)


def moved(transaction: ServerTransaction) -> ServerStep:
    """Send the last answer by another connection, since its own is gone (RFC 3261 18.2.2); once."""
    if transaction.fallback is None or transaction.state == "over":
        return ServerStep(transaction)
    after = replace(transaction, to=transaction.fallback, fallback=None)
    return again(after) if transaction.invite else ServerStep(after)


def tick(transaction: ServerTransaction, now: float) -> ServerStep:
    """Apply what is due."""
    if transaction.ends is not None and now >= transaction.ends:
        return ServerStep(replace(transaction, state="over", repeats=None, ends=None))
    if transaction.repeats is not None and transaction.ends is not None and now >= transaction.ends - KEPT + TIMEOUT:
        return ServerStep(replace(transaction, state="answered", repeats=None))
    if transaction.repeats is not None and now >= transaction.repeats.due:
        after = replace(transaction, repeats=transaction.repeats.after(now))
        return ServerStep(after, (Send(transaction.to, transaction.last),))
    return ServerStep(transaction)
