"""A dialog: what two sides share once one of them answered an INVITE (RFC 3261 12).

A request belongs to a dialog by its Call-ID and the two tags, and by nothing else: whoever knows them may send it, from
any address, as a phone that changed its network does. Our tag has 64 random bits and goes to the peer alone, so that a
BYE cannot be made up by others.

Branches are made of the dialog's seed, which is random, and of the request's number, so that the functions here need no
chance.
"""

from collections.abc import Sequence
from hashlib import sha256
from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip.addresses import MalformedAddress, NameAddress, SipUri, Via, host_port, parse_name_address, parse_uri
from ivr.sip.message import Headers, Request, Response, call_id, contact, cseq, from_, to
from ivr.sip.outputs import Hop, Link, Transport
from ivr.sip.server_transaction import MAGIC_COOKIE

_WITH_CONTACT = frozenset({"INVITE", "UPDATE", "REFER"})
"Requests that refresh the peer's idea of where we are (RFC 3261 12.2, RFC 3311, RFC 3515)."
_WELL_KNOWN = {"udp": 5060, "tcp": 5060, "tls": 5061}


class Dialog(Struct, frozen=True):
    """One side's view of a dialog."""

    call_id: str
    local: NameAddress
    "With our tag."
    remote: NameAddress
    "With the peer's tag; one of RFC 2543 may have none."
    target: str
    "The peer's Contact: where our requests go to."
    route: tuple[str, ...]
    link: Link
    "By which the peer was last heard."
    seed: str
    name: str
    "For User-Agent and the user part of Contact."
    local_cseq: int = 0
    remote_cseq: int = -1


def of_invite(invite: Request, link: Link, *, tag: str, seed: str, name: str) -> Dialog:
    """Return the dialog of an INVITE that came in, of which we are the UAS (RFC 3261 12.1.1)."""
    peer = contact(invite)
    return Dialog(
        call_id=call_id(invite), local=to(invite).with_tag(tag), remote=from_(invite),
        target=peer.uri if peer else from_(invite).uri, route=invite.headers.all("Record-Route"), link=link, seed=seed,
        name=name, remote_cseq=cseq(invite).number,
    )  # fmt: skip


def of_response(invite: Request, response: Response, link: Link, *, seed: str, name: str) -> Dialog:
    """Return the dialog that an answer to our INVITE makes, of which we are the UAC (RFC 3261 12.1.2)."""
    peer = contact(response)
    return Dialog(
        call_id=call_id(invite), local=from_(invite), remote=to(response), target=peer.uri if peer else invite.uri,
        route=tuple(reversed(response.headers.all("Record-Route"))), link=link, seed=seed, name=name,
        local_cseq=cseq(invite).number,
    )  # fmt: skip


def refreshed(dialog: Dialog, message: Request | Response) -> Dialog:
    """Take the peer's Contact of an INVITE or UPDATE, or of its 2xx, as the new target (RFC 3261 12.2.1.2, 12.2.2)."""
    peer = contact(message)
    return replace(dialog, target=peer.uri) if peer else dialog


def destination(dialog: Dialog) -> Link | Hop:
    """Return where the next request goes: to the first Route, or the target (RFC 3261 8.1.2, 18.1.1).

    The peer's connection is used as long as it is not said that another transport is meant: it may be the only way to a
    peer behind a firewall (RFC 5923).
    """
    try:
        uri = parse_uri(_uri_of(dialog.route[0]) if dialog.route else dialog.target)
    except MalformedAddress:
        return dialog.link
    if uri.scheme == "tel":
        return dialog.link
    transport = _transport(uri, dialog.link)
    port = uri.port or _WELL_KNOWN[transport]
    if transport != dialog.link.transport:
        return Hop(transport, uri.host, port)
    if transport != "udp":
        return dialog.link
    if _same_family(uri.host, dialog.link):
        return replace(dialog.link, remote=(uri.host, port))
    return Hop("udp", uri.host, port)


