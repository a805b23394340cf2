"""Answers to requests (RFC 3261 8.2.6), and what they say that we can do."""

from collections.abc import Sequence

from ivr.sip.message import Headers, Request, Response, to

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO, NOTIFY"
SUPPORTED = "timer, 100rel, replaces"
EXTENSIONS = frozenset({"timer", "100rel", "replaces"})
"What a Require may name (RFC 4028, RFC 3262, RFC 3891)."
REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    600: "Busy Everywhere",
    603: "Decline",
}


def respond(
    request: Request,
    status: int,
    headers: Sequence[tuple[str, str]] = (),
    *,
    tag: str = "",
    reason: str = "",
    body: bytes = b"",
) -> Response:
    """Return an answer; `tag` is for the To of a request that has none there, and not for a 100."""
    fields = [("Via", each) for each in request.headers.all("Via")]
    if 100 < status < 300 and request.method == "INVITE":  # what makes a dialog (RFC 3261 12.1.1)
        fields += [("Record-Route", each) for each in request.headers.all("Record-Route")]
    fields.append(("From", request.headers.get("From") or ""))
    fields.append(("To", _tagged(request, tag) if tag and status > 100 else request.headers.get("To") or ""))
    fields += [(name, request.headers.get(name) or "") for name in ("Call-ID", "CSeq")]
    if body:
        headers = (*headers, ("Content-Type", "application/sdp"))
    return Response(status, reason or REASONS.get(status, "Error"), Headers.of(*fields, *headers), body)


def malformed(request: Request, status: int) -> Response:
    """Return the answer to a request that cannot be read as a whole, with what of it there is (RFC 3261 8.2.6.2)."""
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    fields = [(name, value) for name in names for value in request.headers.all(name)]
    return Response(status, REASONS[status], Headers.of(*fields))


def not_allowed(request: Request, tag: str = "") -> Response:
    """Return a 405: also for a REFER, which a caller must not make us follow."""
    return respond(request, 405, [("Allow", ALLOW)], tag=tag)


def capabilities() -> tuple[tuple[str, str], ...]:
    """Return what an answer to OPTIONS and a 2xx to an INVITE say (RFC 3261 11.2)."""
    return (("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", SUPPORTED))


def unsupported_body(request: Request, tag: str = "") -> Response:
    """Return the 415 for a body that is no SDP (RFC 3261 8.2.3)."""
    return respond(request, 415, [("Accept", "application/sdp")], tag=tag)


def unknown_extensions(request: Request) -> tuple[str, ...]:
    """Return what a Require names that is not known here (RFC 3261 8.2.2.3)."""
    return tuple(each for each in request.headers.all("Require") if each.lower() not in EXTENSIONS)


def bad_extension(request: Request, unknown: Sequence[str], tag: str = "") -> Response:
    """Return the 420 for unknown extensions."""
    return respond(request, 420, [("Unsupported", each) for each in unknown], tag=tag)


def _tagged(request: Request, tag: str) -> str:
    target = to(request)
    return (target if target.tag else target.with_tag(tag)).text
