"""A small bot for jambonz, as somebody else would write it: answers by path, keeps what it got, takes streams."""

import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ivr.carriers.bot import BotFailed, BotReply, BotRequest
from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.caller_stream import Closed, StreamRefused, StreamRequest
from ivr.carriers.jambonz.hook_delivery import HookAccount
from ivr.carriers.jambonz.jambonz_carrier import JambonzCarrier
from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import CallerAction, Situation, TurnBased
from ivr.phone.phone_events import PhoneEvent

BASE = "http://bot.test"
SECRET = "a-webhook-secret"
AT = 1_795_168_800
Verbs = Sequence[Mapping[str, Any]]
Answer = Callable[[dict[str, Any]], Verbs | BotReply | BotFailed] | Verbs
SOUND = Sound(SilentRenderer(), Recorder(encodes=False))


def json_reply(verbs: object, status: int = 200) -> BotReply:
    return BotReply(status, "application/json", json.dumps(verbs).encode())


class SmallBot:
    """Answers each path with verbs, or with what a function makes of the payload."""

    def __init__(self, pages: Mapping[str, Answer], *, secret: str | None = SECRET, seconds: float = 3.0) -> None:
        self.pages = pages
        self.requests: list[BotRequest] = []
        self.streams: list[RecordedStream] = []
        self.secret = secret
        self.seconds = seconds
        "After which it ends a stream."

    @property
    def got(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one.url.removeprefix(BASE), json.loads(one.body)) for one in self.requests if one.body]

    def got_by(self, path: str) -> list[dict[str, Any]]:
        return [payload for url, payload in self.got if url == path]

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        self.requests.append(request)
        answer = self.pages.get(request.url.removeprefix(BASE), [])
        found = answer(json.loads(request.body or b"{}")) if callable(answer) else answer
        if isinstance(found, BotFailed):
            raise found
        return found if isinstance(found, BotReply) else json_reply(found)

    async def open(self, request: StreamRequest) -> "RecordedStream":
        if request.url.endswith("/nowhere"):
            raise StreamRefused("nobody listens there")
        self.streams.append(RecordedStream(request, self.seconds))
        return self.streams[-1]


class RecordedStream:
    """One stream, ended by the bot after a time."""

    def __init__(self, request: StreamRequest, seconds: float) -> None:
        self.request = request
        self.texts: list[dict[str, Any]] = []
        self.sound = b""
        self.closed = self.dropped = False
        self._seconds = seconds

    async def send(self, frame: bytes | str) -> Sequence[bytes | str | Closed]:
        if isinstance(frame, str):
            self.texts.append(json.loads(frame))
            return ()
        self.sound += frame
        return ['{"type":"disconnect"}'] if self.spoken_to >= self._seconds else ()

    @property
    def spoken_to(self) -> float:
        return len(self.sound) / 2 / self.texts[0]["sampleRate"]

    @property
    def loudness(self) -> list[int]:
        """Return the loudest sample of each second."""
        samples = array("h", self.sound)
        rate = self.texts[0]["sampleRate"]
        return [max(map(abs, samples[at : at + rate])) for at in range(0, len(samples), rate)]

    async def close(self) -> None:
        self.closed = True

    async def drop(self) -> None:
        self.dropped = True


class Person:
    """Does one thing after the other, each as soon as something listens and no prompt is heard."""

    def __init__(self, *acts: CallerAction | None, into_prompts: bool = False) -> None:
        self.events: list[PhoneEvent] = []
        self._acts = list(acts)
        self._into_prompts = into_prompts

    async def act(self, situation: Situation) -> CallerAction | None:
        ready = situation.listening is not None and (self._into_prompts or not situation.prompt)
        if (ready or situation.transfer) and self._acts:
            return self._acts.pop(0)
        return None

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)

    def seen(self, kind: type[PhoneEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def carrier_of(bot: SmallBot, *misdeeds: Misdeed, secret: str | None = SECRET, **options: Any) -> JambonzCarrier:
    return JambonzCarrier(
        bot,
        Application(f"{BASE}/call", f"{BASE}/status"),
        HookAccount(secret, options.pop("auth", None)),
        streams=bot,
        misbehaviour=Misbehaviour(frozenset(misdeeds), **options),
        clock=lambda: AT,
        new_id=lambda: "6f1e0b0e-0000-4000-8000-000000000001",
    )


def handset(person: Person) -> TurnBased:
    return TurnBased(person, SOUND)
