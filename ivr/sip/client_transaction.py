"""A request of ours, repeated until it is answered (RFC 3261 17.1, RFC 6026 for the 2xx to an INVITE).

```
state      | what happens                | next       | sent
-----------+-----------------------------+------------+------------------------------------------------------------
trying     | T1, then twice as long each | trying     | the request, by UDP alone; not an INVITE: at most T2 (A, E)
trying     | 1xx                         | proceeding | nothing
proceeding | T2, not an INVITE           | proceeding | the request, by UDP alone (E)
any of both| 64*T1 (B, F)                | over: 408  | nothing; a proceeding INVITE may ring on
any of both| it cannot be sent           | over: 503  | nothing (8.1.3.1)
any of both| final, not an INVITE        | completed  | nothing
any of both| 300-699 to an INVITE        | completed  | ACK (17.1.1.3)
any of both| 2xx to an INVITE            | accepted   | the call makes the ACK, see `acknowledge`
completed  | the answer to an INVITE     | completed  | the ACK again
accepted   | a 2xx with a known To tag   | accepted   | its ACK, the same bytes (13.2.2.4)
accepted   | a 2xx with another To tag   | accepted   | another dialog: its ACK, and the call ends it
completed  | 32 s for an INVITE, else T4 | over       | nothing; at once by TCP and TLS (D, K)
accepted   | 64*T1                       | over       | nothing (M)
```
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip.message import Headers, Request, Response, call_id, cseq, encode, to, top_via
from ivr.sip.outputs import Hop, Link, Send
from ivr.sip.timers import T2, T4, TIMEOUT, Repeats, earliest, repeats

MOST_FORKS = 16
"Dialogs that one INVITE of ours may make; answers beyond are not taken."

ClientKey: TypeAlias = tuple[str, str]


class ClientTransaction(Struct, frozen=True):
    """A request and where it stands."""

    request: Request
    to: Link | Hop
    data: bytes
    state: Literal["trying", "proceeding", "completed", "accepted", "over"] = "trying"
    repeats: Repeats | None = None
    ends: float | None = None
    acks: tuple[tuple[str, Send], ...] = ()
    "What answers a final answer that comes again, by its To tag."

    @property
    def invite(self) -> bool:
        """Whether the request is an INVITE."""
        return self.request.method == "INVITE"

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats by itself."""
        return self.to.transport != "udp"

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        return earliest(self.ends, self.repeats.due if self.repeats else None)


class ClientStep(Struct, frozen=True):
    """Where the transaction stands now, what is to be sent, and what the sender of the request learns."""

    transaction: ClientTransaction
    sends: tuple[Send, ...] = ()
    response: Response | None = None
    "An answer that was not seen before."
    failure: int = 0
    "408: no answer came; 503: the request could not be sent."


def client_key(message: Request | Response) -> ClientKey:
    """Return what a request of ours and its answers have in common (RFC 3261 17.1.3)."""
    return (top_via(message).branch, cseq(message).method)


def begin(request: Request, to: Link | Hop, now: float) -> ClientStep:
    """Send a request; its top Via is ours."""
    data = encode(request)
    longest = TIMEOUT if request.method == "INVITE" else T2
    again = repeats(now, longest) if to.transport == "udp" else None
    transaction = ClientTransaction(request, to, data, repeats=again, ends=now + TIMEOUT)
    return ClientStep(transaction, (Send(to, data),))


def received(transaction: ClientTransaction, response: Response, now: float) -> ClientStep:
    """Apply an answer."""
    match transaction.state:
        case "trying" | "proceeding":
            if response.status < 200:
                return ClientStep(_proceeding(transaction, now), response=response)
            return _completed(transaction, response, now)
        case "completed" if response.status >= 200:
            return ClientStep(transaction, tuple(ack for _, ack in transaction.acks))
        case "accepted" if 200 <= response.status < 300:
            tag = to(response).tag
            known = tuple(ack for each, ack in transaction.acks if each == tag)
            if known or len(transaction.acks) >= MOST_FORKS:
                return ClientStep(transaction, known)
            return ClientStep(transaction, response=response)
    return ClientStep(transaction)


