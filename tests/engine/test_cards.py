"""Cards in a call: what is made of their templates, guards and lists (LANGUAGE C9)."""

from typing import Any

import msgspec
import pytest

from ivr.engine.card_making import cleaned, is_json
from ivr.engine.cards import Button, CardFace, Picture
from ivr.engine.commands import Card, Play, Recognize, Silence, Text, as_spoken
from ivr.engine.events import HttpAnswered
from tests.caller import Caller
from tests.flowfile.reading import flow, load, whole

ORDER = """
variables:
  name: {type: text, default: "Anna *"}
  where: {type: text, default: "javascript:alert(1)"}
  fee: {type: decimal, default: 16.25}
states:
  start:
    http:
      url: https://api.example/order
      returns:
        lines: [{title: text, price: decimal, gift?: boolean}]
        paid: boolean
      into: order
    next: told
    on: {error: bye}
  told:
    say: %s
    next: bye
"""
LINES = [{"title": "Sushi", "price": 16.25}, {"title": "Tea", "price": 2.5, "gift": True}]


def shown(part: str, lines: object = LINES, *, paid: bool = True) -> list[Card]:
    caller = Caller(load(whole(ORDER % part)).served())
    caller.apply(HttpAnswered(caller.job, 200, {"lines": lines, "paid": paid}))
    return [one for action in caller.commands if isinstance(action, Play) for one in action.prompt if type(one) is Card]


def face(part: str, **more: Any) -> dict[str, Any]:
    (card,) = shown(part, **more)
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(card.face))
    return made


def test_a_card_is_spoken_by_its_text_in_its_voice() -> None:
    (card,) = shown("{card: hero, title: Hello, text: 'Good morning, {{ name }}.', voice: female, emphasize: true}")
    said = Text("Good morning, Anna *.", "female", "en-US", emphasize=True)
    assert card.spoken == said
    assert as_spoken((Silence(5), card)) == (Silence(5), said)


def test_a_card_without_text_is_not_heard() -> None:
    assert as_spoken((Card(CardFace("hero", title="Hello"), "male", "en-US"), Silence(5))) == (Silence(5),)


def test_a_card_for_chats_alone_is_not_made_elsewhere() -> None:
    assert shown('{card: hero, title: Hello, guard: call.channel == "chat"}') == []


def test_what_comes_out_blank_is_not_there() -> None:
    hero = "{card: hero, text: Hello., subtitle: \"{{ name if not order.paid else '' }}\"}"
    assert face(hero) == {"kind": "hero", "text": "Hello."}
    assert face(hero, paid=False) == {"kind": "hero", "text": "Hello.", "subtitle": "Anna *"}
    assert shown("{card: hero, text: \"{{ '' }}\"}") == []


def test_a_list_has_a_row_for_each_item_and_guards_choose_among_them() -> None:
    receipt = """
        {card: receipt, title: Order, text: Your order., total: "{{ order.lines | length }}", items: [
            {foreach: order.lines, item: line, guard: not line.gift, title: "{{ line.title }}",
             price: "{{ line.price }}"},
            {title: Napkins, guard: order.paid, quantity: "2"}]}"""
    assert face(receipt)["items"] == [{"title": "Sushi", "price": "16.25"}, {"title": "Napkins", "quantity": "2"}]
    assert face(receipt, paid=False)["items"] == [{"title": "Sushi", "price": "16.25"}]


def test_facts_are_words_and_what_buttons_send_is_written_as_it_is() -> None:
    hero = """
        {card: receipt, title: Order, text: Order., facts: [{key: Payer, value: "  {{ name }}  "}],
         buttons: [{title: Pay, value: "pay  {{ fee }}"}]}"""
    made = face(hero)
    assert made["facts"] == [{"key": "Payer", "value": "Anna *"}]
    assert made["buttons"] == [{"title": "Pay", "value": "pay  16.25"}]


def test_a_button_sends_its_title_where_it_has_no_value() -> None:
    (card,) = shown("{card: hero, text: Ready?, buttons: [{title: 'Yes, please'}]}")
    assert [button.sends for button in card.face.buttons] == ["Yes, please"]


