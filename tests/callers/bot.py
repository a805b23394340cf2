"""The server's side of one call without a server: the real channel and the real `advance`, on one immutable record.

Since a record is data, a test can keep it and let the same call go on in several ways.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ivr.advance import Heard, advance
from ivr.call_record import CallRecord, Commit, Stepped
from ivr.channels.skype.codec import SkypeChannel
from ivr.engine.call import Facts, new_call
from ivr.engine.commands import FETCH
from ivr.engine.events import (
    CallEnded,
    Event,
    HttpAnswered,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    Transcribed,
)
from ivr.engine.flow import Flow
from ivr.engine.web_orders import HTTP
from ivr.ports import CallKey, Incoming, Upload, WebhookRequest
from tests.callers.platform import Report

CHANNEL = SkypeChannel(account="app", callback="https://bot.example/callback", media_base="https://bot.example/media")
SERVED = {
    "slots": [{"id": str(hour), "day": "2026-12-01", "time": f"{hour:02}:00"} for hour in range(8, 13)],
    "reference": "A7",
    "state": "paid",
    "total": 12.5,
    "day": None,
}
"What web services answer: all that any shipped flow looks for."
IDLE = 600.0
GRACE = 60.0


class Bot(Struct, frozen=True):
    """One call at one moment."""

    flow: Flow
    record: CallRecord
    now: float = 1_795_168_800.0
    trace: tuple[Stepped, ...] = ()
    messages: int = 0
    later: bool = False
    "The line tells of recordings before their audio can be had."

    @property
    def workflow(self) -> dict[str, Any] | None:
        """What the platform was told last; None: nothing follows."""
        last = self.record.last
        return json.loads(last.body) if last and last.body else None

    @property
    def over(self) -> bool:
        return self.record.call.phase == "over"

    def post(self, report: Report, random: Random | None = None) -> Bot:
        """Take a message; if the call then waits for a service, that answers, fails, or lets the caller hold."""
        messages = self.messages + 1
        headers = {"x-microsoft-skype-message-id": f"m{messages}", "content-type": "application/json"}
        uploads = {"recordedAudio": Upload(f"{messages}.wma", 8000, "audio/x-ms-wma")} if report.audio else {}
        decoded = CHANNEL.decode(WebhookRequest("POST", "/callback", headers, report.body, uploads))
        assert not hasattr(decoded, "status")
        (incoming,) = decoded
        assert isinstance(incoming, Incoming)
        exchange = CHANNEL.hear(self.record.leg, incoming, now=self.now)
        if self.later:
            exchange = replace(exchange, events=tuple(map(announced, exchange.events)))
        heard = Heard(incoming, exchange)
        after = self._with(self._advance(heard=heard), messages)
        while after.record.replies[incoming.id] is None:
            inbox = after._service(random) if random is None or random.random() < 0.8 else ()
            after = after._with(after._advance(inbox=inbox, answers=incoming.id), messages)
        return after

    def settle(self, random: Random | None = None) -> Bot:
        """Let the service answer where nobody is on the line any more, or no recording come in."""
        after = self
        while after.record.call.phase == "gone":
            if after.record.call.waiting is None:
                after = replace(after, now=after.now + GRACE)
                after = after._with(after._advance(), after.messages)
                continue
            after = after._with(after._advance(inbox=after._service(random)), after.messages)
        return after

    def forget(self) -> Bot:
        """Let the platform fall silent: idle time and deadlines alone end the call."""
        after = self._with(self._advance(events=(CallEnded("system"),)), self.messages)
        while not after.over:
            after = replace(after, now=after.now + 1000)
            after = after._with(after._advance(), after.messages)
        return after

    def _advance(self, **what: Any) -> Commit:
        return advance(self.flow, CHANNEL, self.record, now=self.now, idle=IDLE, grace=GRACE, **what)

    def _service(self, random: Random | None) -> tuple[Event, ...]:
        waiting = self.record.call.waiting
        assert waiting is not None
        if random is not None and random.random() < 0.3:
            return (ServiceFailed(waiting.job, random.choice(["failed", "timeout", "recording", "odd"])),)
        if waiting.service == FETCH:
            return (
                RecordingReady(
                    waiting.job, f"{self.messages}.wav", 0.0 if random is None else random.choice([0.0, 4.5])
                ),
            )
        if waiting.service == HTTP:
            status = 200 if random is None else random.choice([200, 201, 404, 409, 500])
            return (HttpAnswered(waiting.job, status, SERVED),)
        return (ServiceAnswered(waiting.job, Transcribed("cancel my flight", 0.8)),)

    def _with(self, commit: Commit, messages: int) -> Bot:
        return Bot(self.flow, commit.record, self.now + 3, self.trace + commit.trace, messages, self.later)


def announced(event: Event) -> Event:
    return replace(event, media=None) if isinstance(event, RecordingMade) else event


def dial(flow: Flow, call: str = "call-1", *, later: bool = False) -> Bot:
    """Return a call that nobody has heard of."""

    facts = Facts(id="0" * 32, channel="skype")
    return Bot(flow, CallRecord("0" * 32, CallKey("skype", "app", call), new_call(flow.hash, facts)), later=later)
