"""A registration: we tell a registrar where an address of its domain is reached, as a desk phone does (RFC 3261 10).

```
state       | what happens                        | next        | what is done
------------+-------------------------------------+-------------+------------------------------------------------------
-           | register                            | registering | REGISTER
registering | 2xx                                 | registered  | Registered
registering | 401, 407                            | registering | REGISTER with credentials, once; again if stale
registering | 423                                 | registering | REGISTER with its Min-Expires (10.2.8)
registering | 403, or credentials were refused    | stopped     | RegistrationFailed, for good: a lock-out would be next
registering | other answers, none, not sent       | waiting     | RegistrationFailed; 30 s, doubling to 30 min
registered  | 80 % of the time that was granted   | registering | REGISTER
waiting     | the time is over                    | registering | REGISTER
any         | unregister                          | leaving     | REGISTER with Expires 0
leaving     | 401, 407                            | leaving     | REGISTER with credentials
leaving     | other answers, none                 | over        | Registered with 0
```

All REGISTERs of a registration have one Call-ID, and a CSeq that rises (10.2.4).
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip.addresses import MalformedAddress, parse_name_address, parse_uri
from ivr.sip.client_transaction import ClientKey, client_key
from ivr.sip.dialog import branch, own_contact, own_via
from ivr.sip.message import Headers, Request, Response
from ivr.sip.outputs import Event, Link, Registered, RegistrationFailed
from ivr.sip.proving import proof
from ivr.sip.sip_call import Ask, Credentials

REFRESH_AT = 0.8
"Of the time that was granted."
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1800.0
"Seconds until a registration that failed is tried again; twice as long each time."
SHORTEST_REFRESH = 10.0
"Seconds between refreshes, however little was granted."
_LONGEST_EXPIRY = 86400 * 7


class Registration(Struct, frozen=True):
    """What is registered where."""

    address: str
    "The address of record, such as `sip:200@pbx.example`; its user is the user of our Contact."
    registrar: str
    "The Request-URI: the domain, such as `sip:pbx.example`."
    to: Link
    credentials: Credentials | None = None
    expires: int = 300
    "Seconds to ask for."


class RegistrationState(Struct, frozen=True):
    """Where a registration stands."""

    wanted: Registration
    call_id: str
    tag: str
    seed: str
    name: str
    "For User-Agent."
    state: Literal["registering", "registered", "waiting", "leaving", "stopped", "over"] = "registering"
    number: int = 0
    expires: int = 0
    "Seconds that are asked for; the registrar may have wanted more."
    key: ClientKey | None = None
    proofs: int = 0
    pause: float = FIRST_PAUSE
    deadline: float | None = None
    "When `tick` is due."


class RegistrationStep(Struct, frozen=True):
    """Where the registration stands now, and what is to be done."""

    registration: RegistrationState
    effects: tuple[Ask | Event, ...] = ()


def begin(wanted: Registration, *, call_id: str, tag: str, seed: str, name: str) -> RegistrationStep:
    """Register for the first time."""
    return _asked(RegistrationState(wanted, call_id, tag, seed, name, expires=wanted.expires))


def changed(registration: RegistrationState, wanted: Registration) -> RegistrationStep:
    """Register again with other wishes, or by another way."""
    fresh = replace(registration, wanted=wanted, expires=wanted.expires, proofs=0, pause=FIRST_PAUSE)
    return _asked(replace(fresh, state="registering"))


def unregister(registration: RegistrationState) -> RegistrationStep:
    """Take the registration back."""
    if registration.state in ("leaving", "over"):
        return RegistrationStep(registration)
    if registration.state == "stopped":  # nothing is registered
        return RegistrationStep(replace(registration, state="over"), (Registered(0.0),))
    return _asked(replace(registration, state="leaving", proofs=0))


def responded(
    registration: RegistrationState, request: Request, response: Response | None, failure: int, now: float
) -> RegistrationStep:
    """Take what became of a REGISTER: its answer, or 408 or 503 if there is none."""
    if client_key(request) != registration.key or (response is not None and response.status < 200):
        return RegistrationStep(registration)
    registration = replace(registration, key=None)
    wanted = registration.wanted
    header = response and proof(request, response, wanted.credentials, registration.seed, registration.proofs)
    if header:
        return _asked(replace(registration, proofs=registration.proofs + 1), header)
    if registration.state == "leaving":
        return RegistrationStep(replace(registration, state="over", deadline=None), (Registered(0.0),))
    if response is None:
        return _failed(registration, failure, "no answer" if failure == 408 else "not sent", now)
    if response.status < 300:
        return _registered(registration, response, now)
    if response.status == 423 and (longer := _seconds(response, "Min-Expires")) > registration.expires:
        return _asked(replace(registration, expires=longer, proofs=0))
    if response.status in (401, 403, 407):
        failed = RegistrationFailed(response.status, response.reason, None)
        return RegistrationStep(replace(registration, state="stopped", deadline=None), (failed,))
    return _failed(registration, response.status, response.reason, now, _seconds(response, "Retry-After"))


def tick(registration: RegistrationState, now: float) -> RegistrationStep:
    """Register again if it is time."""
    if registration.deadline is None or now < registration.deadline:
        return RegistrationStep(registration)
    return _asked(replace(registration, state="registering", proofs=0))


def _registered(registration: RegistrationState, response: Response, now: float) -> RegistrationStep:
    granted = _granted(registration, response)
    due = now + max(granted * REFRESH_AT, SHORTEST_REFRESH)
    after = replace(registration, state="registered", deadline=due, pause=FIRST_PAUSE, proofs=0)
    return RegistrationStep(after, (Registered(float(granted)),))


def _failed(
    registration: RegistrationState, status: int, reason: str, now: float, retry_after: int = 0
) -> RegistrationStep:
    pause = max(registration.pause, min(float(retry_after), LONGEST_PAUSE))
    longer = min(2 * registration.pause, LONGEST_PAUSE)
    after = replace(registration, state="waiting", deadline=now + pause, pause=longer)
    return RegistrationStep(after, (RegistrationFailed(status, reason, pause),))


def _asked(registration: RegistrationState, *extra: tuple[str, str]) -> RegistrationStep:
    wanted, number = registration.wanted, registration.number + 1
    expires = 0 if registration.state == "leaving" else registration.expires
    fields = [
        ("Via", own_via(wanted.to, wanted.to, branch(registration.seed, number, "REGISTER"))),
        ("Max-Forwards", "70"),
        ("From", f"<{wanted.address}>;tag={registration.tag}"),
        ("To", f"<{wanted.address}>"),
        ("Call-ID", registration.call_id),
        ("CSeq", f"{number} REGISTER"),
        ("Contact", _contact(registration)),
        ("Expires", str(expires)),
        ("User-Agent", registration.name),
    ]
    request = Request("REGISTER", wanted.registrar, Headers.of(*fields, *extra))
    after = replace(registration, number=number, key=client_key(request), deadline=None)
    return RegistrationStep(after, (Ask(request, wanted.to),))


def _contact(registration: RegistrationState) -> str:
    return own_contact(registration.wanted.to, parse_uri(registration.wanted.address).user or registration.name)


def _granted(registration: RegistrationState, response: Response) -> int:
    """Return for how long our Contact is registered: by its own parameter, by Expires, or as we asked (10.2.4)."""
    ours = parse_uri(parse_name_address(_contact(registration)).uri)
    for value in response.headers.all("Contact"):
        try:
            address = parse_name_address(value)
            uri = parse_uri(address.uri)
        except MalformedAddress:
            continue
        expires = address.parameter("expires") or ""
        same = (uri.user, uri.host.lower(), uri.port) == (ours.user, ours.host.lower(), ours.port)
        if same and _is_number(expires):
            return min(int(expires), _LONGEST_EXPIRY)
    return _seconds(response, "Expires") or registration.expires


def _seconds(response: Response, name: str) -> int:
    value = (response.headers.get(name) or "").partition(";")[0].partition("(")[0].strip()
    return min(int(value), _LONGEST_EXPIRY) if _is_number(value) else 0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
