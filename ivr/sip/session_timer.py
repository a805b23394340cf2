"""The session timer: a call whose other side is gone ends although no BYE came (RFC 4028). We never ask for it.

```
who refreshes | when what is due                       | then
--------------+----------------------------------------+--------------------------------------------------------------
we            | half of the interval                   | UPDATE without SDP; re-INVITE if the peer's Allow lacks UPDATE
we, the peer  | the interval - min(32 s, a third of it)| no refresh succeeded: BYE (RFC 4028 10)
```
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip.message import Message, Request, Response
from ivr.sip.responses import respond
from ivr.sip.timers import earliest

SHORTEST = 90
"Seconds (RFC 4028 5)."

_VALUE = re.compile(r"\s*([0-9]{1,9})\s*(?:;(.*))?")
_REFRESHER = re.compile(r"(?:^|;)\s*refresher\s*=\s*(uac|uas)\s*(?:;|$)", re.IGNORECASE)


class SessionTimer(Struct, frozen=True):
    """What was agreed, and when it is due."""

    interval: int
    "Seconds."
    ours: bool
    "Whether we refresh."
    ends: float
    refresh_due: float | None
    "None: not our task, or the refresh is under way."

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return earliest(self.ends, self.refresh_due)


def too_short(request: Request) -> bool:
    """Return whether the request asks for refreshes that come too often: 422 (RFC 4028 9)."""
    interval, _ = _session_expires(request)
    return interval is not None and interval < SHORTEST


def refusal(request: Request, tag: str = "") -> Response:
    """Return the 422 that says what is long enough."""
    return respond(request, 422, [("Min-SE", str(SHORTEST))], tag=tag)


def of_request(request: Request, timer: SessionTimer | None, now: float) -> SessionTimer | None:
    """Return the timer after an INVITE or UPDATE of the peer that gets a 2xx, with the timer that ran before.

    The peer decides who refreshes; if it leaves that to us, it is the peer, unless it does not know the extension, and
    a proxy asked for it (RFC 4028 9, table 2).
    """
    interval, refresher = _session_expires(request)
    if interval is None:
        return timer and restarted(timer, now)
    ours = refresher == "uas" or (refresher is None and not _known(request))
    return _started(interval, now, ours=ours)


def of_response(response: Response, now: float) -> SessionTimer | None:
    """Return the timer after the 2xx to a request of ours; without the header there is none (RFC 4028 7.2)."""
    interval, refresher = _session_expires(response)
    return None if interval is None else _started(max(interval, SHORTEST), now, ours=refresher != "uas")


def answer_headers(timer: SessionTimer | None, request: Request) -> tuple[tuple[str, str], ...]:
    """Return the headers of our 2xx to a request that asks for a timer (RFC 4028 9)."""
    if timer is None or request.headers.get("Session-Expires") is None:
        return ()
    expires = ("Session-Expires", f"{timer.interval};refresher={'uas' if timer.ours else 'uac'}")
    return (expires, ("Require", "timer")) if _known(request) else (expires,)


def refresh_headers(timer: SessionTimer) -> tuple[tuple[str, str], ...]:
    """Return the headers of a request of ours that refreshes the session (RFC 4028 7.4)."""
    return (
        ("Session-Expires", f"{timer.interval};refresher={'uac' if timer.ours else 'uas'}"),
        ("Supported", "timer"),
    )


def restarted(timer: SessionTimer, now: float) -> SessionTimer:
    """Return the timer after a refresh."""
    return _started(timer.interval, now, ours=timer.ours)


def refreshing(timer: SessionTimer) -> SessionTimer:
    """Return the timer while the refresh is under way."""
    return replace(timer, refresh_due=None)


def postponed(timer: SessionTimer, due: float) -> SessionTimer:
    """Return the timer whose refresh is to come later."""
    return replace(timer, refresh_due=due)


def minimum(response: Response) -> int:
    """Return the Min-SE of a 422 in seconds."""
    found = _VALUE.fullmatch(response.headers.get("Min-SE") or "")
    return max(SHORTEST, int(found[1])) if found else SHORTEST


def _known(request: Request) -> bool:
    return any(each.lower() == "timer" for each in request.headers.all("Supported"))


def _started(interval: int, now: float, *, ours: bool) -> SessionTimer:
    ends = now + interval - min(32, interval / 3)
    return SessionTimer(interval, ours, ends, now + interval / 2 if ours else None)


def _session_expires(message: Message) -> tuple[int | None, str | None]:
    """Return interval and refresher; what cannot be read counts as not there."""
    found = _VALUE.fullmatch(message.headers.get("Session-Expires") or "")
    if found is None:
        return None, None
    refresher = _REFRESHER.search(found[2] or "")
    return int(found[1]), refresher[1].lower() if refresher else None
