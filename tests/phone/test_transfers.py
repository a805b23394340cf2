"""A bot that has its caller connected with somebody else (protocol 23): only if offered, and only as allowed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Transfer
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.phone_events import Ended, StateChanged, TransferBegan, WorkflowRefused
from ivr.phone.platform import Target, platform
from ivr.phone.session import ConnectCaller, Session
from ivr.phone.wire.transfer_targets import is_target, may_transfer
from ivr.phone.wire.workflow import RunnableWorkflow, read_workflow
from tests.phone.contract import valid
from tests.phone.fake_bot import ANSWER, HANG_UP, SAY, FakeBot, fake_bot, flow
from tests.phone.people import QUICK, QUIET, Person

SALES = "sip:sales@pbx.example"
ALLOWED = ("sip:*@pbx.example",)
TRANSFER = {"operationId": "go", "action": "transfer", "target": SALES}


async def call(bot: FakeBot, *actions: Any, transfers: Sequence[str] = ALLOWED) -> tuple[Ended, Person]:
    person = Person(list(actions))
    async with platform(Target(bot.call, limits=QUICK, transfers=tuple(transfers))) as phone:
        return await phone.place(TurnBased(person, QUIET)), person


async def live_call(bot: FakeBot, connect: ConnectCaller) -> tuple[Session, Ended]:
    async with platform(Target(bot.call, limits=QUICK, transfers=ALLOWED)) as phone:
        session = Session(phone, QUIET, connect=connect)
        session.dial()
        return session, await session.ended()


def outcome(bot: FakeBot) -> dict[str, Any]:
    return bot.outcomes[-1]


# --- what a bot sees -------------------------------------------------------------------------------------------------


async def test_it_is_offered_when_a_call_is_announced() -> None:
    async with fake_bot(b"") as bot:
        await call(bot)
    assert bot.told[0].json["ivr"] == {"transfer": True}


async def test_after_a_transfer_the_call_is_over_for_the_bot() -> None:
    async with fake_bot(flow(ANSWER, SAY, TRANSFER), flow(SAY)) as bot:
        ended, person = await call(bot)
    assert (ended.by, ended.reason) == ("bot", "transfer")
    assert person.heard == ["Hello."]
    assert TransferBegan("go", SALES) in person.events
    assert bot.results[-1]["callState"] == "terminated"
    assert outcome(bot) == {"type": "transferOutcome", "id": "go", "outcome": "success"}
    assert len(bot.told) == 2
    assert valid(bot, transfer=True)


async def test_a_call_that_is_not_answered_can_be_sent_elsewhere() -> None:
    async with fake_bot(flow(TRANSFER)) as bot:
        ended, person = await call(bot)
    assert (ended.by, ended.reason) == ("bot", "transfer")
    assert StateChanged("established") not in person.events
    assert bot.results[-1]["callState"] == "terminated"


@pytest.mark.parametrize("target", ["sip:sales@elsewhere.example", "tel:+900555", "sip:a@pbx.example;x=y"])
async def test_an_address_that_is_not_allowed_is_never_called_and_the_caller_stays(target: str) -> None:
    async with fake_bot(flow(ANSWER, TRANSFER | {"target": target}), flow(HANG_UP)) as bot:
        ended, person = await call(bot)
    refused = bot.outcomes[0]
    assert (refused["type"], refused["outcome"], refused["status"]) == ("transferOutcome", "failure", 403)
    assert refused["failureReason"] == "calls may not be transferred to this address"
    assert bot.results[0]["callState"] == "established"
    assert not any(isinstance(event, TransferBegan) for event in person.events)
    assert (ended.by, ended.reason) == ("bot", "hangup")
    assert valid(bot, transfer=True)


async def test_where_it_is_not_offered_it_is_an_action_that_does_not_exist() -> None:
    async with fake_bot(flow(ANSWER, TRANSFER), flow(ANSWER, HANG_UP)) as bot:
        ended, person = await call(bot, transfers=())
    assert bot.outcomes[0]["type"] == "worfklowValidationOutcome"
    assert [event.problems for event in person.events if isinstance(event, WorkflowRefused)] == [
        ("actions[1].action: must be answer or reject or hangup or playPrompt or recognize or record",)
    ]
    assert "ivr" not in bot.told[0].json
    assert ended.reason == "hangup"


async def test_what_was_offered_in_one_call_is_not_in_the_next() -> None:
    workflow = json.dumps(flow(ANSWER, TRANSFER, links={"callback": "https://bot.example/callback"})).encode()
    found = [read_workflow(workflow, transfer=offered) for offered in (True, False, True)]
    assert [isinstance(one, RunnableWorkflow) for one in found] == [True, False, True]


@pytest.mark.parametrize("actions", [(TRANSFER, HANG_UP), (TRANSFER, SAY), (TRANSFER, TRANSFER)])
async def test_nothing_can_follow_it(actions: tuple[dict[str, Any], ...]) -> None:
    async with fake_bot(flow(ANSWER), flow(*actions), flow(HANG_UP)) as bot:
        await call(bot)
    assert bot.outcomes[1]["type"] == "worfklowValidationOutcome"


# --- a live call -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202])
async def test_who_carries_the_call_connects_its_caller(status: int) -> None:
    asked: list[Transfer] = []

    async def connect(command: Transfer) -> int:
        asked.append(command)
        return status

    async with fake_bot(flow(ANSWER, TRANSFER)) as bot:
        _, ended = await live_call(bot, connect)
    assert [command.target for command in asked] == [SALES]
    assert (ended.by, ended.reason) == ("bot", "transfer")


async def test_a_transfer_that_fails_is_told_with_its_status() -> None:
    async def busy(_: Transfer) -> int:
        return 486

    async with fake_bot(flow(ANSWER, TRANSFER), flow(HANG_UP)) as bot:
        _, ended = await live_call(bot, busy)
    assert bot.outcomes[0] == {
        "type": "transferOutcome",
        "id": "go",
        "outcome": "failure",
        "failureReason": "the other side answered 486",
        "status": 486,
    }
    assert ended.reason == "hangup"


async def test_a_caller_who_leaves_meanwhile_ends_the_attempt() -> None:
    cancelled = asyncio.Event()
    session: Session

    async def ring(_: Transfer) -> int:
        session.hang_up()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return 200

    async with fake_bot(flow(ANSWER, TRANSFER)) as bot:
        async with platform(Target(bot.call, limits=QUICK, transfers=ALLOWED)) as phone:
            session = Session(phone, QUIET, connect=ring)
            session.dial()
            ended = await session.ended()
        assert (ended.by, ended.reason) == ("caller", "left")
        await cancelled.wait()
    assert outcome(bot)["failureReason"] == "CallTerminated"
    assert bot.results[-1]["callState"] == "terminated"


# --- which addresses are allowed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "patterns"),
    [
        (SALES, ("sip:sales@pbx.example",)),
        (SALES, ("tel:+49*", "sip:*@pbx.example")),
        ("sip:+49.30-1_2@pbx.example", ALLOWED),
        ("tel:+4930123456", ("tel:+4930*",)),
        ("tel:+4930", ("tel:+4930*",)),
        ("sip:12@10.0.0.5:5070", ("sip:*@10.0.0.5:5070",)),
        ("sip:12@pbx.example;transport=tcp", ("sip:*@pbx.example;transport=tcp",)),
    ],
)
def test_an_address_is_allowed_that_a_pattern_matches(target: str, patterns: Sequence[str]) -> None:
    assert may_transfer(target, patterns)


@pytest.mark.parametrize(
    ("target", "pattern"),
    [
        (SALES, "sip:support@pbx.example"),
        (SALES, "sip:*@pbx"),
        (SALES, "*"),
        (SALES, "sip:*"),
        (SALES, "sips:*@pbx.example"),
        ("sip:x@evil.example;y=@pbx.example", "sip:*@pbx.example"),
        ("sip:x@evil.example?y=@pbx.example", "sip:*@pbx.example"),
        ("sip:x:y@pbx.example", "sip:*@pbx.example"),
        ("sip:x%40evil.example@pbx.example", "sip:*@pbx.example"),
        ("sip:*21*0900#@pbx.example", "sip:*@pbx.example"),
        ("sip:x@pbx.example:5061", "sip:*@pbx.example"),
        ("sip:x@pbx.example;maddr=192.0.2.1", "sip:*@pbx.example"),
        ("sip:x@pbx.example.evil.example", "sip:*@pbx.example"),
        ("sip:x@pbxyexample", "sip:*@pbx.example"),
        ("sip:x@pbx.example\n", "sip:*@pbx.example"),
        ("tel:+49301", "tel:+4930"),
        ("tel:4930", "tel:+4930*"),
        ("mailto:a@b.example", "mailto:*@b.example"),
        ("sip:" + "1" * 300 + "@pbx.example", "sip:*@pbx.example"),
        (SALES, ""),
    ],
)
def test_an_address_is_not_allowed_that_no_pattern_matches_whole(target: str, pattern: str) -> None:
    assert not may_transfer(target, (pattern,))


def test_nothing_is_allowed_without_a_pattern() -> None:
    assert not may_transfer(SALES, ())


@given(st.text(max_size=40))
def test_what_is_allowed_stays_at_the_host_of_the_pattern(user: str) -> None:
    target = f"sip:{user}@pbx.example"
    if may_transfer(target, ALLOWED):
        assert is_target(target)
        assert not set(user) & set('@:;?%*#/<>" \r\n')
