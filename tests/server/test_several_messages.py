"""A request of several messages: one that fails says nothing about the others, and nothing overtakes what failed."""

from collections.abc import Sequence
from typing import Any

import pytest

from ivr.errors import FlowError, IvrError, StoreUnavailable, WebhookError
from ivr.ports import CallKey, Incoming, WebhookReply, WebhookRequest
from ivr.server.arrivals import Arrivals
from ivr.server.webhook import Webhook
from ivr.store.memory.memory_media import MemoryMedia
from tests.server.harness import BODY, Doorkeeper

REQUEST = WebhookRequest("POST", "/several", {}, b"[]")


class Several:
    """A channel whose requests hold these messages."""

    def __init__(self, messages: Sequence[Incoming]) -> None:
        self._messages = messages

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        return self._messages


class TurnsThatFail:
    """Turns of which those of some messages fail."""

    def __init__(self, failing: dict[str, IvrError]) -> None:
        self._failing = failing
        self.taken: list[str] = []

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        if incoming.id in self._failing:
            raise self._failing[incoming.id]
        self.taken.append(incoming.id)
        return WebhookReply(201)

    async def named(self, media: str) -> bool:
        return False


def messages(*names: str) -> list[Incoming]:
    """Return messages: the first letter of each is its conversation's."""
    return [Incoming(CallKey("several", "", name[0]), name, None, wants="ack") for name in names]


async def answered(turns: TurnsThatFail, *names: str) -> WebhookReply:
    made: dict[str, Any] = {"channel": Several(messages(*names)), "verifier": Doorkeeper(), "turns": turns}
    webhook = Webhook(
        **made, store=turns, recordings=MemoryMedia({}), arrivals=Arrivals(), limits=BODY, now=lambda: 0.0
    )
    return await webhook._answer(REQUEST, None, 0.0)


@pytest.mark.parametrize("error", [WebhookError(404, "no-flow", "There is no such flow."), FlowError("damaged")])
async def test_the_others_are_taken_but_for_what_comes_after_it_in_its_conversation(error: IvrError) -> None:
    turns = TurnsThatFail({"a2": error})
    assert (await answered(turns, "a1", "a2", "b1", "a3", "b2")).status == 201
    assert turns.taken == ["a1", "b1", "b2"]


async def test_where_the_store_cannot_take_one_all_have_to_come_again() -> None:
    turns = TurnsThatFail({"a1": WebhookError(404, "no-flow", "There is none."), "b1": StoreUnavailable("full")})
    with pytest.raises(StoreUnavailable):
        await answered(turns, "a1", "b1", "c1")
    assert turns.taken == ["c1"]


async def test_where_none_was_taken_the_first_one_says_why() -> None:
    turns = TurnsThatFail({name: WebhookError(404, name, "There is none.") for name in ("a1", "b1")})
    with pytest.raises(WebhookError, match="There is none") as refused:
        await answered(turns, "a1", "b1")
    assert refused.value.code == "a1"
