"""What jambonz tells a bot of a call: the same in each hook, and once more in the first frame of a stream."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

CallStatus: TypeAlias = Literal[
    "trying", "ringing", "early-media", "in-progress", "completed", "failed", "busy", "no-answer", "queued"
]
DEFAULTS = {
    "synthesizer": {"vendor": "google", "language": "en-US", "voice": "en-US-Standard-C"},
    "recognizer": {"vendor": "google", "language": "en-US"},
}
"The application's own speech settings, as the first hook tells them."
REASONS: Mapping[int, str] = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    404: "Not Found",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    487: "Request Terminated",
    603: "Decline",
}
"The phrases of SIP's answers (RFC 3261)."


class CallFacts(Struct, frozen=True):
    """Who calls whom, and under which names."""

    call_sid: str
    "A UUID."
    account_sid: str = "00000000-0000-4000-8000-00000000acc0"
    application_sid: str = "00000000-0000-4000-8000-00000000a001"
    call_id: str = "emulated-call"
    "SIP's."
    direction: Literal["inbound", "outbound"] = "inbound"
    caller: str = "+15550100"
    called: str = "+15550199"
    caller_name: str = ""
    trace_id: str = "00000000000000000000000000000000"
    api_base_url: str = ""
    tag: Mapping[str, Any] | None = None
    "What the order of a call that the bot has placed carries along."


class CallInfo:
    """What there is to tell of a call, as it stands."""

    def __init__(self, facts: CallFacts) -> None:
        self.facts = facts
        self.status: CallStatus = "trying"
        self.sip_status = 100
        self.termination: Literal["", "caller", "jambonz"] = ""
        self.duration: int | None = None
        "Seconds, once the call is over."
        self.customer_data = facts.tag

    def becomes(self, status: CallStatus, sip_status: int) -> None:
        """Note where the call stands."""
        self.status, self.sip_status = status, sip_status

    def told(self) -> dict[str, Any]:
        """Return what each hook is told."""
        facts = self.facts
        found: dict[str, Any] = {
            "call_sid": facts.call_sid,
            "direction": facts.direction,
            "from": facts.caller,
            "to": facts.called,
            "call_id": facts.call_id,
            "sbc_callid": f"sbc-{facts.call_id}",
            "sip_status": self.sip_status,
            "sip_reason": REASONS.get(self.sip_status, "Unknown"),
            "call_status": self.status,
            "account_sid": facts.account_sid,
            "trace_id": facts.trace_id,
            "application_sid": facts.application_sid,
            "fs_sip_address": "127.0.0.1:5060",
            "originating_sip_ip": "127.0.0.1",
            "originating_sip_trunk_name": "emulator",
        }
        if self.termination:
            found["call_termination_by"] = self.termination
        if self.duration is not None:
            found["duration"] = self.duration
        if self.customer_data is not None:
            found["customerData"] = self.customer_data
        if facts.api_base_url:
            found["api_base_url"] = facts.api_base_url
        return found

    def told_first(self) -> dict[str, Any]:
        """Return what the first hook is told."""
        facts = self.facts
        more: dict[str, Any] = {"defaults": DEFAULTS}
        if facts.direction == "inbound":
            more |= {"caller_name": facts.caller_name, "caller_id": facts.caller, "sip": self._invite()}
        return self.told() | more

    def told_stream(self) -> dict[str, Any]:
        """Return what the first frame of a stream is told, in names of another spelling."""
        return {_camel(name): value for name, value in self.told().items()}

    def _invite(self) -> dict[str, Any]:
        facts = self.facts
        return {
            "headers": {
                "From": f"<sip:{facts.caller}@127.0.0.1>;tag=emulator",
                "To": f"<sip:{facts.called}@127.0.0.1>",
                "Call-ID": facts.call_id,
                "CSeq": "1 INVITE",
            },
            "body": "",
            "method": "INVITE",
            "uri": f"sip:{facts.called}@127.0.0.1",
            "calledNumber": facts.called,
            "callingNumber": facts.caller,
            "type": "request",
            "source": "network",
            "source_address": "127.0.0.1",
            "source_port": "5060",
            "protocol": "udp",
            "payload": [],
        }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
