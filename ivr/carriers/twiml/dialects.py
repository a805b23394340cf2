"""Which grammar and which reader a carrier's documents need."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ivr.carriers.bot import BotReply
from ivr.carriers.twiml.document_reading import DocumentReader, read_document
from ivr.carriers.twiml.grammar import grammar_of
from ivr.carriers.twiml.plivo_grammar import PLIVO_GRAMMAR
from ivr.carriers.twiml.plivo_reading import PlivoReader
from ivr.carriers.twiml.twiml_document import Document, Refused
from ivr.carriers.twiml.twiml_profile import TwimlProfile

Reading: TypeAlias = Callable[[BotReply, str], Document | Refused]
"Of what was answered at an address."


def reading_of(profile: TwimlProfile) -> Reading:
    """Return how a carrier reads what it is answered."""
    if profile.dialect == "Plivo XML":
        return partial(read_document, grammar=PLIVO_GRAMMAR, reader=PlivoReader)
    grammar = grammar_of(extended=profile.extended, without=profile.unknown)
    return partial(read_document, grammar=grammar, reader=DocumentReader)
