"""The table of all transactions of an endpoint, both sides; it keeps their time, and what belongs to whom.

It cannot grow without bound: of answered requests only the newest are kept (a repeat of a forgotten one is a new
request, which the rules of its dialog refuse); those without an answer are INVITEs of calls, and calls are counted;
requests of ours end by their timers.
"""

from collections.abc import Sequence
from typing import TypeAlias

from ivr.sip import client_transaction, server_transaction
from ivr.sip.addresses import MalformedAddress, parse_name_address, parse_uri
from ivr.sip.client_transaction import ClientKey, ClientTransaction, client_key
from ivr.sip.deadlines import Deadlines
from ivr.sip.message import Request, Response, encode, parse
from ivr.sip.message import to as to_address
from ivr.sip.outputs import Hop, Link, Send
from ivr.sip.server_transaction import ServerKey, ServerTransaction
from ivr.sip.timers import earliest

Given: TypeAlias = tuple[str, Request, Response | None, int]
"For the owner of a request of ours: who it is, the request, its answer, and 408 or 503 if there is none."


class Transactions:
    """Transactions by their keys."""

    def __init__(self, most: int, most_bytes: int) -> None:
        """Begin without any; `most` answers are kept, and not more than `most_bytes` of them."""
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._server: dict[ServerKey, ServerTransaction] = {}
        self._answered: dict[ServerKey, int] = {}
        "How many bytes the final answers have, the oldest first."
        self._client: dict[ClientKey, ClientTransaction] = {}
        self._owners: dict[ClientKey, str] = {}
        self._server_deadlines: Deadlines[ServerKey] = Deadlines(self._server_deadline)
        self._client_deadlines: Deadlines[ClientKey] = Deadlines(self._client_deadline)

    def __len__(self) -> int:
        return len(self._server) + len(self._client)

    @property
    def deadline(self) -> float | None:
        """No transaction is due before."""
        return earliest(self._server_deadlines.first, self._client_deadlines.first)

    # --- requests that came in

    def knows(self, key: ServerKey) -> bool:
        """Return whether a request was seen before."""
        return key in self._server

    def take(self, key: ServerKey, request: Request, to: Link) -> None:
        """Take a request that was not seen before."""
        self._server[key] = server_transaction.begin(request, to)

    def respond(self, key: ServerKey, response: Response, now: float) -> list[Send]:
        """Answer a request."""
        transaction = self._server.get(key)
        if transaction is None:
            return []
        step = server_transaction.answered(transaction, response.status, encode(response), now)
        sends = self._keep_server(key, step)
        if response.status >= 200 and key not in self._answered:
            self._answered[key] = len(self._server[key].last)
            self._bytes += self._answered[key]
            while len(self._answered) > self._most or self._bytes > self._most_bytes:
                self._forget_server(next(iter(self._answered)))
        return sends

    def tag_of(self, key: ServerKey) -> str:
        """Return the To tag of the last answer to a request; "" if it has none."""
        transaction = self._server.get(key)
        return to_address(parse(transaction.last)).tag if transaction and transaction.last else ""

    def repeat(self, key: ServerKey) -> list[Send]:
        """Send the last answer to a request again."""
        return list(server_transaction.again(self._server[key]).sends) if key in self._server else []

    def acknowledge(self, key: ServerKey) -> bool:
        """Take an ACK; return whether it is for a refusal, and so for nobody else (RFC 3261 17.2.1)."""
        transaction = self._server.get(key)
        if transaction is None or transaction.state != "unconfirmed":
            return False
        self._server[key] = server_transaction.acknowledged(transaction)
        return True

    # --- requests of ours

    def ask(self, request: Request, to: Link | Hop, owner: str, now: float) -> list[Send]:
        """Send a request; `owner` is who is given its answers, "" for nobody."""
        key = client_key(request)
        self._owners[key] = owner
        return self._keep_client(key, client_transaction.begin(request, to, now))

    def send_ack(self, invite: ClientKey, ack: Request, to: Link | Hop) -> list[Send]:
        """Send the ACK of a 2xx, and again for each repeat of the 2xx."""
        transaction = self._client.get(invite)
        if transaction is None:
            return [Send(to, encode(ack))]
        return self._keep_client(invite, client_transaction.acknowledge(transaction, ack, to))

    def abandon(self, invite: ClientKey) -> None:
        """Wait no longer for the answer to an INVITE."""
        if (transaction := self._client.get(invite)) is not None:
            self._keep_client(invite, client_transaction.ClientStep(client_transaction.abandoned(transaction)))

    def flow_of(self, request: Request) -> Link | None:
        """Return the open way that a request of ours was sent by; None: it is not known any more."""
        transaction = self._client.get(client_key(request))
        return transaction.to if transaction and isinstance(transaction.to, Link) else None

    def received(self, response: Response, now: float) -> tuple[list[Send], Given | None]:
        """Take an answer; one to nothing that we asked is ignored, never answered."""
        key = client_key(response)
        transaction = self._client.get(key)
        if transaction is None:
            return [], None
        step = client_transaction.received(transaction, response, now)
        owner = self._owners[key]
        sends = self._keep_client(key, step)
        return sends, (owner, transaction.request, step.response, 0) if step.response is not None else None

    # --- time and connections

    def tick(self, now: float) -> tuple[list[Send], list[Given]]:
        """Apply what is due."""
        sends: list[Send] = []
        given: list[Given] = []
        for key in self._server_deadlines.take_due(now):
            sends += self._keep_server(key, server_transaction.tick(self._server[key], now))
        for client in self._client_deadlines.take_due(now):
            given += self._advance(client, client_transaction.tick(self._client[client], now), sends)
        return sends, given

    def failed(self, to: Link | Hop) -> tuple[list[Send], list[Given]]:
        """Send by a new connection what went by one that is lost; give up what cannot be sent at all.

        Outside of a dialog who sends knows the way better, and looks for another one.
        """
        sends: list[Send] = []
        given: list[Given] = []
        for key, server in list(self._server.items()):
            if server.to == to:
                sends += self._keep_server(key, server_transaction.moved(server))
        for client, transaction in list(self._client.items()):
            if transaction.to != to and all(ack.to != to for _, ack in transaction.acks):
                continue
            given += self._advance(client, _without(transaction, to), sends)
        return sends, given

    def _server_deadline(self, key: ServerKey) -> float | None:
        return self._server[key].deadline if key in self._server else None

    def _client_deadline(self, key: ClientKey) -> float | None:
        return self._client[key].deadline if key in self._client else None

    def _advance(self, key: ClientKey, step: client_transaction.ClientStep, sends: list[Send]) -> Sequence[Given]:
        request, owner = step.transaction.request, self._owners[key]
        sends += self._keep_client(key, step)
        return [(owner, request, None, step.failure)] if step.failure else []

    def _keep_server(self, key: ServerKey, step: server_transaction.ServerStep) -> list[Send]:
        self._server[key] = step.transaction
        if step.transaction.state == "over":
            self._forget_server(key)
        else:
            self._server_deadlines.changed(key)
        return list(step.sends)

    def _forget_server(self, key: ServerKey) -> None:
        del self._server[key]
        self._bytes -= self._answered.pop(key, 0)
        self._server_deadlines.changed(key)

    def _keep_client(self, key: ClientKey, step: client_transaction.ClientStep) -> list[Send]:
        if step.transaction.state == "over":
            del self._client[key], self._owners[key]
        else:
            self._client[key] = step.transaction
        self._client_deadlines.changed(key)
        return list(step.sends)


def _without(transaction: ClientTransaction, to: Link | Hop) -> client_transaction.ClientStep:
    """Return what becomes of a transaction that can send nothing to `to`."""
    last = transaction.request
    if transaction.state == "accepted" and transaction.acks:
        ack = parse(transaction.acks[-1][1].data)
        last = ack if isinstance(ack, Request) else last
    if isinstance(to, Link) and to.transport != "udp" and to_address(last).tag:
        return client_transaction.moved(transaction, _next_hop(last, to))
    return client_transaction.failed(transaction)


def _next_hop(request: Request, link: Link) -> Hop:
    """Return where to connect to for a request whose connection is gone: its first Route or its Request-URI."""
    route = request.headers.get("Route")
    well_known = 5061 if link.transport == "tls" else 5060
    try:
        uri = parse_uri(parse_name_address(route).uri if route else request.uri)
    except MalformedAddress:
        return Hop(link.transport, *link.remote)
    if uri.scheme == "tel":
        return Hop(link.transport, *link.remote)
    return Hop(link.transport, uri.host, uri.port or well_known)
