"""Who may call: the policy of a gateway, which its SIP endpoint asks about every request outside of a call.

| comes from | without a password | with a password |
| --- | --- | --- |
| an address that is named (`allow_from`), or the registrar's | may call, and is believed about the caller | the same |
| if none is named: this machine | may call, and is believed | has to know the password |
| if none is named: a private network | may call | has to know the password |
| if none is named: any address, where SIP is taken at loopback addresses alone | may call | has to know the password |
| anywhere else | 403 | has to know the password |

Scanners, and whoever asks more often than the limits allow, get no answer at all. What is not an INVITE is answered
only where calls are taken without a password. Pure: time comes in as an argument.
"""

from collections import Counter
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.gateway.networks import LOOPBACK, PRIVATE, Address, Network, address_of, sender_of, within
from ivr.rate_limit import RateLimit
from ivr.sip.message import Request
from ivr.sip.outputs import Link
from ivr.sip.policy import Admission, Allowed, Challenge, Refused, Silence

REALM = "ivr"
SCANNERS = ("friendly-scanner", "sipvicious", "sundayddr", "sip-scan", "sipsak", "sipcli", "pplsip", "smap", "iwar")
"What the User-Agent of well-known scanners contains, in lower case."
OTHERS_PER_SECOND, OTHERS_BURST = 5.0, 20.0
"Requests of one address that are no INVITE: pings by OPTIONS come each 30 s."
STRANGERS_PER_SECOND, STRANGERS_BURST = 50.0, 200.0
"""INVITEs by UDP that are challenged or refused, of all strangers together: answers to addresses that may be forged.

Who has made a connection is really there, and gets its challenge although others flood."""
RETRY_AFTER = 5
"Seconds."

Refusal: TypeAlias = Literal["scanner", "flood", "address", "challenge", "number", "calls"]
"Why a request was not taken; `challenge`: a password was asked for, and the same call may come again with it."


class AdmissionRules(Struct, frozen=True):
    """What the operator has set."""

    named: tuple[Network, ...] = ()
    only_here: bool = False
    "SIP is taken at loopback addresses alone: whoever reaches them is on this machine, by whatever address it calls."
    user: str = ""
    "Empty: there is no password."
    password: str = ""
    calls: int = 200
    calls_per_address: int = 200
    invites_per_second: float = 20.0


class AdmissionPolicy:
    """A `Policy` (`ivr.sip.policy`), which counts the calls that it is told of."""

    realm = REALM

    def __init__(
        self,
        rules: AdmissionRules,
        *,
        secret: bytes,
        served: Callable[[Request], bool],
        refused: Callable[[Refusal], None],
    ) -> None:
        """`secret` signs nonces; `served` is whether a called number leads anywhere; `refused` counts."""
        self.secret = secret
        self.draining = False
        "Set when the gateway is about to end."
        self.placed = 0
        "Calls that we place: they count, too."
        self._rules = rules
        self._served = served
        self._refused = refused
        self._registrar: frozenset[Address] = frozenset()
        self._calls: Counter[str] = Counter()
        self._invites = RateLimit(rules.invites_per_second, max(2.0, 2 * rules.invites_per_second))
        self._others = RateLimit(OTHERS_PER_SECOND, OTHERS_BURST)
        self._unproven = RateLimit(rules.invites_per_second, max(2.0, 2 * rules.invites_per_second))
        self._strangers = RateLimit(STRANGERS_PER_SECOND, STRANGERS_BURST)
        self._connected = RateLimit(rules.invites_per_second, max(2.0, 2 * rules.invites_per_second))

    # --- the policy -------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether no call is taken now."""
        return self._calls.total() + self.placed >= self._rules.calls

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        """Decide on a request outside of any dialog."""
        if any(name in (request.headers.get("User-Agent") or "").lower() for name in SCANNERS):
            return self._silent("scanner")
        try:
            sender, decision = sender_of(link.remote[0]), self._by_address(link.remote[0])
        except ValueError:  # a name where there should be an address
            return self._silent("address")
        if request.method != "INVITE":
            return decision if self._answers_others(decision, sender, now) else self._silent("flood")
        if isinstance(decision, Allowed):
            return self._within_limits(decision, sender, now)
        return self._stranger(decision, sender, now, connected=link.transport != "udp")

    def serves(self, request: Request) -> bool:
        """Return whether the called number leads anywhere."""
        served = self._served(request)
        if not served:
            self._refused("number")
        return served

    def password_of(self, user: str) -> str | None:
        """Return a user's password; None: there is no such user."""
        return self._rules.password if self._rules.user and user == self._rules.user else None

    def trust(self, registrar: frozenset[Address]) -> None:
        """Take calls from the addresses of the registrar, in place of any that it had before."""
        self._registrar = registrar

    # --- the calls that there are -----------------------------------------------------------------------------------

    def began(self, link: Link) -> None:
        """Count a call of this peer."""
        self._calls[sender_of(link.remote[0])] += 1

    def ended(self, link: Link) -> None:
        """Count it no more."""
        sender = sender_of(link.remote[0])
        self._calls[sender] -= 1
        if not self._calls[sender]:
            del self._calls[sender]

    # ----------------------------------------------------------------------------------------------------------------

    def _by_address(self, host: str) -> Admission:
        address, rules = address_of(host), self._rules
        if within(address, rules.named) or address in self._registrar:
            return Allowed(trusted=True)
        if rules.user:
            return Challenge()
        if not rules.named and (rules.only_here or within(address, PRIVATE)):
            return Allowed(trusted=within(address, LOOPBACK))
        return Refused(403)

    def _answers_others(self, decision: Admission, sender: str, now: float) -> bool:
        return isinstance(decision, Allowed) and self._others.take(sender, now)

    def _within_limits(self, decision: Allowed, sender: str, now: float) -> Admission:
        if not self._invites.take(sender, now):
            return self._silent("flood")
        if self._calls[sender] >= self._rules.calls_per_address:
            self._refused("calls")
            return Refused(503, RETRY_AFTER)
        return decision

    def _stranger(self, decision: Admission, sender: str, now: float, *, connected: bool) -> Admission:
        if connected:
            answered = self._connected.take(sender, now)
        else:
            answered = self._unproven.take(sender, now) and self._strangers.take("", now)
        if not answered:
            return self._silent("flood")
        if self._calls[sender] >= self._rules.calls_per_address:
            self._refused("calls")
            return Refused(503, RETRY_AFTER)
        self._refused("challenge" if isinstance(decision, Challenge) else "address")
        return decision

    def _silent(self, why: Refusal) -> Silence:
        self._refused(why)
        return Silence()
