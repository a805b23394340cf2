"""The carrier's REST API, as far as a bot needs it: order a call, look at it, end it; fetch and delete recordings.

A function of a request, without a socket (`ivr.carriers.api_server` has one). Judged by the carriers' own clients.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.carriers.twiml.attribute_kinds import address, whole
from ivr.carriers.twiml.call_plan import Detection, TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount, KnownCall
from ivr.carriers.twiml.twiml_document import Method, Target

NUMBER = re.compile(r"(\+[0-9]{2,15}|sips?:[^\s@]{1,64}@[^\s]{1,200}|client:[\w.-]{1,64})")
CALL_EVENTS = ("initiated", "ringing", "answered", "completed")
ENDED = ("completed", "busy", "failed", "no-answer", "canceled")


class _Refused(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class CarrierApi:
    """The API of one account."""

    def __init__(
        self,
        account: CarrierAccount,
        *,
        place: Callable[[TwimlCallPlan], str],
        hang_up: Callable[[str], bool],
    ) -> None:
        """`place` begins an ordered call and returns its id; `hang_up` ends one; False: there is none."""
        self._account = account
        self._place = place
        self._hang_up = hang_up
        prefix = re.escape(f"{account.profile.api_path}/Accounts/{account.sid}/")
        self._calls = re.compile(prefix + r"Calls(?:\.json)?")
        self._call = re.compile(prefix + r"Calls/([\w:-]{1,80}?)(?:\.json)?")
        of_recordings = prefix + "Recordings/"
        if account.profile.bearer:  # a second address, of the newer API
            of_recordings = f"(?:{of_recordings}|/v2/recordings/)"
        self._recording = re.compile(of_recordings + r"(RE[0-9a-f]{32})(\.wav|\.mp3|\.json)?")

    def handle(self, request: ApiRequest) -> ApiReply:
        """Answer a request. Never raises."""
        try:
            self._authorize(request.authorization)
            if self._calls.fullmatch(request.path) and request.method == "POST":
                return self._ordered(_form(request))
            if found := self._call.fullmatch(request.path):
                return self._one_call(found[1], request)
            if found := self._recording.fullmatch(request.path):
                return self._one_recording(found[1], found[2] or "", request.method)
        except _Refused as error:
            said = {"code": error.code, "message": str(error), "more_info": "", "status": error.status}
            return ApiReply(error.status, json.dumps(said).encode())
        said = {"code": 20404, "message": f"{request.path} was not found", "more_info": "", "status": 404}
        return ApiReply(404, json.dumps(said).encode())

    def _authorize(self, header: str) -> None:
        account = self._account
        if account.profile.bearer:
            wanted = f"Bearer {account.token}"
        else:
            wanted = "Basic " + base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
        if not hmac.compare_digest(header.encode("utf-8", "replace"), wanted.encode()):
            raise _Refused(401, 20003, "Authenticate")

    # --- calls -------------------------------------------------------------------------------------------------------

    def _ordered(self, form: Mapping[str, Sequence[str]]) -> ApiReply:
        applications = self._account.profile.applications
        if applications and not _one(form, "ApplicationSid").isdecimal():
            raise _Refused(422, 10004, "ApplicationSid must be the id of a TeXML application")
        plan = _plan(form, applications=applications)
        sid = self._place(plan)
        shown = self._account.calls[sid]
        return ApiReply(200 if self._account.profile.bearer else 201, json.dumps(self._shown(shown)).encode())

    def _one_call(self, sid: str, request: ApiRequest) -> ApiReply:
        known = self._account.calls.get(sid)
        if known is None:
            raise _Refused(404, 20404, f"The call {sid} was not found")
        if request.method == "POST":
            status = _one(_form(request), "Status")
            if status not in ("completed", "canceled"):
                raise _Refused(400, 21220, "Of a call only its end can be ordered here: Status=completed or canceled")
            if not self._hang_up(sid):
                raise _Refused(400, 21220, f"The call {sid} is over")
        elif request.method != "GET":
            raise _Refused(405, 20004, "Method not allowed")
        return ApiReply(200, json.dumps(self._shown(known)).encode())

    def _shown(self, call: KnownCall) -> dict[str, Any]:
        numbers, plan, now = call.numbers, call.numbers.plan, formatdate(usegmt=False)
        over = call.status in ENDED
        uri = f"{self._account.profile.api_path}/Accounts/{numbers.account}/Calls/{numbers.sid}.json"
        return {
            "account_sid": numbers.account,
            "answered_by": None,
            "api_version": "2010-04-01",
            "date_created": now,
            "date_updated": now,
            "direction": "inbound" if plan.callee is None else "outbound-api",
            "duration": str(call.seconds) if over else None,
            "end_time": now if over else None,
            "from": plan.caller,
            "sid": numbers.sid,
            "start_time": now,
            "status": call.status,
            "subresource_uris": {},
            "to": plan.called,
            "uri": uri,
        }

    # --- recordings --------------------------------------------------------------------------------------------------

    def _one_recording(self, sid: str, suffix: str, method: str) -> ApiReply:
        if method == "DELETE":
            if not self._account.delete(sid):
                raise _Refused(404, 20404, f"The recording {sid} was not found")
            return ApiReply(204)
        kept = self._account.recording(sid) if method == "GET" else None
        if kept is None:
            raise _Refused(404, 20404, f"The recording {sid} was not found")
        if suffix == ".json":
            shown = {"sid": sid, "call_sid": kept.call, "duration": str(kept.seconds), "status": "completed"}
            return ApiReply(200, json.dumps({**shown, "account_sid": self._account.sid}).encode())
        if suffix == ".mp3":
            raise _Refused(400, 20001, "Only WAV is served here")
        return ApiReply(200, kept.data, "audio/x-wav")


def _form(request: ApiRequest) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        if request.content_type.partition(";")[0].strip() == "application/json":
            data = json.loads(request.body)
            pairs = [(name, _text(value)) for name, value in data.items() if isinstance(value, str | int | bool)]
        else:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=200)
    except (ValueError, AttributeError, RecursionError) as error:
        raise _Refused(400, 20001, "The body cannot be read") from error
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one(form: Mapping[str, Sequence[str]], name: str) -> str:
    return form.get(name, [""])[-1]


def _plan(form: Mapping[str, Sequence[str]], *, applications: bool) -> TwimlCallPlan:
    to, caller = _one(form, "To"), _one(form, "From")
    if not to:
        raise _Refused(400, 21201, "No 'To' number is specified")
    if not caller:
        raise _Refused(400, 21213, "No 'From' number is specified")
    if not NUMBER.fullmatch(to):
        raise _Refused(400, 21211, "Invalid 'To' phone number")
    if not NUMBER.fullmatch(caller):
        raise _Refused(400, 21212, "Invalid 'From' phone number")
    voice = _target(form, "Url", "UrlMethod" if applications else "Method")
    if voice is None:
        raise _Refused(400, 21205, "Url parameter is required")
    events = tuple(word for text in form.get("StatusCallbackEvent", ["completed"]) for word in text.split())
    if not set(events) <= set(CALL_EVENTS):
        raise _Refused(400, 21626, "Invalid StatusCallbackEvent")
    ringing = _one(form, "Timeout") or "60"
    if whole(1, 600)(ringing):
        raise _Refused(400, 21215, "Invalid Timeout")
    detection: Detection | None = None
    if wanted := _one(form, "MachineDetection"):
        if wanted not in ("Enable", "DetectMessageEnd"):
            raise _Refused(400, 21218, "Invalid MachineDetection")
        detection = "Enable" if wanted == "Enable" else "DetectMessageEnd"
    asynchronous = _one(form, "AsyncAmd") == "true"
    return TwimlCallPlan(
        voice,
        caller,
        to,
        status=_target(form, "StatusCallback", "StatusCallbackMethod"),
        status_events=events,
        fallback=_target(form, "FallbackUrl", "FallbackMethod"),
        ringing=float(ringing),
        detection=detection,
        detected=_target(form, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod") if asynchronous else None,
    )


def _target(form: Mapping[str, Sequence[str]], name: str, method_name: str) -> Target | None:
    url = _one(form, name)
    if not url:
        return None
    if address(url) or not url.startswith(("http://", "https://")):
        raise _Refused(400, 21205, f"{name} is not a valid URL")
    method: Method = "GET" if _one(form, method_name) == "GET" else "POST"
    return Target(url, method)
