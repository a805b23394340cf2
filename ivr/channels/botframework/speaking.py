"""Commands as activities: what is said is a message, a question with choices a card, a transfer a hand-off."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from ivr.channels.botframework import notes, wire
from ivr.channels.botframework.activity import Account
from ivr.channels.botframework.cards import plain_in_card
from ivr.channels.botframework.writing import AddressOf, Written, messages
from ivr.channels.in_writing.offered import is_answer, title, written
from ivr.engine.cards import Button
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
    """Return what is sent for a command, as JSON's own kinds; nothing, where there is nothing to read.

    A message with what one channel alone knows is a text of JSON: there no letter of it can change any more.
    """
    match command:
        case Play() | Record():
            return [_message(context, said) for said in messages(command.prompt, context.file)]
        case Recognize():
            return _question(context, messages(command.prompt, context.file), command.choices)
        case Transfer():
            return [_handoff(context, command)]
    return []


def _question(context: Context, said: Sequence[Written], choices: Sequence[Choice]) -> Sequence[Any]:
    """Return the messages of a question; its choices stand in the last, or below cards that stand side by side."""
    left = _without_button(choices, [button for one in said for button in one.buttons])
    if not left:
        return [_message(context, one) for one in said]
    is_open = bool(said) and said[-1].layout is None and said[-1].channel_data is None
    before, last = (said[:-1], said[-1]) if is_open else (said, Written(""))
    return [*(_message(context, one) for one in before), _card(context, last, left)]


def _without_button(choices: Sequence[Choice], buttons: Sequence[Button]) -> Sequence[Choice]:
    """Return the choices that no button of the author's cards answers."""
    written = [words for button in buttons if (words := button.sends) is not None]
    return [choice for choice in choices if not any(is_answer(choice, words) for words in written)]


def _message(context: Context, said: Written) -> Any:
    return _activity(
        context,
        type="message",
        attachment_layout=said.layout,
        text=said.text,
        text_format=said.text_format,
        attachments=said.files,
        channel_data=msgspec.Raw(said.channel_data.encode()) if said.channel_data else None,
    )


def _card(context: Context, said: Written, choices: Sequence[Choice]) -> Any:
    """Return a question as a card with a button for each choice; as several, one below the other, if they are many."""
    buttons = [wire.Button(type="imBack", title=title(one), value=written(one)) for one in choices]
    parts = [tuple(buttons[first : first + MOST_BUTTONS]) for first in range(0, len(buttons), MOST_BUTTONS)]
    above, inside = (said.text, None) if said.has_cards or said.markup else ("", plain_in_card(said.text) or None)
    cards = [
        wire.Attachment(
            content_type=wire.HERO, content=wire.HeroCard(text=inside if not number else None, buttons=part)
        )
        for number, part in enumerate(parts)
    ]
    return _activity(
        context,
        type="message",
        attachment_layout="list",
        text=above,
        text_format=said.text_format if above else None,
        attachments=(*said.files, *cards),
    )


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
    if sent.channel_data is not None:
        return msgspec.json.encode(sent).decode()
    return msgspec.to_builtins(sent)


def _party(account: Account) -> wire.Party | None:
    return wire.Party(id=account.id, name=account.name or None) if account.id else None


def _timestamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
