"""What is said is never longer than a document may be: it goes on in the next one, and nothing is left out."""

import asyncio
from collections.abc import Iterator
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from ivr.carriers.bot import BotReply
from ivr.carriers.twiml.dialects import reading_of
from ivr.carriers.twiml.twiml_document import Document
from ivr.carriers.twiml.twiml_profile import PROFILES as PLAYED
from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml import PROFILES, TwimlChannel
from ivr.engine.commands import Audio, Choice, HangUp, LineCommand, Play, Recognize, Record, Request, Text
from ivr.engine.events import ChoiceMade, Event, InputTimedOut, ServiceFailed
from ivr.phone.callers.turn_based import Press
from ivr.ports import WebhookReply
from tests.channels.orders import batches
from tests.flows import flow_of
from tests.lines.twiml_lines import TwimlLine
from tests.lines.visit import Answering, Question, Visit
from tests.twiml.twiml_line import ACCOUNT, PUBLIC, Line, document, query, verb

HEARD = ("Say", "Speak", "Play", "Pause", "Wait")
LONG = tuple(Text(f"Sentence {number}. " + "Wörter & mehr " * 40, "female", "en-US") for number in range(160))
MENU = Recognize("1.2", LONG, choices=(Choice("sales", "1", ("sales",)), Choice("two", "2")), initial_silence=4.0)


def line(name: str, most_bytes: int | None = None) -> Line:
    """Return a call at a carrier; `most_bytes`: its documents are not longer."""
    made = Line(name)
    profile = PROFILES[name] if most_bytes is None else replace(PROFILES[name], most_bytes=most_bytes)
    made.channel = TwimlChannel(
        profile, account=ACCOUNT, public=PUBLIC, media_base=f"{PUBLIC}/media", tokens=AddressTokens(b"k" * 32),
        recording=lambda media, now: f"{PUBLIC}/recordings/{media}",
    )  # fmt: skip
    return made


def said(call: Line, commands: tuple[LineCommand, ...]) -> WebhookReply:
    exchange = call.channel.speak(call.leg, commands, now=0.0)
    call.leg = exchange.leg
    assert exchange.reply is not None
    return exchange.reply


def following(call: Line, root: Element) -> str | None:
    """Return where the next part is, if this is not the last one."""
    last = root[-1] if len(root) else None
    is_part = last is not None and last.tag == "Redirect" and ".part" in query(last.text or "")["t"]
    return last.text if is_part and last is not None else None


def documents(call: Line, commands: tuple[LineCommand, ...]) -> Iterator[WebhookReply]:
    """Listen to the end without pressing a key."""
    reply = said(call, commands)
    yield reply
    while address := following(call, document(reply)):
        told = call.post(address)
        assert told.events == ()
        assert told.reply is not None
        reply = told.reply
        yield reply


def audible(reply: WebhookReply) -> list[bytes]:
    return [tostring(one) for one in document(reply).iter() if one.tag in HEARD]


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=60, deadline=None)
@given(commands=batches())
def test_the_parts_say_what_the_whole_says_and_end_as_it_ends(name: str, commands: tuple[LineCommand, ...]) -> None:
    whole = said(line(name, 10**9), commands)
    parts = list(documents(line(name, 16_000), commands))
    assert all(len(part.body) <= 16_000 for part in parts)
    assert [one for part in parts for one in audible(part)] == audible(whole)
    ends = [one.tag for one in document(parts[-1]) if one.tag not in HEARD]
    assert ends == [one.tag for one in document(whole) if one.tag not in HEARD]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(
    "last",
    [
        Play("1.1", LONG),
        MENU,
        replace(MENU, barge_in=False, barge_in_speech=False),
        Record("1.2", LONG, 60.0, 3.0, "#"),
    ],
    ids=["said", "asked", "asked to the end", "recorded"],
)
def test_the_carrier_takes_each_document_of_a_long_text(name: str, last: LineCommand) -> None:
    replies = list(documents(line(name), (last,)))
    assert len(replies) > 2
    for reply in replies:
        assert len(reply.body) <= 64_000
        answer = BotReply(reply.status, reply.content_type.partition(";")[0], reply.body)
        assert isinstance(reading_of(PLAYED[name])(answer, f"{PUBLIC}/{name}/call"), Document)


def test_a_key_interrupts_the_beginning_and_what_was_left_is_not_heard_any_more() -> None:
    call = line("twilio")
    root = document(said(call, (MENU,)))
    gather = verb(root, "Gather")
    assert (gather.get("timeout"), gather.get("actionOnEmptyResult")) == ("1", None)
    more = following(call, root)
    assert more is not None
    (event,) = call.post(gather.get("action") or "", {"Digits": "1"}).events
    assert event == ChoiceMade("1.2", "sales", "keys")
    said(call, (Play("2.1", LONG[:1]), HangUp("2.2")))
    late = call.post(more)
    assert (late.events, len(document(late.reply or call.channel.nothing("commands")))) == ((), 0)


def test_the_notes_forget_what_was_said() -> None:
    call = line("plivo")
    *_, last = documents(call, (MENU,))
    assert "rest" not in call.leg.notes
    redirect = document(last)[-1]
    assert call.post(redirect.text or "").events == (InputTimedOut("1.2"),)


def test_a_part_is_asked_for_once() -> None:
    call = line("twilio")
    address = following(call, document(said(call, (MENU,))))
    assert address is not None
    call.post(address)
    assert document(call.post(address).reply or call.channel.nothing("commands")).tag == "Response"  # the turn repeats


def test_hints_and_addresses_of_files_have_bounds() -> None:
    choices = tuple(Choice(f"c{number}", None, (f"{number}" + '"' * 90,)) for number in range(400))
    asked = Recognize("1.2", (Audio(url="https://files.example/" + "a" * 70_000),), choices=choices)
    for name in PROFILES:
        (reply,) = documents(line(name), (asked,))
        assert len(reply.body) < 25_000


NEWS, QUESTION = "News " + "&" * 2000, "Press 1 " + "&" * 2000  # five letters each, where they are written
FLOW = f"""
flow: long
initial: news
on: {{error: bye}}
states:
  news:
    say: {[NEWS] * 8}
    next: ask
  ask:
    menu:
      prompt: {[QUESTION] * 8}
      choices: {{one: {{dtmf: "1"}}}}
    on: {{one: bye, exhausted: bye}}
  bye: {{say: Goodbye., final: true}}
"""


class Presser:
    """Presses 1 in the middle of the question."""

    def answer(self, asked: Question) -> Answering:
        return Answering((Press("1"),), "interrupting")


def no_service(number: int, request: Request) -> Event:
    return ServiceFailed(request.job, "failed")


@pytest.mark.parametrize("name", ["twilio", "plivo"])
def test_a_whole_call_is_carried_through_all_of_it(name: str) -> None:
    visit = Visit(Presser(), no_service, 1_800_000_000.0, "+43660", "+431", None)
    bot = asyncio.run(TwimlLine(name).call(flow_of(FLOW), visit))
    assert bot.findings == []
    assert [taken.target for stepped in bot.trace for taken in stepped.path] == ["news", "ask", "bye"]
    assert len(bot.trace) > 4  # several documents were asked for
