"""Whether a request outside of any dialog is taken, in the order in which it is decided (RFC 3261 8.2, 13.3.1).

```
check                                                     | answer
----------------------------------------------------------+-------------------------------------------------------------
the policy says silence                                   | none
the policy refuses                                        | its status, 403 or 503
the policy asks for a password, and there is no right one | 401 with SHA-256 and MD5; stale=true for an old nonce (22)
the Request-URI is no sip:, sips: or tel:                 | 416
Require with anything that we do not know                 | 420 with Unsupported
Session-Expires below 90 s                                | 422 with Min-SE (RFC 4028 9)
draining, too many calls, too many unanswered of one host | 503 with Retry-After
a body that is no SDP                                     | 415 with Accept
same Call-ID and From tag as a call, by another way       | 482 (8.2.2.2)
no audio that fits                                        | 488
a number that is not served                               | 404
```

OPTIONS gets 200, or 503 while draining: that is how load balancers take us out (11). What means something in a dialog
alone gets 481, anything else 405: nobody registers here, and no call is made for a caller.
"""

from collections.abc import Sequence

from msgspec import Struct

from ivr.sip import session_timer
from ivr.sip.bodies import Unsupported, sdp_of
from ivr.sip.digest import Algorithm, NonceCounts, challenges, verify
from ivr.sip.message import Headers, Request, Response, request_uri, to
from ivr.sip.negotiation import LocalMedia, answer
from ivr.sip.outputs import Link
from ivr.sip.policy import Allowed, Challenge, EndpointConfig, Policy, Refused, Silence
from ivr.sip.responses import bad_extension, capabilities, not_allowed, respond, unknown_extensions, unsupported_body

RETRY_AFTER = ("Retry-After", "5")

_IN_DIALOG = frozenset({"BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "NOTIFY"})
"Requests that mean nothing outside of a dialog."
_MOST_PROOFS = 4
"Credentials that are looked at in one request."
_ZERO_KEY = bytes(30)


class Taken(Struct, frozen=True):
    """An INVITE that passed all checks."""

    offer: bytes | None


def admitted(
    request: Request, link: Link, policy: Policy, config: EndpointConfig, counts: NonceCounts, *, tag: str, now: float
) -> Allowed | Response | None:
    """Ask the policy, and for a password if it wants one; None: no answer at all."""
    admission = policy.admit(request, link, now)
    match admission:
        case Silence():
            return None
        case Refused(status=status, retry_after=retry_after):
            headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
            return respond(request, status, headers, tag=tag)
        case Challenge() if request.method in ("INVITE", "OPTIONS"):
            return _proved(request, policy, config.algorithms, counts, tag=tag, now=now)
        case Challenge():
            return Allowed()  # it gets an answer that tells nothing: 405 or 481
    return admission


def checked(
    invite: Request, link: Link, policy: Policy, config: EndpointConfig, *, tag: str, crowded: bool, merged: bool
) -> Response | Taken:
    """Judge an INVITE that was admitted; `crowded`: no call fits in, `merged`: it is a call's, by another way."""
    if request_uri(invite) is None:
        return respond(invite, 416, tag=tag)
    if unknown := unknown_extensions(invite):
        return bad_extension(invite, unknown, tag)
    if session_timer.too_short(invite):
        return session_timer.refusal(invite, tag)
    if crowded or policy.draining or policy.full:
        return respond(invite, 503, [RETRY_AFTER], tag=tag)
    offer = sdp_of(invite)
    if isinstance(offer, Unsupported):
        return unsupported_body(invite, tag)
    if merged:
        return respond(invite, 482, tag=tag)
    if offer is not None and answer(offer, _any_media(link, config)) is None:
        return respond(invite, 488, tag=tag)
    if not policy.serves(invite):
        return respond(invite, 404, tag=tag)
    return Taken(offer)


def answered(request: Request, policy: Policy, tag: str) -> Response:
    """Answer another request than an INVITE, or one that names a dialog which is not there (RFC 3261 12.2.2)."""
    if to(request).tag or request.method in _IN_DIALOG:
        return respond(request, 481, tag=tag)
    if request.method != "OPTIONS":
        return not_allowed(request, tag)
    if unknown := unknown_extensions(request):
        return bad_extension(request, unknown, tag)
    if policy.draining:
        return respond(request, 503, [RETRY_AFTER], tag=tag)
    return respond(request, 200, capabilities(), tag=tag)


def stand_in(request: Request) -> Request:
    """Return a request for a policy that decides on one which cannot be read: method, Via and User-Agent are true."""
    nobody = "<sip:unreadable@invalid.invalid>"
    fields = [("Via", request.headers.get("Via") or ""), ("From", f"{nobody};tag=0"), ("To", nobody)]
    fields += [("Call-ID", "unreadable"), ("CSeq", f"0 {request.method}")]
    fields += [("User-Agent", each) for each in request.headers.all("User-Agent")]
    return Request(request.method, "sip:unreadable@invalid.invalid", Headers.of(*fields))


def _any_media(link: Link, config: EndpointConfig) -> LocalMedia:
    """Return media to try an offer with, before any port is opened."""
    secure = link.transport == "tls" or config.srtp_without_tls
    key = _ZERO_KEY if config.srtp else b""
    return LocalMedia(link.remote[0], 9, 0, 0, codecs=config.codecs, srtp_key=key, secure=secure)


def _proved(
    request: Request, policy: Policy, algorithms: Sequence[Algorithm], counts: NonceCounts, *, tag: str, now: float
) -> Allowed | Response:
    stale = False
    for given in request.headers.all("Authorization")[:_MOST_PROOFS]:  # one for each realm on the way
        result = verify(
            given, method=request.method, realm=policy.realm, password_of=policy.password_of, secret=policy.secret,
            now=now, counts=counts, algorithms=algorithms,
        )  # fmt: skip
        if result == "ok":
            return Allowed()
        stale = stale or result == "stale"
    asked = challenges(policy.realm, secret=policy.secret, now=now, stale=stale, algorithms=algorithms)
    return respond(request, 401, [("WWW-Authenticate", each) for each in asked], tag=tag)
