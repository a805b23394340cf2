"""Addresses of SIP: URIs (RFC 3261 19.1, RFC 3966), name-addresses of From and Contact (20.10), Via (20.42).

All of it comes from strangers. What is read here holds no control character but inside of quotes (RFC 3261 25.1 allows
them there), and a display name is written without any.
"""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.errors import IvrError

Parameters: TypeAlias = tuple[tuple[str, str | None], ...]
"Names in lower case, values as written; None: a parameter without a value, such as `lr`."

LONGEST_ADDRESS = 4096
"Characters of one address with its parameters; what is longer is refused before time is spent on it."

_SIP = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@\s<>\"]*)@)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>(?:;[^;?\s<>\"@]*)*)(?:\?(?P<headers>[^\s<>\"]*))?",
    re.IGNORECASE,
)
_TEL = re.compile(r"tel:(?P<number>\+?[0-9a-f*#().-]+)(?P<parameters>(?:;[^;?\s<>\"@]*)*)", re.IGNORECASE)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*(?P<transport>[a-z0-9.!%*_+`'~-]+)\s+(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)"
    r"(?:\s*:\s*(?P<port>[0-9]{1,5}))?\s*(?P<parameters>;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_NAME_ADDRESS = re.compile(
    rf'(?:(?P<quoted>{_QUOTED})\s*|(?P<words>[^"<>]*))<\s*(?P<uri>[^\s{_CONTROL}<>"]+)\s*>\s*(?P<parameters>;.*)?',
    re.DOTALL,
)
_BARE_ADDRESS = re.compile(
    rf'(?P<uri>[a-z][a-z0-9+.-]*:[^\s{_CONTROL}<>";?,]+)\s*(?P<parameters>;.*)?', re.IGNORECASE | re.DOTALL
)
_PARAMETER = re.compile(
    rf'\s*;\s*(?P<name>[^\s{_CONTROL}=;"<>,]+)\s*(?:=\s*(?P<value>{_QUOTED}|[^\s{_CONTROL};"<>,]*)\s*)?', re.DOTALL
)
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_PLAIN_IN_USER = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;/")
_CONTROLS = re.compile(f"[{_CONTROL}]")


class MalformedAddress(IvrError):
    """A text that is no address of the kind that was expected."""


class SipUri(Struct, frozen=True):
    """A `sip:`, `sips:` or `tel:` URI in its parts; a password in it is left out (RFC 3261 19.1.1 advises against)."""

    scheme: str
    "`sip`, `sips` or `tel`."
    user: str
    "Escapes of harmless characters are undone: `%2B49` is `+49`. Of `tel:` the number, without visual separators."
    host: str
    "An IPv6 address is without its brackets; empty for `tel:`."
    port: int | None = None
    parameters: Parameters = ()
    headers: str = ""
    "What stands behind the `?`, as written."

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter, "" if it has none, None if it is not there."""
        return parameter(self.parameters, name)

    @property
    def text(self) -> str:
        """The URI in one form, however it was written."""
        rest = _parameters_text(self.parameters)
        if self.scheme == "tel":
            return f"tel:{self.user}{rest}"
        user = f"{self.user}@" if self.user else ""
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{host_port(self.host, self.port)}{rest}{headers}"


class NameAddress(Struct, frozen=True):
    """A name-addr or addr-spec with the parameters that belong to the header, not to the URI (RFC 3261 20.10)."""

    display: str
    "The display name without its quotes; may hold anything that a stranger writes, line breaks excepted."
    uri: str
    "As written, without the angle brackets; of any scheme."
    parameters: Parameters = ()

    @property
    def tag(self) -> str:
        """The tag of a From or To; "" if it has none."""
        return parameter(self.parameters, "tag") or ""

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter without its quotes, "" if it has none, None if it is not there."""
        return parameter(self.parameters, name)

    @property
    def text(self) -> str:
        """The value of a header."""
        name = _CONTROLS.sub(" ", self.display).replace("\\", "\\\\").replace('"', '\\"')
        return (f'"{name}" ' if name else "") + f"<{self.uri}>{_parameters_text(self.parameters)}"

    def with_tag(self, tag: str) -> "NameAddress":
        """Return the address with this tag, in place of any that it had."""
        others = tuple(each for each in self.parameters if each[0] != "tag")
        return replace(self, parameters=(*others, ("tag", tag)))


class Via(Struct, frozen=True):
    """One hop that a request came by (RFC 3261 20.42)."""

    transport: str
    "In capitals: `UDP`, `TCP`, `TLS`, …"
    host: str
    "The sent-by host; an IPv6 address is without its brackets."
    port: int | None = None
    parameters: Parameters = ()

    @property
    def branch(self) -> str:
        """The id of the transaction; "" for a sender of RFC 2543."""
        return parameter(self.parameters, "branch") or ""

    @property
    def sent_by(self) -> str:
        """Host and port in one form, as part of a transaction's key (RFC 3261 17.2.3)."""
        return host_port(self.host.lower(), self.port)

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter, "" if it has none, None if it is not there."""
        return parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str) -> "Via":
        """Return the hop with this parameter, in place of one of its name (`received`, `rport`)."""
        if any(each == name for each, _ in self.parameters):
            changed = tuple((each, value if each == name else old) for each, old in self.parameters)
        else:
            changed = (*self.parameters, (name, value))
        return replace(self, parameters=changed)

    @property
    def text(self) -> str:
        """The value of a header."""
        return f"SIP/2.0/{self.transport} {host_port(self.host, self.port)}{_parameters_text(self.parameters)}"


def parse_uri(text: str) -> SipUri:
    """Read a `sip:`, `sips:` or `tel:` URI; raise MalformedAddress for anything else."""
    _check_length(text)
    if not (text.isascii() and text.isprintable()):  # RFC 3261 25.1: all else is escaped
        raise MalformedAddress("a URI with letters that need an escape")
    if found := _SIP.fullmatch(text):
        user = _user(found["user"].partition(":")[0]) if found["user"] is not None else ""
        if found["user"] is not None and not user:
            raise MalformedAddress("a SIP URI with an @ and no user")
        scheme, host, port = found["scheme"].lower(), _host(found["host"]), _port(found["port"])
        return SipUri(scheme, user, host, port, _uri_parameters(found["parameters"]), found["headers"] or "")
    if found := _TEL.fullmatch(text):
        number = re.sub(r"[().-]", "", found["number"])  # visual separators, RFC 3966 5
        return SipUri("tel", number, "", None, _uri_parameters(found["parameters"]))
    raise MalformedAddress("no sip:, sips: or tel: URI")


def parse_name_address(text: str) -> NameAddress:
    """Read the value of From, To, Contact, Route and the like; raise MalformedAddress if it is none.

    A display name without quotes may hold more than the grammar has (RFC 4475 3.1.2.15 leaves that to the reader).
    Without angle brackets, parameters belong to the header, and the URI may have no `?` or comma (RFC 3261 20.10).
    """
    _check_length(text)
    text = text.strip()
    found = _NAME_ADDRESS.fullmatch(text)
    if found is None:
        found = _BARE_ADDRESS.fullmatch(text)
        if found is None:
            raise MalformedAddress("no address, or one that is not closed")
        return NameAddress("", found["uri"], parse_parameters(found["parameters"] or ""))
    quoted = found["quoted"]
    display = unquoted(quoted) if quoted else " ".join(found["words"].split())
    return NameAddress(display, found["uri"], parse_parameters(found["parameters"] or ""))


def parse_via(text: str) -> Via:
    """Read one Via; raise MalformedAddress if it is none."""
    _check_length(text)
    found = _VIA.fullmatch(text.strip())
    if found is None:
        raise MalformedAddress("no Via of SIP/2.0")
    parameters = parse_parameters(found["parameters"] or "")
    return Via(found["transport"].upper(), _host(found["host"]), _port(found["port"]), parameters)


def parse_parameters(text: str) -> Parameters:
    """Read `;name=value;flag` behind an address; raise MalformedAddress if anything else stands there."""
    if not text:
        return ()
    _check_length(text)
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(text):
        one = _PARAMETER.match(text, at)
        if one is None:
            if text[at:].strip() == ";":  # a semicolon at the end, which some write
                break
            raise MalformedAddress("parameters that cannot be read")
        found.append((one["name"].lower(), one["value"]))
        at = one.end()
    return tuple(found)


def parameter(parameters: Parameters, name: str) -> str | None:
    """Return the value of a parameter without its quotes, "" if it has none, None if it is not there."""
    for each, value in parameters:
        if each == name:
            return unquoted(value) if value else ""
    return None


def unquoted(text: str) -> str:
    """Return a quoted-string's content (RFC 3261 25.1); other text as it is."""
    if len(text) < 2 or text[0] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if "\\" in text else text[1:-1]


def host_port(host: str, port: int | None) -> str:
    """Return `host:port`, with brackets round an IPv6 address (RFC 3261 25.1: IPv6reference)."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _check_length(text: str) -> None:
    if len(text) > LONGEST_ADDRESS:
        raise MalformedAddress("too long an address")


def _parameters_text(parameters: Parameters) -> str:
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters)


def _uri_parameters(text: str) -> Parameters:
    pairs = (each.partition("=") for each in text.split(";") if each)
    return tuple((name.lower(), value if equals else None) for name, equals, value in pairs)


def _host(text: str) -> str:
    if not text.startswith("["):
        return text
    try:
        IPv6Address(text[1:-1])
    except AddressValueError as error:
        raise MalformedAddress("no IPv6 address between the brackets") from error
    return text[1:-1]


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not 0 < int(text) < 65536:
        raise MalformedAddress("no port has this number")
    return int(text)


def _user(text: str) -> str:
    """Undo the escapes that are not needed in a user part; what needs one keeps it (RFC 3261 19.1.2)."""

    def plain(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if character in _PLAIN_IN_USER else escape[0].upper()

    return _ESCAPE.sub(plain, text) if "%" in text else text