def request(
    dialog: Dialog, method: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", *, back: bool = False
) -> tuple[Dialog, Request, Link | Hop]:
    """Return the dialog after a request of ours in it, the request, and where it goes (RFC 3261 12.2.1.1).

    `back`: to where the INVITE came from, since nothing shows that its sender is the one that its Contact names.
    """
    number = dialog.local_cseq + 1
    where = dialog.link if back else destination(dialog)
    return replace(dialog, local_cseq=number), _made(dialog, (number, method), where, headers, body), where


def ack(dialog: Dialog, number: int, headers: Sequence[tuple[str, str]] = ()) -> tuple[Request, Link | Hop]:
    """Return the ACK of a 2xx to our INVITE with this CSeq, and where it goes (RFC 3261 13.2.2.4)."""
    where = destination(dialog)
    return _made(dialog, (number, "ACK"), where, headers, b""), where


def credentials_of(invite: Request) -> tuple[tuple[str, str], ...]:
    """Return the headers of an INVITE that its ACK has as well (RFC 3261 22.1)."""
    return tuple(each for each in invite.headers if each[0] in ("Authorization", "Proxy-Authorization"))


def branch(seed: str, number: int, method: str, tag: str = "") -> str:
    """Return the branch of a request: unlike that of any other, since the seed is random (RFC 3261 8.1.1.7).

    The peer's tag tells the dialogs of a forked INVITE apart.
    """
    dialog = sha256(tag.encode()).hexdigest()[:8] if tag else ""
    return f"{MAGIC_COOKIE}{seed}{number}{method[:2].lower()}{dialog}"


def own_via(where: Link | Hop, link: Link, branch: str) -> str:
    """Return the Via of a request of ours, with rport (RFC 3581 3)."""
    host, port = where.local if isinstance(where, Link) else link.local
    return Via(where.transport.upper(), host, port, (("branch", branch), ("rport", None))).text


def own_contact(link: Link, name: str) -> str:
    """Return our Contact: peers open their ACK and BYE to it, so that it must name the transport of the call."""
    transport = "" if link.transport == "udp" else f";transport={link.transport}"
    return f"<sip:{name}@{host_port(*link.local)}{transport}>"


def _made(
    dialog: Dialog, cseq: tuple[int, str], where: Link | Hop, headers: Sequence[tuple[str, str]], body: bytes
) -> Request:
    number, method = cseq
    uri, route = dialog.target, dialog.route
    if route and not _is_loose(route[0]):  # a strict router of RFC 2543
        uri, route = _uri_of(route[0]), (*route[1:], f"<{dialog.target}>")
    fields = [
        ("Via", own_via(where, dialog.link, branch(dialog.seed, number, method, dialog.remote.tag))),
        *(("Route", each) for each in route),
        ("Max-Forwards", "70"),
        ("From", dialog.local.text),
        ("To", dialog.remote.text),
        ("Call-ID", dialog.call_id),
        ("CSeq", f"{number} {method}"),
    ]
    if method in _WITH_CONTACT:
        fields.append(("Contact", own_contact(dialog.link, dialog.name)))
    return Request(method, uri, Headers.of(*fields, ("User-Agent", dialog.name), *headers), body)


def _uri_of(route: str) -> str:
    return parse_name_address(route).uri


def _is_loose(route: str) -> bool:
    try:
        return parse_uri(_uri_of(route)).parameter("lr") is not None
    except MalformedAddress:
        return True


def _transport(uri: SipUri, link: Link) -> Transport:
    named = (uri.parameter("transport") or "").lower()
    if uri.scheme == "sips":
        return "tls"
    match named:
        case "tcp" if link.transport != "tls":
            return "tcp"
        case "udp" | "tls":
            return "udp" if named == "udp" else "tls"
    return link.transport


def _same_family(host: str, link: Link) -> bool:
    try:
        return ip_address(host).version == ip_address(link.remote[0]).version
    except ValueError:
        return False