def test_of_a_message_back_the_text_is_sent_and_of_an_address_nothing() -> None:
    (card,) = shown("""
        {card: hero, text: Ready?, buttons: [{type: messageBack, title: A, value: B, text: C, displayText: D},
            {type: messageBack, title: A, value: B}, {type: openUrl, title: A, value: "https://x.example"}]}""")
    assert [button.sends for button in card.face.buttons] == ["C", "B", None]


@pytest.mark.parametrize(
    ("kind", "value", "is_there"),
    [
        ("openUrl", "{{ where }}", False),
        ("openUrl", "https://x.example/{{ name }}", True),
        ("call", "{{ where }}", False),
        ("call", "tel:+43123456", True),
        ("postBack", "{{ where }}", True),
    ],
)
def test_a_button_with_an_address_of_another_sort_is_left_out(kind: str, value: str, is_there: bool) -> None:
    button = f'{{type: {kind}, title: A, value: "{value}"}}'
    made = face(
        f'{{card: hero, text: Hello., tap: {button}, buttons: [{button}], images: [{{url: "{{{{ where }}}}"}}]}}'
    )
    assert ("buttons" in made, "tap" in made, "images" in made) == (is_there, is_there, False)


def test_pictures_have_words_and_a_press_on_them_counts() -> None:
    made = face("""
        {card: thumbnail, text: Hi., images: [{url: "https://x.example/a.png", alt: A fish, tap: {title: Sushi}}]}""")
    tap = {"title": "Sushi", "value": "Sushi"}
    assert made["images"] == [{"url": "https://x.example/a.png", "alt": "A fish", "tap": tap}]


def test_cards_stand_side_by_side_in_a_carousel() -> None:
    cards = shown("""
        [{carousel: [{foreach: order.lines, item: line, text: {card: hero, text: "{{ line.title }}."}},
                     {card: hero, text: Nothing else.}]}, {card: hero, text: Below.}]""")
    assert [(card.face.text, card.carousel) for card in cards] == [
        ("Sushi.", True),
        ("Tea.", True),
        ("Nothing else.", True),
        ("Below.", False),
    ]


def test_a_card_speaks_its_own_language() -> None:
    (card,) = shown("{card: image, url: 'https://x.example/a.png', text: 'Um {{ \"09:40\" | time }}', language: de-DE}")
    assert card.spoken == Text("Um 9 Uhr 40", "male", "de-DE")


def test_a_list_of_a_card_that_is_none_has_no_rows() -> None:
    part = "{card: receipt, title: Order, text: Order., items: [{foreach: order.lines, title: '{{ item.title }}'}]}"
    assert "items" not in face(part, lines=[])


def test_of_a_card_with_other_texts_what_comes_out_blank_is_left_out() -> None:
    fish = Picture("https://x.example/a.png", alt="A fish")
    face = CardFace("hero", text="Hi.", title="-", images=(fish,), buttons=(Button("-", "1"), Button("Yes", "2")))
    made = cleaned(face, str, lambda text: text.strip("-"))
    assert made == CardFace("hero", text="Hi.", images=(fish,), buttons=(Button("Yes", "2"),))


def test_json_that_is_none_once_something_is_put_in_is_left_out() -> None:
    part = '{card: custom, text: Hi., channelData: \'{"{{ fee }}": 1, "16.25": 2}\'}'
    assert face(part)["channelData"] == '{"16.25": 1, "16.25": 2}'
    assert [is_json(text) for text in ('{"a": 1', "1", "[]")] == [False, False, True]


def test_a_question_has_a_card_in_its_prompt() -> None:
    caller = Caller(
        flow("""
start:
  menu:
    prompt: [For sales press 1., {card: hero, text: Or press a button., buttons: [{title: Sales, value: sales}]}]
    choices: {sales: {dtmf: "1"}}
  next: bye
""")
    )
    (asked,) = (action for action in caller.commands if isinstance(action, Recognize))
    assert [type(segment) for segment in asked.prompt] == [Text, Card]
    assert [part.value for part in as_spoken(asked.prompt) if isinstance(part, Text)] == [
        "For sales press 1.",
        "Or press a button.",
    ]
