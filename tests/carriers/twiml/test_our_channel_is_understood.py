"""Whatever our own channel can write, the emulator's strict reader takes; neither imports the other."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings

from ivr.carriers.bot import BotReply
from ivr.carriers.twiml.dialects import reading_of
from ivr.carriers.twiml.twiml_document import Document, Gather, Record
from ivr.carriers.twiml.twiml_profile import PROFILES
from ivr.engine.commands import LineCommand, Recognize
from tests.channels.orders import batches
from tests.twiml.twiml_line import NOW, PUBLIC, Line


def read(name: str, commands: Sequence[LineCommand]) -> Document:
    line, profile = Line(name), PROFILES[name]
    exchange = line.channel.speak(line.leg, commands, now=NOW)
    reply = exchange.reply
    assert reply is not None
    assume("rest" not in exchange.leg.notes)  # more than one document: `test_long_documents` has those
    answer = BotReply(reply.status, reply.content_type.partition(";")[0], reply.body)
    found = reading_of(profile)(answer, f"{PUBLIC}/{name}/call")
    assert isinstance(found, Document), found.problems
    return found


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=150, deadline=None)
@given(commands=batches())
def test_every_document_of_our_channel_is_read(name: str, commands: Sequence[LineCommand]) -> None:
    document = read(name, commands)
    wanted = sum(isinstance(command, Recognize) for command in commands)
    assert sum(isinstance(verb, Gather) for verb in document.verbs) == wanted
    for verb in document.verbs:
        if isinstance(verb, Gather | Record):
            assert verb.action.url.startswith(f"{PUBLIC}/{name}/step?")
