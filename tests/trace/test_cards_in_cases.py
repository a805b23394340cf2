"""Cards in calls that were taken: on a telephone their words count, in a chat all that there is to see of them."""

import pytest
from msgspec.structs import replace

from ivr.engine.cards import Button, CardFace, Fact, ReceiptItem
from ivr.engine.commands import Card
from ivr.flowfile.load import load_text
from ivr.trace import sentences
from ivr.trace.case import Case
from ivr.trace.files import dumps, loads
from ivr.trace.flow_places import FlowPlaces
from ivr.trace.replay import replay
from ivr.trace.report import as_text, report
from tests.flows import flow_of
from tests.trace.recorded_calls import ROOT, random_call

DESK = """
flow: desk
initial: start
on: {exhausted: bye, error: bye}
states:
  start:
    say: {card: hero, title: Flight OS 123, text: It leaves at ten.}
    next: bye
  bye: {say: Goodbye., final: true}
"""
AS_TEXT = ("{card: hero, title: Flight OS 123, text: It leaves at ten.}", "It leaves at ten.")
OTHER_TITLE = ("title: Flight OS 123", "title: Flight OS 124")
OTHER_WORDS = ("at ten", "at noon")


def recorded(channel: str) -> Case:
    taken = random_call(flow_of(DESK), 1)
    return replace(taken, header=replace(taken.header, channel=channel))


@pytest.mark.parametrize(
    ("channel", "change", "verdict"),
    [
        ("skype", ("", ""), "same"),
        ("skype", OTHER_TITLE, "same"),
        ("skype", AS_TEXT, "same"),
        ("skype", OTHER_WORDS, "changed"),
        ("chat", ("", ""), "same"),
        ("chat", OTHER_TITLE, "changed"),
        ("chat", AS_TEXT, "changed"),
        ("chat", OTHER_WORDS, "changed"),
    ],
)
def test_who_notices_an_edited_card(channel: str, change: tuple[str, str], verdict: str) -> None:
    assert replay(recorded(channel), flow_of(DESK.replace(*change))).verdict == verdict


def test_a_case_keeps_the_whole_card() -> None:
    taken = recorded("chat")
    assert loads(dumps(taken), "a case") == taken


def test_a_report_names_the_line_of_the_card() -> None:
    text = DESK.replace(*OTHER_WORDS)
    places = FlowPlaces("desk.yaml", text.encode())
    flow = load_text(text.encode(), file="desk.yaml", folder=ROOT).served()
    taken = recorded("chat")
    assert "desk.yaml:7:51\n" in as_text(report("a case", taken, replay(taken, flow), places, None))


@pytest.mark.parametrize(
    ("face", "words"),
    [
        (CardFace("image", url="https://x.example/a.png", name="a.png", text="A fish."), "(image: A fish., a.png)"),
        (CardFace("image", url="https://x.example/a.png"), "(image: https://x.example/a.png)"),
        (CardFace("hero"), "(hero)"),
        (
            CardFace("hero", title="Sushi", subtitle="Fresh.", buttons=(Button("More", "3"), Button("Less", "1"))),
            "(hero: Sushi, Fresh., [More], [Less])",
        ),
        (
            CardFace(
                "receipt",
                title="Order",
                facts=(Fact("Payer", "Anna"),),
                items=(ReceiptItem("Sushi", price="16.25", quantity="1"),),
                total="16.25",
                vat="2.71",
            ),
            "(receipt: Order, Payer: Anna, 1 Sushi 16.25, total 16.25, VAT 2.71)",
        ),
    ],
)
def test_a_card_in_words(face: CardFace, words: str) -> None:
    assert sentences.spoken([Card(face, "male", "en-US")]) == words
