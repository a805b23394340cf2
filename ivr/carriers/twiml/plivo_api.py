"""Plivo's REST API, as far as a bot needs it: order a call, end it; fetch and delete recordings.

A function of a request, without a socket. Judged by the carrier's own client.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.carriers.twiml.attribute_kinds import address
from ivr.carriers.twiml.call_plan import TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.twiml_document import Target

_NUMBER = re.compile(r"(\+?[0-9]{2,15}|sips?:[^\s@]{1,64}@[^\s]{1,200})")
_LONGEST_RINGING = 120
"Seconds."


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class PlivoApi:
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
        prefix = re.escape(f"{account.profile.api_path}/Account/{account.sid}/")
        self._calls = re.compile(prefix + r"Call/?")
        self._call = re.compile(prefix + r"Call/([\w-]{1,80})/?")
        self._recording = re.compile(prefix + r"Recording/(RE[0-9a-f]{32})(?:\.wav)?/?")

    def handle(self, request: ApiRequest) -> ApiReply:
        """Answer a request. Never raises."""
        try:
            self._authorize(request.authorization)
            return self._answered(request)
        except _Refused as error:
            said = {"api_id": self._account.new_id(), "error": str(error)}
            return ApiReply(error.status, json.dumps(said).encode())

    def _authorize(self, header: str) -> None:
        account = self._account
        wanted = "Basic " + base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
        if not hmac.compare_digest(header.encode("utf-8", "replace"), wanted.encode()):
            raise _Refused(401, "Authentication credentials were not provided or are incorrect.")

    def _answered(self, request: ApiRequest) -> ApiReply:
        if self._calls.fullmatch(request.path) and request.method == "POST":
            return self._ordered(_data(request))
        found = self._call.fullmatch(request.path)
        if found and request.method == "DELETE" and self._hang_up(found[1]):
            return ApiReply(204)
        if found := self._recording.fullmatch(request.path):
            return self._one_recording(found[1], request.method)
        raise _Refused(404, "not found")

    def _ordered(self, data: Mapping[str, Any]) -> ApiReply:
        uuid = self._place(_plan(data))
        said = {"api_id": self._account.new_id(), "message": "call fired", "request_uuid": uuid}
        return ApiReply(201, json.dumps(said).encode())

    def _one_recording(self, recording: str, method: str) -> ApiReply:
        if method == "DELETE" and self._account.delete(recording):
            return ApiReply(204)
        kept = self._account.recording(recording) if method == "GET" else None
        if kept is None:
            raise _Refused(404, "not found")
        return ApiReply(200, kept.data, "audio/wav")


def _data(request: ApiRequest) -> Mapping[str, Any]:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise _Refused(400, "The body is no JSON object.")
    return data


def _plan(data: Mapping[str, Any]) -> TwimlCallPlan:
    to, caller, ringing = str(data.get("to", "")), str(data.get("from", "")), data.get("ring_timeout", 60)
    for name, number in (("to", to), ("from", caller)):
        if not _NUMBER.fullmatch(number):
            raise _Refused(400, f"{name} parameter is not a number or a SIP address")
    if not isinstance(ringing, int) or not 1 <= ringing <= _LONGEST_RINGING:
        raise _Refused(400, f"ring_timeout must be a whole number from 1 to {_LONGEST_RINGING}")
    voice = _target(data, "answer")
    if voice is None:
        raise _Refused(400, "answer_url parameter not present")
    detection = data.get("machine_detection")
    if detection not in (None, "true", "hangup"):
        raise _Refused(400, "machine_detection must be true or hangup")
    return TwimlCallPlan(
        voice,
        _whole_number(caller),
        _whole_number(to),
        status=_target(data, "hangup"),
        rings=_target(data, "ring"),
        fallback=_target(data, "fallback"),
        ringing=float(ringing),
        detection=None if detection is None else "Enable",
        detected=_target(data, "machine_detection"),
    )


def _whole_number(number: str) -> str:
    return f"+{number}" if number.isdecimal() else number


def _target(data: Mapping[str, Any], name: str) -> Target | None:
    url = data.get(f"{name}_url")
    if url is None:
        return None
    if not isinstance(url, str) or address(url) or not url.startswith(("http://", "https://")):
        raise _Refused(400, f"{name}_url is not a valid URL")
    return Target(url, "GET" if data.get(f"{name}_method") == "GET" else "POST")
