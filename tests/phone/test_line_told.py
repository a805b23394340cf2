"""What a bot is told of the line that its caller came by (protocol 22)."""

from typing import Any

from ivr.engine.line_facts import LineFacts
from ivr.phone.callers.turn_based import Leave, Press, TurnBased
from ivr.phone.platform import Target, platform
from ivr.phone.wire.line_news import LookAtLine
from tests.phone.contract import valid
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, SAY, FakeBot, fake_bot, flow
from tests.phone.people import QUICK, QUIET, Person, call

RINGING = LineFacts(kind="sip", trunk="192.0.2.7:5060", transport="udp", called="+4930123456")
SOUND = LineFacts(packets=100, loss=0.0, jitter=1.5)
END = LineFacts(packets=150, loss=0.5, jitter=2.0, ended="BYE")


def looks(*seen: LineFacts) -> LookAtLine:
    """Make what is known of a line: one after the other, the last one for ever; each one adds to those before."""
    known = LineFacts()
    left = list(seen)

    def look() -> LineFacts:
        nonlocal known
        if left:
            known = known.updated(left.pop(0))
        return known

    return look


async def told(bot: FakeBot, line: LookAtLine, *actions: Any) -> list[dict[str, Any] | None]:
    """Hold a call, and return the member of each message."""
    async with platform(Target(bot.call, limits=QUICK)) as phone:
        await phone.place(TurnBased(Person(list(actions)), QUIET), line=line)
    assert valid(bot)
    return [message.json.get("ivr") for message in bot.told]


async def test_the_first_message_says_what_line_it_is() -> None:
    async with fake_bot(b"") as bot:
        assert await told(bot, looks(RINGING)) == [
            {
                "kind": "sip",
                "trunk": "192.0.2.7:5060",
                "transport": "udp",
                "called": "+4930123456",
            }
        ]


async def test_later_messages_have_what_is_new_and_the_last_one_how_the_sound_was() -> None:
    answered = LineFacts(codec="PCMA", encrypted=False)
    line = looks(RINGING, answered, SOUND, LineFacts(codec="PCMU"), END)
    async with fake_bot(flow(ANSWER), flow(SAY), flow(MENU), flow(HANG_UP)) as bot:
        members = await told(bot, line, None, None, Press("1"))
    assert members[1:] == [
        {"codec": "PCMA", "encrypted": False},
        None,
        {"codec": "PCMU"},
        {"packets": 150, "loss": 0.5, "jitter": 2.0, "ended": "BYE"},
    ]


async def test_a_caller_who_leaves_ends_the_call_with_the_same_report() -> None:
    async with fake_bot(flow(ANSWER, MENU)) as bot:
        members = await told(bot, looks(RINGING, END), Leave())
    assert members[1] == {"packets": 150, "loss": 0.5, "jitter": 2.0, "ended": "BYE"}


async def test_the_notification_of_the_end_tells_what_no_report_could() -> None:
    links = {"notification": "BASE/notification"}
    async with fake_bot(flow(ANSWER, SAY, links=links), b"") as bot:
        await told(bot, looks(RINGING, END))
    assert [notice.json["currentState"] for notice in bot.notices] == ["established", "terminated"]
    assert bot.notices[-1].json["ivr"] == {"packets": 150, "loss": 0.5, "jitter": 2.0, "ended": "BYE"}


async def test_it_is_told_once() -> None:
    links = {"notification": "BASE/notification"}
    async with fake_bot(flow(ANSWER, SAY, links=links), flow(HANG_UP)) as bot:
        await told(bot, looks(RINGING, END))
    assert "ivr" not in bot.notices[-1].json


async def test_a_phone_says_nothing_of_a_line() -> None:
    async with fake_bot(flow(ANSWER, SAY), flow(HANG_UP)) as bot:
        await call(bot)
    assert all("ivr" not in message.json for message in bot.told)
