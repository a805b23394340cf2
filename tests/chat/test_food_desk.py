"""The shipped flow with cards, in a chat: pictures side by side, whose buttons answer, and a receipt."""

from collections.abc import Mapping, Sequence
from typing import Any

from ivr.engine.commands import Notify, Remember, Request
from ivr.flowfile.load import load_flow
from ivr.ports import Leg
from tests.caller import Caller
from tests.chat.chat_activities import begun, heard, sent, spoken
from tests.chat.chat_flows import chatting, shown
from tests.trace.recorded_calls import ROOT

CARD = "application/vnd.microsoft.card."


class Guest:
    """Somebody who orders."""

    def __init__(self) -> None:
        self.caller = Caller(load_flow(ROOT / "flows" / "food-desk.yaml").served(), channel="chat")
        self.leg: Leg = begun()

    def sees(self) -> Sequence[Mapping[str, Any]]:
        """Return the messages that the flow writes now."""
        said = (one for one in self.caller.commands if not isinstance(one, Notify | Remember | Request))
        exchange = spoken(self.leg, *said)
        self.leg = exchange.leg
        return sent(exchange)

    def presses(self, button: Mapping[str, Any]) -> None:
        (event,) = heard(self.leg, text=button["value"])
        self.caller.apply(event)


def kinds(message: Mapping[str, Any]) -> list[str]:
    return [one["contentType"].removeprefix(CARD) for one in message["attachments"]]


def test_an_order_by_buttons() -> None:
    guest = Guest()
    (dishes,) = guest.sees()
    assert (dishes["text"], dishes["attachmentLayout"]) == ("Please select your food.", "carousel")
    assert kinds(dishes) == ["hero", "hero", "hero"]  # and no card of the menu's own: all choices have a button
    guest.presses(dishes["attachments"][1]["content"]["buttons"][0])
    (pieces,) = guest.sees()
    assert pieces["text"].startswith("How many pieces of vegetable tempura")
    guest.presses(pieces["attachments"][0]["content"]["buttons"][2])
    receipt, goodbye = guest.sees()
    assert receipt["text"] == "Thank you. 6 pieces of vegetable tempura will be ready in twenty minutes."
    assert receipt["attachments"][0]["content"]["items"] == [{"title": "vegetable tempura", "quantity": "6"}]
    assert goodbye["text"] == "Goodbye."


def test_an_order_by_telephone_hears_what_is_on_the_cards() -> None:
    caller = Caller(load_flow(ROOT / "flows" / "food-desk.yaml").served())
    caller.hears(
        "Please select your food. For sushi, press 1 or say sushi. For tempura, press 2 or say tempura. "
        "For tofu, press 3 or say tofu."
    )
    caller.chooses("tofu").hears("How many pieces of tofu would you like? Key a number from 1 to 9.").presses("2")
    caller.hears("Thank you. 2 pieces of tofu will be ready in twenty minutes. Goodbye.")


def test_what_is_put_into_a_card_is_no_link_and_no_tag_while_what_a_button_sends_stays() -> None:
    (message,) = shown(
        chatting("""
variables: {said: {type: text, default: "[x](http://evil.example) <b>1 < 2"}}
states:
  start:
    say:
      card: receipt
      title: "{{ said }}"
      text: Hi.
      facts: [{key: A, value: "{{ said }}"}]
      buttons: [{title: "{{ said }}"}]
    next: bye
  bye: {hangup: {}}
""")
    )
    content = message["attachments"][0]["content"]
    safe = "[x]\u2060(http://evil.example) <\u2060b>1 < 2"
    assert (content["title"], content["facts"]) == (safe, [{"key": "A", "value": safe}])
    assert content["buttons"] == [{"type": "imBack", "title": safe, "value": safe.replace("\u2060", "")}]


def test_what_one_channel_knows_is_sent_letter_by_letter_also_in_an_answer() -> None:
    data = '{"b": 1.10,  "a":[12345678901234567890, 1E5]}'
    caller = chatting(f"start: {{say: {{card: custom, text: Hi., channelData: '{data}'}}, next: bye}}")
    commands = [one for one in caller.commands if not isinstance(one, Notify | Remember | Request)]
    posted = [str(one.body) for one in spoken(begun(), *commands).outbound if one.kind == "written"]
    assert [f'"channelData":{data}' in body for body in posted] == [True]
    reply = spoken(begun(deliveryMode="expectReplies"), *commands).reply
    assert reply is not None
    assert f'"channelData":{data}'.encode() in reply.body
