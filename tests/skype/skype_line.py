"""The platform's side of the native wire, for tests: messages as it would send them, and what we make of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr.channels.skype import SkypeChannel
from ivr.engine.events import Event
from ivr.ports import Incoming, Leg, Upload, WebhookRequest

EXAMPLES = Path(__file__).parent / "wire"
CALLBACK = "https://ivr.example/callback"
AUDIO = Upload(media="f00d.wma", size=8192, content_type="audio/x-ms-wma")
CHANNEL = SkypeChannel(account="app-1", callback=CALLBACK, media_base="https://ivr.example/media/")


def example(name: str) -> Any:
    """Return one of the published examples."""
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def conversation(**members: Any) -> dict[str, Any]:
    """Make a call that comes in."""
    return {
        "id": "call-1",
        "participants": [
            {"identity": "29:caller", "languageId": "en-US", "originator": True},
            {"identity": "28:bot", "originator": False},
        ],
        "isMultiparty": False,
        "presentedModalityTypes": ["audio"],
        "callState": "incoming",
        **members,
    }


def result(
    kind: str, *, outcome: str | int = "success", op: str = "3.2", state: str = "established", **more: Any
) -> Any:
    """Make a report about operation `op`."""
    return {
        "id": "call-1",
        "operationOutcome": {"type": kind, "id": op, "outcome": outcome, **more},
        "callState": state,
    }


def choice(reason: str, name: str | None = None, **more: Any) -> Any:
    """Make a report about a question with choices; a success if it has a name."""
    part = {"completionReason": reason} | ({} if name is None else {"choiceName": name})
    outcome = "failure" if name is None else "success"
    return result("recognizeOutcome", **{"outcome": outcome, **more}, choiceOutcome=part)


def digits(reason: str, keys: object = None, **more: Any) -> Any:
    """Make a report about collected digits; a success if it has keys."""
    part = {"completionReason": reason} | ({} if keys is None else {"digits": keys})
    outcome = "failure" if keys is None else "success"
    return result("recognizeOutcome", **{"outcome": outcome, **more}, collectDigitsOutcome=part)


def recording(reason: str, seconds: float = 2.5, **more: Any) -> Any:
    """Make a report about a recording."""
    return result("recordOutcome", **more, completionReason=reason, lengthOfRecordingInSecs=seconds, format="wma")


def call_state_change(state: str, **members: Any) -> dict[str, Any]:
    """Make a notification about the call."""
    return {"id": "call-1", "type": "callStateChange", "currentState": state, "stateChangeCode": "0", **members}


def roster_update() -> dict[str, Any]:
    """Make a notification about who is there."""
    entry = {"identity": "29:caller", "mediaType": "audio", "mediaStreamDirection": "SendReceive"}
    return {"id": "call-1", "type": "rosterUpdate", "participants": [entry]}


def request(message: Any, audio: Upload | None = None, headers: Mapping[str, str] | None = None) -> WebhookRequest:
    """Post a message; bytes as they are, all else as JSON."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    headers = {"x-microsoft-skype-message-id": "m-1"} if headers is None else headers
    return WebhookRequest("POST", "/callback", headers, body, {} if audio is None else {"recordedAudio": audio})


def decoded(message: Any, audio: Upload | None = None, headers: Mapping[str, str] | None = None) -> Incoming:
    """Read the one message of a request."""
    (incoming,) = CHANNEL.decode(request(message, audio, headers))
    return incoming


def heard(message: Any, audio: Upload | None = None) -> tuple[Event, ...]:
    """Return what our channel makes of a message."""
    exchange = CHANNEL.hear(Leg(), decoded(message, audio), now=0.0)
    assert (exchange.leg, exchange.reply, exchange.outbound, exchange.wake) == (Leg(), None, (), None)
    return exchange.events
