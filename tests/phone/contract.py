"""What a bot is told, held against the contract by the bot's side's own rules."""

from ivr.channels.skype import wire
from tests.phone.fake_bot import FakeBot
from tests.skype.wire_rules import refusals


def valid(bot: FakeBot, *, transfer: bool = False) -> bool:
    """Return whether everything the bot was told obeys the contract to the letter; `transfer` was offered to it."""
    for told in bot.told:
        shape = wire.ConversationResult if "operationOutcome" in told.json else wire.Conversation
        found = refusals(shape, told.json, strict=False, transfer=transfer)
        assert not found, found
    return True
