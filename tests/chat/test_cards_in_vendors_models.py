"""Every card that we write is one for both models of the vendor, which lose nothing of it.

Written are the cards of the published exchanges, and any that the engine can make.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botbuilder.schema import Activity as BuilderActivity
from botbuilder.schema import HeroCard, ReceiptCard, SigninCard, ThumbnailCard
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_agents.activity import Activity as AgentsActivity
from microsoft_agents.activity import HeroCard as AgentsHeroCard
from microsoft_agents.activity import ReceiptCard as AgentsReceiptCard
from microsoft_agents.activity import SigninCard as AgentsSigninCard
from microsoft_agents.activity import ThumbnailCard as AgentsThumbnailCard

from ivr.carriers.botframework.connector import judged
from ivr.engine.commands import Card, Choice, Play, Recognize
from tests.channels.orders import SEGMENTS
from tests.chat.chat_activities import begun, sent, spoken
from tests.chat.chat_flows import chatting, shown
from tests.chat.published_flows import FLOWS

BUILDER = {"hero": HeroCard, "thumbnail": ThumbnailCard, "receipt": ReceiptCard, "signin": SigninCard}
AGENTS = {
    "hero": AgentsHeroCard,
    "thumbnail": AgentsThumbnailCard,
    "receipt": AgentsReceiptCard,
    "signin": AgentsSigninCard,
}
CARD = "application/vnd.microsoft.card."


def keeps(activity: Mapping[str, Any]) -> None:
    """Assert that both models read an activity, and write all of it."""
    builder = BuilderActivity().deserialize(activity).serialize()
    agents = AgentsActivity.model_validate(activity).model_dump(mode="json", by_alias=True, exclude_none=True)
    for written in (builder, agents):
        for name in ("type", "text", "textFormat", "attachmentLayout", "channelData"):
            assert written.get(name) == activity.get(name)
        for ours, theirs in zip(activity.get("attachments", ()), written.get("attachments", ()), strict=True):
            assert {name: theirs[name] for name in ours} == ours
    for attached in activity.get("attachments", ()):
        kind = attached["contentType"].removeprefix(CARD)
        if "content" in attached:
            assert BUILDER[kind]().deserialize(attached["content"]).serialize() == attached["content"]
            read = AGENTS[kind].model_validate(attached["content"])
            assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == attached["content"]


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_published_cards_lose_nothing(name: str) -> None:
    activities = shown(chatting(FLOWS[name]))
    assert activities
    for activity in activities:
        keeps(activity)


@given(SEGMENTS, st.booleans())
@settings(deadline=None)
def test_any_card_loses_nothing(segments: Any, asks: bool) -> None:
    choices = (Choice("sales", "1"), Choice("other", "2"))
    command = Recognize("1.1", segments, choices) if asks else Play("1.1", segments)
    exchange = spoken(begun(), command)
    shows = any(isinstance(segment, Card) for segment in segments)
    assert asks or not shows or exchange.outbound
    for activity in sent(exchange):
        json.dumps(activity).encode()
        keeps(activity)
        assert judged(activity, activity["conversation"]["id"], activity.get("replyToId")) == []
