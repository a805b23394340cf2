"""A SIP endpoint without sockets: messages and time in, messages and events out (RFC 3261).

`receive` takes what came from the network, `tick` what time has come to, the commands what the owner of a call wants;
each returns what is to be sent and told, in order. When `deadline` has come, `tick` is due.

What is decided about a message is in the machines that this class only holds tables of: `Transactions`; of calls
`incoming_call`, `outgoing_call`, and, once they are answered, `live_call` with `in_dialog` and `own_requests`.

A command for a call that is over, or in a state where it has no meaning, does nothing: it crossed the event.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from ivr.sip import in_dialog, incoming_call, outgoing_call, outside_dialog, own_requests, referral, replacing
from ivr.sip import registration as registrations
from ivr.sip.addresses import parse_uri
from ivr.sip.call_table import CallTable
from ivr.sip.dialog import of_invite
from ivr.sip.digest import NonceCounts
from ivr.sip.incoming_call import IncomingCall
from ivr.sip.live_call import LiveCall
from ivr.sip.message import MalformedMessage, Request, Response, call_id, encode, from_, parse, reasons, to
from ivr.sip.negotiation import LocalMedia
from ivr.sip.outgoing_call import OutgoingCall
from ivr.sip.outputs import Hop, Link, Output, Send, TransferNotified
from ivr.sip.policy import Allowed, EndpointConfig, Policy
from ivr.sip.registration import Registration, RegistrationState, RegistrationStep
from ivr.sip.responses import malformed, respond
from ivr.sip.server_transaction import ServerKey, arrived, server_key
from ivr.sip.sip_call import Abandon, Acknowledge, Ask, CallStep, Credentials, Effect, RepeatAnswer, Respond, SipCall
from ivr.sip.timers import earliest
from ivr.sip.transactions import Given, Transactions

_REGISTRAR = "registrar"
"The owner of our REGISTERs; no handle of a call looks like it."


class Endpoint:
    """All calls of one process, both directions. Not for several threads."""

    def __init__(self, config: EndpointConfig, policy: Policy, tokens: Callable[[], str]) -> None:
        """Begin without calls; `tokens` returns 16 hex digits that nobody can foresee, others each time."""
        self._config = config
        self._policy = policy
        self._tokens = tokens
        self._counts = NonceCounts()
        self._transactions = Transactions(config.most_transactions, config.most_answer_bytes)
        self._calls = CallTable()
        self._registration: RegistrationState | None = None

    @property
    def deadline(self) -> float | None:
        """When `tick` is due next, in the seconds of `now`; None: not before something is received."""
        registration = self._registration.deadline if self._registration else None
        return earliest(self._transactions.deadline, self._calls.deadlines.first, registration)

    @property
    def calls(self) -> int:
        """How many calls there are, with those whose end is not confirmed yet."""
        return len(self._calls)

    @property
    def transactions(self) -> int:
        """How many transactions are remembered."""
        return len(self._transactions)

    def unanswered(self, host: str) -> int:
        """Return how many INVITEs of an address wait for an answer or its ACK."""
        return self._calls.unanswered(host)

    # --- what comes in

    def receive(self, message: bytes, link: Link, now: float) -> list[Output]:
        """Take one message; what cannot be read is dropped, or answered with 400 if it is a request."""
        try:
            parsed = parse(message)
        except MalformedMessage as error:
            return self._malformed(error, link, now)
        if isinstance(parsed, Response):
            return self._response(parsed, now)
        return self._request(*arrived(parsed, link), link, now)

    def tick(self, now: float) -> list[Output]:
        """Do what is due."""
        sends, given = self._transactions.tick(now)
        outputs: list[Output] = [*sends, *self._give(given, now)]
        for handle in self._calls.deadlines.take_due(now):
            outputs += self._ticked(handle, now)
        if self._registration is not None:
            outputs += self._registered(registrations.tick(self._registration, now), now)
        return outputs

    def failed(self, to: Link | Hop, now: float) -> list[Output]:
        """Take it that what goes to `to` cannot be sent: no route, or the connection is gone."""
        sends, given = self._transactions.failed(to)
        return [*sends, *self._give(given, now)]

    # --- commands, for calls that came in

    def ring(self, call: str, now: float) -> list[Output]:
        """Send 180."""
        waiting = self._calls.of_kind(call, IncomingCall)
        return self._step(incoming_call.ring(waiting, now), now) if waiting else []

    def answer(self, call: str, local: LocalMedia, now: float) -> list[Output]:
        """Send 200 with this media, at once or after the PRACK that is awaited; 488 if nothing fits any more."""
        waiting = self._calls.of_kind(call, IncomingCall)
        return self._step(incoming_call.answer(waiting, local, now), now) if waiting else []

    def reject(
        self, call: str, status: int, reason: str, now: float, headers: Sequence[tuple[str, str]] = ()
    ) -> list[Output]:
        """Refuse a call with a status of 300 to 699; `reason` "" is the status's own phrase.

        Raise ValueError for a text with a line break.
        """
        _check_lines(reason, *(text for header in headers for text in header))
        waiting = self._calls.of_kind(call, IncomingCall)
        if waiting is None:
            return []
        step = incoming_call.refuse(
            waiting, status, by="local", cause=f"rejected with {status}", reason=reason, headers=headers
        )
        return self._step(step, now)

    def redirect(self, call: str, uri: str, now: float) -> list[Output]:
        """Send the caller to another address before the answer (RFC 3261 21.3.3); raise MalformedAddress for no URI."""
        parse_uri(uri)
        return self.reject(call, 302, "", now, [("Contact", f"<{uri}>")])

    # --- commands, for any call

    def hang_up(self, call: str, now: float, reason: str = "") -> list[Output]:
        """End a call: BYE, CANCEL or 480; `reason` is the value of the Reason header (RFC 3326).

        Raise ValueError for a reason with a line break.
        """
        _check_lines(reason)
        found = self._calls.of_kind(call, SipCall)
        match found:
            case IncomingCall():
                return self._step(incoming_call.refuse(found, 480, by="local", cause="we hung up"), now)
            case OutgoingCall():
                return self._step(outgoing_call.cancel(found, now), now)
            case LiveCall():
                return self._step(own_requests.hang_up(found, reason), now)
        return []

    def refer(self, call: str, target: str, now: float) -> list[Output]:
        """Ask the peer of an answered call to call `target` instead (RFC 3515); raise MalformedAddress for no URI.

        Unless the call is over, `TransferNotified` with `done` follows, or its end.
        """
        parse_uri(target)
        match self._calls.get(call):
            case LiveCall() as live:
                return self._step(referral.refer(live, target, now), now)
            case None | OutgoingCall(state="cancelling"):  # it is over, for its owner at least
                return []
        return [TransferNotified(call, 481, done=True)]  # not answered: `redirect` is meant

    def forget_referral(self, call: str, now: float) -> list[Output]:
        """Wait no longer for what becomes of a REFER; what is told of it later means nothing."""
        live = self._calls.of_kind(call, LiveCall)
        return self._step(referral.forgotten(live), now) if live else []

    def modify(self, call: str, local: LocalMedia, now: float) -> list[Output]:
        """Offer other media in an answered call, such as hold; `MediaChanged` comes if the peer takes it."""
        live = self._calls.of_kind(call, LiveCall)
        return self._step(own_requests.modify(live, local, now), now) if live else []

    # --- commands, for calls that we place

    def dial(
        self, uri: str, to: Link, local: LocalMedia, now: float, *, caller: str, credentials: Credentials | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> tuple[str, list[Output]]:  # fmt: skip
        """Place a call; return its handle. `caller` is the value of From, a URI or a name with one.

        Raise MalformedAddress if `uri` or `caller` is none, ValueError for a header with a line break.
        """
        parse_uri(uri)
        _check_lines(*(text for header in headers for text in header))
        handle, seed = self._tokens(), self._tokens()
        invite = outgoing_call.invite(
            uri, to, local, caller=caller, tag=self._tokens(), identity=f"{self._tokens()}{self._tokens()}", seed=seed,
            name=self._config.name, headers=headers,
        )  # fmt: skip
        call = OutgoingCall(
            handle=handle, config=self._config, invite=invite, link=to, seed=seed, local=local,
            ends=now + self._config.longest_ringing, credentials=credentials,
        )  # fmt: skip
        return handle, self._step(outgoing_call.dialled(call), now)

    def cancel(self, call: str, now: float) -> list[Output]:
        """Give up a call that was not answered yet; one that was is hung up."""
        return self.hang_up(call, now)

    # --- registration

    def register(self, registration: Registration, now: float) -> list[Output]:
        """Register at a registrar, and stay registered; again, with another way there, if the one is lost.

        Its credentials also serve calls that come in, whose peer may ask for them in our requests. Raise
        MalformedAddress if the address or the registrar is no URI.
        """
        parse_uri(registration.address)
        parse_uri(registration.registrar)
        if self._registration is not None:
            return self._registered(registrations.changed(self._registration, registration), now)
        step = registrations.begin(
            registration, call_id=self._tokens() + self._tokens(), tag=self._tokens(), seed=self._tokens(),
            name=self._config.name,
        )  # fmt: skip
        return self._registered(step, now)

    def unregister(self, now: float) -> list[Output]:
        """Take the registration back; `Registered` with 0 follows."""
        if self._registration is None:
            return []
        return self._registered(registrations.unregister(self._registration), now)

    # --- responses

    def _response(self, response: Response, now: float) -> list[Output]:
        if len(response.headers.all("Via")) > 1:  # for somebody else (RFC 3261 8.1.3.3)
            return []
        sends, given = self._transactions.received(response, now)
        return [*sends, *self._give([given] if given else [], now)]

    def _give(self, given: Iterable[Given], now: float) -> list[Output]:
        """Let owners of requests know what became of them."""
        outputs: list[Output] = []
        for owner, request, response, failure in given:
            if owner == _REGISTRAR and self._registration is not None:
                step = registrations.responded(self._registration, request, response, failure, now)
                outputs += self._registered(step, now)
                continue
            match self._calls.get(owner):
                case OutgoingCall() as call:
                    outputs += self._step(outgoing_call.responded(call, request, response, failure, now), now)
                case LiveCall() as call:
                    outputs += self._step(own_requests.responded(call, request, response, now), now)
                case _ if request.method == "INVITE" and response is not None and 200 <= response.status < 300:
                    outputs += self._unwanted(request, response, now)
        return outputs

    def _unwanted(self, invite: Request, response: Response, now: float) -> list[Output]:
        """End the dialog of a 2xx that comes when its call is over."""
        link = self._transactions.flow_of(invite)
        if link is None:
            return []
        effects = own_requests.stray(invite, response, link, self._tokens(), self._config.name)
        return [output for each in effects for output in self._carry_out(each, "", now)]

    # --- requests

    def _malformed(self, error: MalformedMessage, link: Link, now: float) -> list[Output]:
        """Answer a request that cannot be read, if its sender is one who gets answers; nothing is kept of it."""
        if error.request is None:
            return []
        admitted = self._policy.admit(outside_dialog.stand_in(error.request), link, now)
        if not isinstance(admitted, Allowed):
            return []
        request, reply_to = arrived(error.request, link)
        return [Send(reply_to, encode(malformed(request, error.status)))]

    def _request(self, request: Request, reply_to: Link, link: Link, now: float) -> list[Output]:
        key = server_key(request)
        if request.method == "ACK":
            return self._acknowledged(request, key, now)
        if self._transactions.knows(key):
            return list(self._transactions.repeat(key))
        invite = server_key(request, "INVITE")
        if request.method == "CANCEL" and self._transactions.knows(invite):
            self._transactions.take(key, request, reply_to)
            return self._cancelled(request, key, invite, now)
        call = self._calls.of_dialog(call_id(request), to(request).tag)
        if call is None or request.method == "CANCEL":
            return self._outside(request, key, reply_to, link, now)
        self._transactions.take(key, request, reply_to)
        match call:
            case OutgoingCall():
                return self._step(outgoing_call.received(call, request, key, now), now)
            case IncomingCall() if call.dialog.remote.tag == from_(request).tag:
                return self._step(incoming_call.received(call, request, key, now), now)
            case LiveCall() if call.dialog.remote.tag == from_(request).tag:
                return self._step(in_dialog.received(call, request, key, link, now), now)
        return list(self._transactions.respond(key, respond(request, 481), now))

    def _acknowledged(self, ack: Request, key: ServerKey, now: float) -> list[Output]:
        """Take an ACK: of a refusal it ends the repeats, of a 2xx it is the call's (RFC 3261 13.3.1.4, 17.2.1)."""
        if self._transactions.acknowledge(key):
            return []
        call = self._calls.of_dialog(call_id(ack), to(ack).tag)
        if isinstance(call, LiveCall) and call.dialog.remote.tag == from_(ack).tag:
            return self._step(in_dialog.acknowledged(call, ack, now), now)
        return []

    def _cancelled(self, cancel: Request, key: ServerKey, invite: ServerKey, now: float) -> list[Output]:
        """Take a CANCEL: 200 in any case, and the end of an INVITE that has no final answer (RFC 3261 9.2)."""
        call = self._calls.of_invite(invite)
        tag = call.dialog_key[1] if call else self._transactions.tag_of(invite) or self._tokens()
        outputs: list[Output] = list(self._transactions.respond(key, respond(cancel, 200, tag=tag), now))
        if isinstance(call, IncomingCall):
            outputs += self._step(incoming_call.cancelled(call, reasons(cancel)), now)
        return outputs

    def _outside(self, request: Request, key: ServerKey, reply_to: Link, link: Link, now: float) -> list[Output]:
        """Judge a request that belongs to no dialog."""
        tag = self._tokens()
        admitted = outside_dialog.admitted(request, link, self._policy, self._config, self._counts, tag=tag, now=now)
        if admitted is None:
            return []
        self._transactions.take(key, request, reply_to)
        if isinstance(admitted, Response):
            return list(self._transactions.respond(key, admitted, now))
        if request.method != "INVITE" or to(request).tag:
            return list(self._transactions.respond(key, outside_dialog.answered(request, self._policy, tag), now))
        crowded = self._calls.is_full(self._config.most_calls)
        crowded = crowded or self.unanswered(link.remote[0]) >= self._config.most_unanswered
        merged = self._calls.has_origin(request)
        taken = outside_dialog.checked(
            request, link, self._policy, self._config, tag=tag, crowded=crowded, merged=merged
        )
        if isinstance(taken, Response):
            return list(self._transactions.respond(key, taken, now))
        call = replace(self._incoming(request, key, link, tag, now), offer=taken.offer)
        if request.headers.get("Replaces") is not None:
            return self._replaced(call, now)
        return self._step(incoming_call.offered(call, trusted=admitted.trusted), now)

    def _incoming(self, invite: Request, key: ServerKey, link: Link, tag: str, now: float) -> IncomingCall:
        seed = self._tokens()
        dialog = of_invite(invite, link, tag=tag, seed=seed, name=self._config.name)
        return IncomingCall(
            handle=self._tokens(), config=self._config, invite=invite, key=key, dialog=dialog, offer=None,
            rseq=1 + int(seed[:7], 16), ends=now + self._config.longest_ringing,
            expires=incoming_call.expiry(invite, now),
            credentials=self._registration.wanted.credentials if self._registration else None,
        )  # fmt: skip

    def _replaced(self, newcomer: IncomingCall, now: float) -> list[Output]:
        """Let an INVITE take the place of a call's dialog (RFC 3891 3)."""
        wanted = replacing.replaces_of(newcomer.invite)
        call = self._calls.of_dialog(wanted.call_id, wanted.local_tag) if wanted else None
        step = replacing.replaced(call, wanted, newcomer, now)
        if isinstance(step, Response):
            return list(self._transactions.respond(newcomer.key, step, now))
        return self._step(step, now)

    # --- steps

    def _step(self, step: CallStep, now: float) -> list[Output]:
        """Keep a call as it stands now, or forget it, and carry out what it wants."""
        self._calls.keep(step.call)
        return [output for each in step.effects for output in self._carry_out(each, step.call.handle, now)]

    def _registered(self, step: RegistrationStep, now: float) -> list[Output]:
        self._registration = step.registration if step.registration.state != "over" else None
        return [output for each in step.effects for output in self._carry_out(each, _REGISTRAR, now)]

    def _carry_out(self, effect: Effect, handle: str, now: float) -> Sequence[Output]:
        match effect:
            case Respond(key=key, response=response):
                return self._transactions.respond(key, response, now)
            case RepeatAnswer(key=key):
                return self._transactions.repeat(key)
            case Ask(request=request, to=where, owned=owned):
                return self._transactions.ask(request, where, handle if owned else "", now)
            case Acknowledge(invite=invite, ack=ack, to=where):
                return self._transactions.send_ack(invite, ack, where)
            case Abandon(invite=invite):
                self._transactions.abandon(invite)
                return ()
        return (effect,)

    def _ticked(self, handle: str, now: float) -> list[Output]:
        match self._calls.get(handle):
            case IncomingCall() as call:
                return self._step(incoming_call.tick(call, now), now)
            case OutgoingCall() as call:
                return self._step(outgoing_call.tick(call, now), now)
            case LiveCall() as call:
                return self._step(own_requests.tick(call, now), now)
        return []


def _check_lines(*texts: str) -> None:
    """Refuse a text that would begin a header of its own, before anything has happened."""
    if any("\r" in each or "\n" in each for each in texts):
        raise ValueError("a text for a SIP header with a line break in it")
