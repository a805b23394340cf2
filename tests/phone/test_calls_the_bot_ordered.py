"""Calls that the bot has ordered (protocol 26): what the platform tells of them, and how it holds an answered one."""

from __future__ import annotations

import asyncio
from typing import Any

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.engine.line_facts import LineFacts
from ivr.phone.callers.turn_based import CallerAction, Press, TurnBased
from ivr.phone.order_news import OrderNews
from ivr.phone.phone_events import Dialled, Ended, PhoneEvent, Replied, Sent, StateChanged, WorkflowRefused
from ivr.phone.placed_call import Caller
from ivr.phone.platform import Platform, Target, platform
from tests.phone.contract import valid
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, SAY, FakeBot, Later, fake_bot, flow
from tests.phone.people import QUICK, QUIET, Person

ID = "0123456789abcdef0123456789abcdef"
LINE = LineFacts(kind="sip", trunk="192.0.2.7:5060", transport="udp")
BUSY = LineFacts(kind="sip", status=486, ended="Busy Here")
CALLED = Caller("+436601234567", "+4315550100", None)


async def held(bot: FakeBot, *actions: CallerAction | None) -> tuple[Ended, Person]:
    person = Person(list(actions))
    async with platform(Target(bot.call, "the-app", limits=QUICK, transfers=("sip:*@pbx.example",))) as phone:
        return await phone.holding(ID).place(TurnBased(person, QUIET), who=CALLED, line=lambda: LINE), person


def members(told: Any, *names: str) -> list[Any]:
    return [told.json.get(name) for name in names]


async def test_an_answered_call_begins_with_an_established_conversation_under_the_bots_own_id() -> None:
    async with fake_bot(flow(SAY), flow(HANG_UP)) as bot:
        ended, person = await held(bot)
    first = bot.told[0]
    assert (first.path, first.headers["Authorization"][:7]) == ("/call", "Bearer ")
    assert first.json == {
        "id": ID,
        "participants": [
            {"identity": "+436601234567", "originator": False},
            {"identity": "+4315550100", "originator": True},
        ],
        "isMultiparty": False,
        "presentedModalityTypes": ["audio"],
        "callState": "established",
        "ivr": {"kind": "sip", "trunk": "192.0.2.7:5060", "transport": "udp", "transfer": True},
    }
    assert valid(bot, transfer=True)
    assert [members(told, "id", "callState") for told in bot.told[1:]] == [[ID, "established"], [ID, "terminated"]]
    assert ended == Ended("bot", "hangup")
    begun = [event for event in person.events if isinstance(event, Dialled | StateChanged)]
    assert begun == [Dialled(ID, bot.call), StateChanged("established"), StateChanged("terminated")]


async def test_nobody_answers_a_call_twice() -> None:
    async with fake_bot(flow(ANSWER, MENU), flow(MENU), flow(HANG_UP)) as bot:
        ended, person = await held(bot, Press("1"))
    assert bot.outcomes[0]["type"] == "worfklowValidationOutcome"
    assert bot.outcomes[0]["failureReason"] == "actions: the call is already answered"
    assert [event.problems for event in person.events if isinstance(event, WorkflowRefused)]
    assert ended == Ended("bot", "hangup")


async def test_a_bot_that_does_not_know_the_call_is_hung_up_on() -> None:
    async with fake_bot(404) as bot:
        ended, _ = await held(bot)
    assert (ended.by, ended.reason) == ("platform", "refused")
    assert len(bot.told) == 1


async def test_of_a_held_call_an_answered_line_tells_no_status() -> None:
    async with fake_bot(flow(HANG_UP)) as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        await phone.holding(ID).place(TurnBased(Person([]), QUIET), who=CALLED, line=lambda: BUSY)
    assert bot.told[0].json["ivr"] == {"kind": "sip"}


# --- until somebody answers -------------------------------------------------------------------------------------------


def news(phone: Platform, tell: Any = lambda _: None) -> OrderNews:
    return phone.news_of(ID, tell=tell)


async def test_ringing_is_told_once_and_beside_the_call() -> None:
    async with fake_bot(b"") as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        told = news(phone)
        told.ringing()
        told.ringing()
        await bot.was_told(1)
        await told.close()
    assert [(one.path, one.json) for one in bot.told] == [
        ("/call", {"id": ID, "type": "callStateChange", "currentState": "establishing"})
    ]


async def test_that_nobody_answered_is_told_with_the_status_and_after_the_ringing() -> None:
    slow = Later(b"")
    async with fake_bot(slow, b"") as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        told = news(phone)
        told.ringing()
        await bot.was_told(1)
        end = asyncio.create_task(told.not_answered(BUSY))
        slow.go.set()
        assert await end
        await told.close()
    assert bot.told[1].json == {
        "id": ID,
        "type": "callStateChange",
        "currentState": "terminated",
        "stateChangeCode": "0",
        "ivr": {"kind": "sip", "ended": "Busy Here", "status": 486},
    }


async def test_a_bot_that_fails_is_told_again_with_the_same_id_and_a_token() -> None:
    seen: list[PhoneEvent] = []
    async with fake_bot(500, 503, b"") as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        assert await news(phone, seen.append).not_answered(BUSY)
    ids = {told.headers[MESSAGE_ID] for told in bot.told}
    assert len(bot.told) == 3
    assert len(ids) == 1
    assert all(told.headers["Authorization"].startswith("Bearer ") for told in bot.told)
    assert [type(event) for event in seen] == [Sent, Replied] * 3


async def test_a_bot_that_does_not_take_it_changes_nothing() -> None:
    async with fake_bot(404) as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        assert not await news(phone).not_answered(BUSY)


async def test_what_is_on_its_way_can_be_let_go() -> None:
    async with fake_bot(None) as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        told = news(phone)
        await told.close()
        told.ringing()
        await bot.was_told(1)
        await told.close()