def acknowledge(transaction: ClientTransaction, ack: Request, to_: Link | Hop) -> ClientStep:
    """Send the ACK of a 2xx, now and for each repeat of the 2xx (RFC 3261 13.2.2.4)."""
    send = Send(to_, encode(ack))
    return ClientStep(replace(transaction, acks=(*transaction.acks, (to(ack).tag, send))), (send,))


def failed(transaction: ClientTransaction) -> ClientStep:
    """Give up a request that cannot be sent (RFC 3261 8.1.3.1); one that was answered is kept for repeats of that."""
    waits = transaction.state in ("trying", "proceeding")
    return _given_up(transaction, 503) if waits else ClientStep(transaction)


def moved(transaction: ClientTransaction, to_: Hop) -> ClientStep:
    """Send the same bytes by a new connection, since the one that they were sent by is gone (RFC 3261 18.1.1)."""
    acks = tuple((tag, Send(to_, ack.data)) for tag, ack in transaction.acks)
    after = replace(transaction, to=to_, acks=acks)
    if transaction.state in ("trying", "proceeding"):
        return ClientStep(after, (Send(to_, transaction.data),))
    return ClientStep(after, tuple(ack for _, ack in acks))


def abandoned(transaction: ClientTransaction) -> ClientTransaction:
    """Stop to wait: for an INVITE that was cancelled and never got its answer (RFC 3261 9.1)."""
    return _given_up(transaction, 408).transaction


def tick(transaction: ClientTransaction, now: float) -> ClientStep:
    """Apply what is due."""
    if transaction.ends is not None and now >= transaction.ends:
        return _given_up(transaction, 408)
    if transaction.repeats is not None and now >= transaction.repeats.due:
        after = replace(transaction, repeats=transaction.repeats.after(now))
        return ClientStep(after, (Send(transaction.to, transaction.data),))
    return ClientStep(transaction)


def _given_up(transaction: ClientTransaction, failure: int) -> ClientStep:
    waits = transaction.state in ("trying", "proceeding")
    return ClientStep(replace(transaction, state="over", repeats=None, ends=None), failure=failure if waits else 0)


def _proceeding(transaction: ClientTransaction, now: float) -> ClientTransaction:
    if transaction.invite:
        return replace(transaction, state="proceeding", repeats=None, ends=None)
    again = Repeats(now + T2, T2) if transaction.repeats and transaction.state == "trying" else transaction.repeats
    return replace(transaction, state="proceeding", repeats=again)


def _completed(transaction: ClientTransaction, response: Response, now: float) -> ClientStep:
    done = replace(transaction, repeats=None)
    if not transaction.invite:
        kept = 0 if transaction.reliable else T4
        return ClientStep(replace(done, state="completed", ends=now + kept), response=response)
    if response.status < 300:
        return ClientStep(replace(done, state="accepted", ends=now + TIMEOUT), response=response)
    ack = Send(transaction.to, encode(ack_of_refusal(transaction.request, response)))
    kept = 0 if transaction.reliable else TIMEOUT
    done = replace(done, state="completed", ends=now + kept, acks=(("", ack),))
    return ClientStep(done, (ack,), response)


def ack_of_refusal(request: Request, response: Response) -> Request:
    """Return the ACK of a 300-699, which belongs to the INVITE's transaction: same branch (RFC 3261 17.1.1.3)."""
    fields = [("Via", request.headers.get("Via") or "")]
    fields += [("Route", each) for each in request.headers.all("Route")]
    fields += [
        ("Max-Forwards", "70"),
        ("From", request.headers.get("From") or ""),
        ("To", response.headers.get("To") or ""),
        ("Call-ID", call_id(request)),
        ("CSeq", f"{cseq(request).number} ACK"),
    ]
    return Request("ACK", request.uri, Headers.of(*fields))
