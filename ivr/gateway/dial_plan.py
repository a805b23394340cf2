"""Where calls go that the gateway places, and whom they show: numbers by the trunk, SIP addresses to their own host.

A trunk is written as an address in which the number has its place: `sip:trunk.example.com` calls
`sip:+436601234567@trunk.example.com`, `sip:00{digits}@pbx.example.com;transport=tcp` writes 00 for the plus.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.errors import IvrError
from ivr.sip.addresses import MalformedAddress, NameAddress, SipUri, host_port, parse_uri
from ivr.sip.next_hop import hop_of
from ivr.sip.outputs import Hop
from ivr.sip.sip_call import Credentials

NUMBER, DIGITS = "{number}", "{digits}"
"What stands in a trunk's address for the number: with its plus, and without."
NOBODY: Final = "ivr"
"The user part of who calls, where nobody is named."

CallerPlace: TypeAlias = Literal["from", "p-asserted-identity", "p-preferred-identity"]
"The header that shows the caller (RFC 3261 20.20, RFC 3325 9.1, 9.2); in the latter two, From is the trunk's account."


class NotTrunk(IvrError):
    """A text that is no address of a trunk."""


class NotCallable(IvrError):
    """A target that cannot be called from here; the text says why, and repeats nothing of it."""


class Trunk(Struct, frozen=True):
    """Who takes calls to numbers."""

    uri: SipUri
    "Its user part has the number's place."
    hop: Hop
    account: str = ""
    "The address that calls show if nobody is named; empty: made of the credentials' user."
    credentials: Credentials | None = None
    caller_in: CallerPlace = "from"


class CallRoute(Struct, frozen=True):
    """One call as it is placed."""

    uri: str
    "The Request-URI."
    hop: Hop
    caller: str
    "The value of From."
    shown: str
    "Who calls, for the other side: a number, a user or an address."
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials | None = None


def trunk_uri(text: str) -> tuple[SipUri, Hop]:
    """Read the address of a trunk; raise NotTrunk."""
    try:
        uri = parse_uri(text)
    except MalformedAddress as error:
        raise NotTrunk(str(error)) from error
    hop = hop_of(uri)
    if hop is None or uri.headers:
        raise NotTrunk("another transport than udp, tcp and tls, or header fields")
    if not uri.user:
        return replace(uri, user=NUMBER), hop
    if (NUMBER in uri.user) == (DIGITS in uri.user) or "{" in uri.user.replace(NUMBER, "").replace(DIGITS, ""):
        raise NotTrunk("a user part without a place for the number")
    return uri, hop


class DialPlan(Struct, frozen=True):
    """Every way out."""

    trunk: Trunk | None = None

    def route(self, target: str, caller: str | None) -> CallRoute:
        """Return how a target (`ivr.callable_targets.read_target`) is called; raise NotCallable.

        `caller` is a number or an address; None: the trunk's account. What a trunk's password is for is the trunk
        alone: another host that asks for one gets no answer to its challenge.
        """
        try:
            return self._to_number(target, caller) if target.startswith("+") else self._to_address(target, caller)
        except MalformedAddress as error:
            raise NotCallable("it cannot be written as a SIP address") from error

    def _to_number(self, number: str, caller: str | None) -> CallRoute:
        if self.trunk is None:
            raise NotCallable("there is no trunk that takes numbers")
        template = self.trunk.uri
        user = template.user.replace(NUMBER, number).replace(DIGITS, number.removeprefix("+"))
        uri = replace(template, user=user)
        if user.startswith("+") and uri.parameter("user") is None:  # a global number, RFC 3261 19.1.1
            uri = replace(uri, parameters=(*uri.parameters, ("user", "phone")))
        return self._by_trunk(self.trunk, uri, caller)

    def _to_address(self, address: str, caller: str | None) -> CallRoute:
        uri = parse_uri(address)
        hop = hop_of(uri)
        if hop is None:
            raise NotCallable("it names no host")
        if self.trunk is not None and _is_at(self.trunk, uri):
            return self._by_trunk(self.trunk, uri, caller)
        home = uri if self.trunk is None else self.trunk.uri
        account = self._account(home)
        return CallRoute(uri.text, hop, _from(_address(caller, home) if caller else account), caller or _user(account))

    def _by_trunk(self, trunk: Trunk, uri: SipUri, caller: str | None) -> CallRoute:
        account = self._account(trunk.uri)
        shown, name = (_address(caller, trunk.uri) if caller else account), caller or _user(account)
        if trunk.caller_in == "from" or shown == account:
            return CallRoute(uri.text, trunk.hop, _from(shown), name, (), trunk.credentials)
        header = "P-Asserted-Identity" if trunk.caller_in == "p-asserted-identity" else "P-Preferred-Identity"
        return CallRoute(uri.text, trunk.hop, _from(account), name, ((header, _from(shown)),), trunk.credentials)

    def _account(self, home: SipUri) -> str:
        if self.trunk is None:
            return _address(NOBODY, home)
        credentials = self.trunk.credentials
        return self.trunk.account or _address(credentials.user if credentials else NOBODY, home)


def _is_at(trunk: Trunk, uri: SipUri) -> bool:
    """Return whether an address is one of the trunk's, such as an extension of a PBX."""
    same = (uri.scheme, uri.host.lower()) == (trunk.uri.scheme, trunk.uri.host.lower())
    return same and uri.port in (None, trunk.hop.port)


def _address(who: str, home: SipUri) -> str:
    """Return the address of a number or a user at somebody's host; one that is an address already stays it."""
    if who.startswith(("sip:", "sips:")):
        return parse_uri(who).text
    return parse_uri(f"{home.scheme}:{who}@{host_port(home.host, None)}").text


def _user(address: str) -> str:
    return parse_uri(address).user or address


def _from(address: str) -> str:
    return NameAddress("", address).text
