"""Whatever callers do and bots say: each message obeys the contract, and each call ends."""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec
import pytest

from ivr.channels.skype import wire
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import Identity
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import NoReply, Reply, WebPost
from ivr.phone.platform import Platform, Target
from tests.phone.fake_bot import ANSWER, DIGITS, HANG_UP, MENU, RECORD, SAY, Told, flow
from tests.phone.people import QUIET, Person, any_caller_action
from tests.skype.wire_rules import refusals

IDENTITY = Identity("the-app")
BASE = "http://127.0.0.1:1"


def any_reply(random: Random) -> bytes:
    """Return something: mostly a workflow that can be run, at times one that cannot, or something else."""
    if random.random() < 0.1:
        return random.choice([b"", b"null", b"[1]", b"<html>", b'{"actions": []}', b'{"actions": [null]}', b"\xff"])
    record = RECORD | {
        "maxDurationInSeconds": random.choice([2, 5.5, 600]),
        "maxSilenceTimeoutInSeconds": random.choice([0, 2, 30]),
        "playBeep": random.random() < 0.5,
        "stopTones": ["#", "*"],
    }
    menu = MENU | {"bargeInAllowed": random.random() < 0.5, "interdigitTimeoutInSeconds": random.choice([1, 5])}
    actions: list[Any] = random.sample([SAY, menu, DIGITS, record], k=random.randint(1, 3))
    actions = [*([ANSWER] if random.random() < 0.3 else []), *actions, *([HANG_UP] if random.random() < 0.1 else [])]
    text = msgspec.json.encode(flow(*actions, state=random.choice([None, "here"])))
    return text.replace(b"BASE", BASE.encode())


class AnyBot:
    """A bot that says anything, and holds every message against the rules."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.told: list[dict[str, Any]] = []

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        assert url in {f"{BASE}/call", f"{BASE}/callback"}
        message = Told(url, headers, data).json
        announced = "participants" in message
        shape = wire.Conversation if announced else wire.ConversationResult
        assert refusals(shape, message) == ()
        self.told.append(message)
        if self.random.random() < 0.05:
            raise NoReply(self.random.choice(["timeout", "connect", "too-large"]))
        if announced:
            return Reply(200, msgspec.json.encode(flow(ANSWER)).replace(b"BASE", BASE.encode()), 0.0)
        status = self.random.choice([200] * 20 + [202, 400, 500])
        return Reply(status, any_reply(self.random), 0.0)


@pytest.mark.parametrize("seed", range(60))
async def test_every_call_ends_and_every_message_is_valid(seed: int) -> None:
    random = Random(seed)
    bot, web = AnyBot(random), WebPost(Guard())
    limits = PhoneLimits(workflows=20, retry_after=0.0, call_length=900.0)
    phone = Platform(Target(f"{BASE}/call", limits=limits), bot, IDENTITY, metadata="", files=web)
    person = Person([any_caller_action(random) for _ in range(60)])
    try:
        ended = await phone.place(TurnBased(person, QUIET))
    finally:
        await web.close()
    assert person.events[-1] == ended
    over = [told for told in bot.told if told["callState"] == "terminated"]
    assert all(told is bot.told[-1] or told["operationOutcome"] == bot.told[-1]["operationOutcome"] for told in over)
    assert len(bot.told) <= 3 * (limits.workflows + 2)
