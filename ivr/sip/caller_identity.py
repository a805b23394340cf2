"""Who calls, who was called, and who had been called before: from headers that strangers write.

| what | where it stands | clause |
| --- | --- | --- |
| caller | From; from a trusted address P-Asserted-Identity, if there is one | RFC 3261 20.20, RFC 3325 9.1 |
| withheld | `Privacy: id` or `user`, or an anonymous From | RFC 3323 4.1, 4.2, RFC 3325 9.3 |
| called | Request-URI, else To | RFC 3261 8.1.1.1 |
| called first, and diverted from there | the last Diversion, else the first History-Info | RFC 5806 5.2, RFC 7044 5 |

Numbers come as `sip:+4930…@host`, with or without `+`, or as `tel:`. A `phone-context` says where a number is valid,
not how to complete it (RFC 3966 5.1.5), so that it is left out. Every text is cleaned: no control character, nothing
that hides or turns letters, never long.
"""

import re
import unicodedata
from urllib.parse import unquote

from msgspec import Struct

from ivr.sip.addresses import MalformedAddress, NameAddress, SipUri, parse_name_address, parse_uri
from ivr.sip.message import Request, from_, to

LONGEST_NUMBER = 64
"Characters of a number, or of the name that stands in its place."
LONGEST_DISPLAY = 80
"Characters of a display name."

_SEPARATORS = re.compile(r"[-.() ]")
_TELEPHONE = re.compile(r"\+?[0-9*#]+")
_ANONYMOUS = frozenset({"anonymous", "restricted"})
_WITHHELD = frozenset({"id", "user"})


class CallParties(Struct, frozen=True):
    """The parties of a call, cleaned."""

    caller: str
    "A number without visual separators, or a name such as `alice`; empty if withheld, or if there is none."
    display: str
    "The caller's display name; empty if withheld, or if there is none."
    withheld: bool
    called: str
    "As `caller`; empty if the request names nobody."
    diverted_from: str
    "Who was called first; empty if the call was not diverted, or if that is private."


def call_parties(request: Request, *, trusted: bool) -> CallParties:
    """Return the parties of an INVITE; `trusted`: whether it came from an address that vouches for the caller."""
    private = _privacy(request)
    sender = from_(request)
    withheld = bool(private & _WITHHELD) or _is_anonymous(sender)
    address = (_asserted(request) if trusted else None) or sender
    called = called_number(request)
    return CallParties(
        caller="" if withheld else number_of(address.uri),
        display="" if withheld else cleaned(address.display or sender.display, LONGEST_DISPLAY),
        withheld=withheld,
        called=called,
        diverted_from=_diverted_from(request, called, private),
    )


def called_number(request: Request) -> str:
    """Return who a request is for: the Request-URI decides; where it names nobody, To (a trunk that registered)."""
    return number_of(request.uri) or number_of(to(request).uri)


def number_of(uri: str) -> str:
    """Return the number or name in a `sip:` or `tel:` URI; empty if there is none, or if it is no such URI."""
    parts = _parts(uri)
    if parts is None:
        return ""
    return plain_number(cleaned(unquote(parts.user.partition(";")[0], errors="replace"), LONGEST_NUMBER))


def is_number(text: str) -> bool:
    """Return whether a text is a telephone number without visual separators."""
    return _TELEPHONE.fullmatch(text) is not None


def plain_number(text: str) -> str:
    """Return a telephone number without visual separators (RFC 3966 5.1.1), and a name as it is."""
    bare = _SEPARATORS.sub("", text)
    return bare if is_number(bare) else text


def cleaned(text: str, longest: int) -> str:
    """Return a stranger's text on one line, without control and format characters, cut to a length."""
    kept = "".join(" " if letter.isspace() else letter for letter in text[: longest * 4] if _is_shown(letter))
    return " ".join(kept.split())[:longest].rstrip()


def _is_shown(letter: str) -> bool:
    """Leave out controls, marks that turn the direction of text, lone surrogates and what is not assigned."""
    return letter.isspace() or not unicodedata.category(letter).startswith("C")


def _parts(uri: str) -> SipUri | None:
    try:
        return parse_uri(uri)
    except MalformedAddress:
        return None


def _privacy(request: Request) -> frozenset[str]:
    values = ";".join(request.headers.all("Privacy")).replace(",", ";").split(";")
    return frozenset(value.strip().lower() for value in values)


def _is_anonymous(sender: NameAddress) -> bool:
    parts = _parts(sender.uri)
    if parts is None:
        return False
    return parts.user.lower() in _ANONYMOUS or parts.host.lower().endswith("anonymous.invalid")


def _asserted(request: Request) -> NameAddress | None:
    """Return what the network vouches for, a telephone number before a SIP address."""
    found = _addresses(request, "P-Asserted-Identity")
    return next((each for each in found if each.uri[:4].lower() == "tel:"), found[0] if found else None)


def _diverted_from(request: Request, called: str, private: frozenset[str]) -> str:
    if diversions := _addresses(request, "Diversion"):  # the newest stands on top (RFC 5806 5.2)
        first = diversions[-1]
        return "" if first.parameter("privacy") in ("full", "uri") else number_of(first.uri)
    history = _addresses(request, "History-Info")
    if not history or "history" in private or "privacy=history" in history[0].uri.lower():  # RFC 7044 10.1
        return ""
    first_called = number_of(history[0].uri)
    return "" if first_called == called else first_called


def _addresses(request: Request, name: str) -> list[NameAddress]:
    """Return the addresses of a header that nothing but this depends on; what cannot be read is left out."""
    found = []
    for value in request.headers.all(name):
        try:
            found.append(parse_name_address(value))
        except MalformedAddress:
            continue
    return found
