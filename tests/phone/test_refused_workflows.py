"""Nothing of an invalid workflow is done, and the bot is told so (protocol 2, 5, 8, 15)."""

from typing import Any

import pytest

from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import WorkflowRefused
from tests.phone.contract import valid
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, SAY, fake_bot, flow, ops
from tests.phone.people import call

END = flow(HANG_UP)


@pytest.mark.parametrize(
    "bad",
    [
        flow(MENU, SAY | {"prompts": []}),
        flow(ANSWER),  # the call is already answered
        flow({"operationId": "x", "action": "transfer"}),
        flow(MENU, MENU),
    ],
    ids=["a rule", "the call's state", "an unknown action", "twice"],
)
async def test_nothing_of_an_invalid_workflow_is_done(bad: dict[str, Any]) -> None:
    async with fake_bot(flow(ANSWER), bad, END) as bot:
        ended, person = await call(bot)
    refused = bot.outcomes[1]
    assert refused["type"] == "worfklowValidationOutcome"
    assert refused["outcome"] == "failure"
    assert refused["failureReason"]
    assert person.heard == []
    assert any(isinstance(event, WorkflowRefused) for event in person.events)
    assert ended.reason == "hangup"
    assert valid(bot)


TRANSFER = {"operationId": "x", "action": "transfer", "target": {"identity": "8:somebody", "originator": False}}


@pytest.mark.parametrize(
    ("bad", "op"),
    [
        (flow(ANSWER, SAY | {"prompts": []}), "hi"),
        (flow(ANSWER, ANSWER), "hi"),
        (flow(SAY), "say"),  # the call is not answered
        (flow(TRANSFER), "x"),  # protocol 15
        (flow(ANSWER, TRANSFER), "hi"),
        (flow(ANSWER | {"action": "Answer"}), "hi"),
        (flow({"action": "answer"}, SAY), "say"),
        (flow({"action": "answer"}), "none"),
        (flow({"operationId": " ", "action": "answer"}), "none"),
        (flow(), "none"),
        (flow() | {"actions": None}, "none"),
        (flow(ANSWER) | {"actions": [None, "hello", ANSWER]}, "hi"),
        (flow(ANSWER | {"acceptModalityTypes": "audio"}), "hi"),
        (flow(ANSWER, links={"notification": []}), "hi"),  # type: ignore[dict-item]  # that is what is wrong with it
        (flow(ANSWER, notificationSubscriptions="all"), "hi"),
    ],
)
async def test_an_invalid_workflow_is_reported_even_if_it_is_the_first(bad: dict[str, Any], op: str) -> None:
    async with fake_bot(bad | {"APPSTATE": "here"}, flow(ANSWER, HANG_UP)) as bot:
        ended, person = await call(bot)
    refused = bot.results[0]
    why = refused["operationOutcome"].pop("failureReason")
    assert why
    assert refused["operationOutcome"] == {"type": "worfklowValidationOutcome", "id": op, "outcome": "failure"}
    assert (refused["callState"], refused["appState"]) == ("establishing", "here")
    assert [event.problems for event in person.events if isinstance(event, WorkflowRefused)] == [tuple(why.split("; "))]
    assert person.heard == []
    assert ops(bot.outcomes[1:]) == ["bye"]
    assert ended.reason == "hangup"


@pytest.mark.parametrize("state", ["x" * 1025, ["x"]], ids=["too long", "not text"])
async def test_a_state_that_is_not_allowed_is_not_echoed(state: Any) -> None:
    async with fake_bot(flow(ANSWER, appState=state), flow(ANSWER, HANG_UP)) as bot:
        await call(bot)
    assert bot.outcomes[0]["type"] == "worfklowValidationOutcome"
    assert "appState" not in bot.results[0]
    assert valid(bot)


@pytest.mark.parametrize(
    "links",
    [None, {}, {"callback": None}, {"callback": ["x"]}, {"callback": "/c"}, {"callback": "http://192.0.2.1/c"}, "BASE"],
)
async def test_an_invalid_first_workflow_that_names_no_address_ends_the_call(links: Any) -> None:
    async with fake_bot(flow(TRANSFER) | {"links": links}) as bot:
        ended, _ = await call(bot)
    assert (ended.by, ended.reason) == ("platform", "refused")
    assert len(bot.told) == 1


async def test_an_unanswered_call_takes_an_answer_or_a_rejection_alone() -> None:
    async with fake_bot(flow(SAY), flow(ANSWER, HANG_UP)) as bot:
        await call(bot)
    assert [result["operationOutcome"]["type"] for result in bot.results] == [
        "worfklowValidationOutcome",
        "hangupOutcome",
    ]
    assert bot.results[0]["callState"] == "establishing"


async def test_a_first_answer_that_is_no_json_ends_the_call() -> None:
    async with fake_bot(b"<html>") as bot:
        ended, _ = await call(bot)
    assert (ended.by, ended.reason) == ("platform", "refused")


async def test_a_bot_that_only_ever_sends_nonsense_is_hung_up_on() -> None:
    async with fake_bot(flow(ANSWER), *([b"{}"] * 9)) as bot:
        ended, _ = await call(bot, limits=PhoneLimits(workflows=5))
    assert (ended.by, ended.reason) == ("platform", "workflows")
