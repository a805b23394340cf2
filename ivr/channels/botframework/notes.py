"""What is remembered of a call between two activities: whose conversation it is, and where what is said goes."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from ivr.channels.botframework.activity import Account, Activity
from ivr.channels.botframework.addresses import conversation_name
from ivr.channels.in_writing import awaiting
from ivr.channels.in_writing.awaiting import changed
from ivr.ports import Leg

Notes: TypeAlias = Mapping[str, str]

_CHANNEL, _CONVERSATION, _SERVICE = "channel", "conversation", "service"
_BOT, _BOT_NAME, _USER, _USER_NAME, _MET = "bot", "botName", "user", "userName", "met"
_REPLY_TO, _REPLIES, _REPLIED = "replyTo", "replies", "replied"


def of_activity(activity: Activity, user: Account) -> Leg:
    """Return the leg of a call that begins with an activity; `user` is who the call is with."""
    leg = Leg(
        {
            _CHANNEL: activity.channel,
            _CONVERSATION: activity.conversation,
            _USER: user.id,
            _USER_NAME: user.name,
            _BOT: activity.recipient.id,
            _BOT_NAME: activity.recipient.name,
        }
    )
    return told(leg, activity)


def told(leg: Leg, activity: Activity) -> Leg:
    """Return the leg once an activity has come, which what is said next answers."""
    is_message = activity.kind == "message"
    told = {_SERVICE: activity.service, _REPLIED: "", _REPLIES: "[]" if activity.expects_replies else ""}
    told[_REPLY_TO] = activity.id if is_message else ""
    if is_message:
        told |= {_MET: "true", _USER: activity.sender.id, _USER_NAME: activity.sender.name}
    return changed(awaiting.written_to(leg), told)


def is_with(leg: Leg, sender: Account) -> bool:
    """Return whether it is this person's call: whoever was met first, since a beginning may name somebody else."""
    return _MET not in leg.notes or leg.notes.get(_USER, "") == sender.id


def is_party(leg: Leg, member: Account) -> bool:
    """Return whether somebody is one of the two of a conversation."""
    return bool(member.id) and member.id in {leg.notes.get(_USER), leg.notes.get(_BOT)}


# --- where it goes ---


def conversation(leg: Leg) -> str:
    """Return the platform's id of the conversation."""
    return leg.notes[_CONVERSATION]


def lane(leg: Leg) -> str:
    """Return our name of the conversation, in which what is said stays in order."""
    return conversation_name(leg.notes[_CHANNEL], leg.notes[_CONVERSATION])


def service(leg: Leg) -> str:
    """Return the address of the connector."""
    return leg.notes[_SERVICE]


def parties(leg: Leg) -> tuple[Account, Account]:
    """Return the bot and the user."""
    notes = leg.notes
    return Account(notes.get(_BOT, ""), notes.get(_BOT_NAME, "")), Account(
        notes.get(_USER, ""), notes.get(_USER_NAME, "")
    )


def reply_to(leg: Leg) -> str | None:
    """Return the activity that is answered; None: none is."""
    return leg.notes.get(_REPLY_TO) or None


# --- what was said since the last activity ---


def silent(leg: Leg) -> Leg:
    """Return the leg once the time was over: what is said next answers no activity."""
    return changed(awaiting.answered(awaiting.written_to(leg)), {_REPLY_TO: "", _REPLIES: ""})


def replies(leg: Leg, now: float) -> list[object] | None:
    """Return the activities that stand in the answer so far; None: what is said goes to the connector.

    An answer is written in one turn, all of which has one time; whatever comes later finds it sent. No letter changes.
    """
    noted = leg.notes.get(_REPLIES)
    is_sent = leg.notes.get(_REPLIED, repr(now)) != repr(now)
    return None if not noted or is_sent else list(msgspec.json.decode(noted, type=list[msgspec.Raw]))


def replying(leg: Leg, activities: list[object], now: float) -> Leg:
    """Return the leg once the answer has these activities."""
    return changed(leg, {_REPLIES: msgspec.json.encode(activities).decode(), _REPLIED: repr(now)})
