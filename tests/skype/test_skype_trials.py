"""Who tries a flow out says what time it is to be; to a server that takes real calls nobody says it."""

import pytest

from ivr.channels.skype import SkypeChannel
from ivr.engine.events import CallReceived
from ivr.errors import WebhookError
from ivr.ports import Leg
from tests.skype.skype_line import CALLBACK, CHANNEL, call_state_change, conversation, request, result

TRIAL = SkypeChannel(account="app-1", callback=CALLBACK, media_base="https://ivr.example/media/", pretends=True)


def at(channel: SkypeChannel, text: str) -> str | None:
    (incoming,) = channel.decode(request(conversation(), headers={"x-ivr-pretended-time": text}))
    (event,) = channel.hear(Leg(), incoming, now=0.0).events
    assert isinstance(event, CallReceived)
    return event.at


def test_the_first_message_names_the_time() -> None:
    assert at(TRIAL, "2026-12-24 18:00") == "2026-12-24 18:00"


def test_a_server_that_takes_real_calls_does_not_listen_to_it() -> None:
    assert at(CHANNEL, "2026-12-24 18:00") is None
    assert at(CHANNEL, "nonsense") is None


@pytest.mark.parametrize("text", ["", "tomorrow", "9999-12-31", "10:00\x00", "１０:００", "10:00" * 2000])
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(WebhookError, match="x-ivr-pretended-time: ") as error:
        at(TRIAL, text)
    assert error.value.status == 400


@pytest.mark.parametrize("message", [result("answerOutcome"), call_state_change("terminated")])
def test_later_messages_name_none(message: object) -> None:
    (incoming,) = TRIAL.decode(request(message, headers={"x-ivr-pretended-time": "nonsense"}))
    assert TRIAL.hear(Leg(), incoming, now=0.0).events
