"""Commands as activities: what is said is a message, a question with choices a card, a transfer a hand-off."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from ivr.channels.botframework import notes, wire
from ivr.channels.botframework.activity import Account
from ivr.channels.botframework.writing import AddressOf, Written, text_format
from ivr.channels.botframework.writing import written as in_writing
from ivr.channels.in_writing.offered import title, written
from ivr.engine.commands import Choice, LineCommand, Play, Recognize, Record, Transfer
from ivr.ports import Leg

MOST_BUTTONS: Final = 6
"Buttons of one card; some clients show no more."


class Context(Struct, frozen=True):
    """What activities hold besides the commands."""

    leg: Leg
    now: float
    file: AddressOf


def activities(command: LineCommand, context: Context) -> Sequence[Any]:
    """Return what is sent for a command, as JSON's own kinds; nothing, where there is nothing to read."""
    match command:
        case Play() | Record():
            said = in_writing(command.prompt, context.file)
            return [_message(context, said.text, said.files)] if said else []
        case Recognize():
            said = in_writing(command.prompt, context.file)
            if command.choices:
                return [_card(context, said, command.choices)]
            return [_message(context, said.text, said.files)] if said else []
        case Transfer():
            return [_handoff(context, command)]
    return []


def _message(context: Context, text: str, files: tuple[wire.Attachment, ...] = ()) -> Any:
    return _activity(context, type="message", text=text, text_format=text_format(text), attachments=files)


def _card(context: Context, said: Written, choices: Sequence[Choice]) -> Any:
    """Return a question as a card with a button for each choice; as several, one below the other, if they are many."""
    buttons = [wire.Button(type="imBack", title=title(one), value=written(one)) for one in choices]
    parts = [tuple(buttons[first : first + MOST_BUTTONS]) for first in range(0, len(buttons), MOST_BUTTONS)]
    cards = [
        wire.Attachment(
            content_type=wire.HERO,
            content=wire.HeroCard(text=(said.text or None) if not number else None, buttons=part),
        )
        for number, part in enumerate(parts)
    ]
    return _activity(context, type="message", attachment_layout="list", text="", attachments=(*said.files, *cards))


def _handoff(context: Context, command: Transfer) -> Any:
    """Return the event by which somebody else is asked to take over (the event of the SDKs' `EventFactory`)."""
    asked = {"target": command.target, **({"about": command.whisper} if command.whisper else {})}
    return _activity(context, type="event", name=wire.HANDOFF, value=asked)


def _activity(context: Context, **members: Any) -> Any:
    bot, user = notes.parties(context.leg)
    sent = wire.SentActivity(
        timestamp=_timestamp(context.now),
        sender=_party(bot),
        conversation=wire.Conversation(id=notes.conversation(context.leg)),
        recipient=_party(user),
        reply_to_id=notes.reply_to(context.leg),
        **members,
    )
    return msgspec.to_builtins(sent)


def _party(account: Account) -> wire.Party | None:
    return wire.Party(id=account.id, name=account.name or None) if account.id else None


def _timestamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
