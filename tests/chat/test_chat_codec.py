"""The chat channel by itself: what is written against what was asked, and what is said in writing."""

from typing import Any

import pytest

from ivr.channels.botframework.codec import ACCEPTED
from ivr.channels.botframework.page_channel import PageChannel
from ivr.channels.in_writing.pace import AT_ONCE, OF_USE, PATIENCE, PAUSE
from ivr.engine.commands import (
    Answer,
    Audio,
    Choice,
    DigitInput,
    HangUp,
    Play,
    Recognize,
    Record,
    Recorded,
    Reject,
    Silence,
    Text,
    Transfer,
)
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    RecordingMade,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.errors import WebhookError
from ivr.ports import Fetch, Leg, Outbound, WebhookReply
from tests.chat.chat_activities import APP, CHANNEL, NOW, begun, heard, make_channel, message, request, sent, spoken

MENU = Recognize(
    "1.1",
    (Text("What is it?", "female", "en-US"),),
    choices=(
        Choice("sales", "1", ("sales", "new orders")),
        Choice("anotherPerson", "0"),
        Choice("opening.hours", None, ("opening hours",)),
        Choice("long", "42"),
    ),
)
DIGITS = Recognize("1.1", (), digits=DigitInput(1, 6, "#", 3.0))
ASK = Recognize("1.1", (), digits=DigitInput(1, 6, "#", 3.0), free="date")
RECORD = Record("1.1", (), 60.0, 3.0, "#")
TRANSFER = Transfer("1.1", "tel:+43123", 20.0, "a caller")
SOMEBODY_ELSE: dict[str, Any] = {"from": {"id": "29:another"}}
SOUND = {"contentType": "audio/ogg", "contentUrl": "https://files.example/a.ogg"}


def asked(command: Any, channel: Any = CHANNEL) -> Leg:
    return spoken(begun(channel), command, channel=channel).leg


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ("1", ChoiceMade("1.1", "sales", "keys")),
        ("0", ChoiceMade("1.1", "anotherPerson", "keys")),
        ("4-2", ChoiceMade("1.1", "long", "keys")),
        ("sales", ChoiceMade("1.1", "sales", "speech")),
        ("  New   ORDERS ", ChoiceMade("1.1", "sales", "speech")),
        ("Another person", ChoiceMade("1.1", "anotherPerson", "speech")),
        ("anotherperson", ChoiceMade("1.1", "anotherPerson", "speech")),
        ("opening hours", ChoiceMade("1.1", "opening.hours", "speech")),
        ("7", SpeechHeard("1.1", "7")),
        ("whatever", SpeechHeard("1.1", "whatever")),
        ("", InputInvalid("1.1")),
    ],
)
def test_keys_words_and_names_of_buttons_choose(words: str, event: object) -> None:
    assert heard(asked(MENU), text=words) == (event,)


def test_where_no_choice_has_words_others_are_a_wrong_answer() -> None:
    keys = Recognize("1.1", (), choices=(Choice("yes", "1"),))
    assert heard(asked(keys), text="hm") == (InputInvalid("1.1"),)


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ("1234", KeysPressed("1.1", "1234", "terminator")),
        ("12 34", KeysPressed("1.1", "1234", "terminator")),
        ("(12) 3-4", KeysPressed("1.1", "1234", "terminator")),
        ("1234#", KeysPressed("1.1", "1234", "terminator")),
        ("1234567", InputInvalid("1.1")),
        ("my number", InputInvalid("1.1")),
    ],
)
def test_digits_are_keys(words: str, event: object) -> None:
    assert heard(asked(DIGITS), text=words) == (event,)


def test_an_end_key_alone_is_an_empty_answer_where_it_is_one_on_a_telephone() -> None:
    assert heard(asked(DIGITS), text="#") == (KeysPressed("1.1", "#", "terminator"),)


def test_a_value_can_be_written_in_words() -> None:
    assert heard(asked(ASK), text="the first of May") == (SpeechHeard("1.1", "the first of May"),)


def test_a_recording_is_what_is_written_or_a_voice_message() -> None:
    assert heard(asked(RECORD), text=" My light\nis off. ") == (SpeechHeard("1.1", "My light\nis off."),)
    exchange = CHANNEL.hear(asked(RECORD), message(id="m2", text="", attachments=[SOUND]), now=NOW)
    assert exchange.events == (RecordingMade("1.1", 0.0, None),)
    assert exchange.fetches == (Fetch("1.1", SOUND["contentUrl"]),)
    assert heard(asked(RECORD), text="", attachments=[{"contentType": "image/png", "contentUrl": "x"}]) == ()


def test_an_utterance_is_its_transcription_where_something_is_asked() -> None:
    voice: dict[str, Any] = {
        "valueType": "application/vnd.microsoft.activity.voice+json",
        "value": {**SOUND, "transcription": "sales"},
    }
    assert heard(asked(MENU), text=None, **voice) == (ChoiceMade("1.1", "sales", "speech"),)
    assert heard(asked(RECORD), text=None, **voice) == (RecordingMade("1.1", 0.0, None),)
    assert heard(asked(MENU), text="", value="1") == (ChoiceMade("1.1", "sales", "keys"),)


def test_what_comes_while_nothing_is_asked_moves_nothing() -> None:
    assert heard(begun(), text="hurry up") == ()
    assert heard(asked(TRANSFER, make_channel(hands_over=True)), text="hurry up") == ()
    assert heard(asked(MENU), type="event", name="something", text=None) == ()


def test_a_conversation_is_that_of_whoever_wrote_first() -> None:
    joined = begun(type="conversationUpdate", membersAdded=[{"id": "somebody"}], text=None)
    assert heard(spoken(joined, MENU).leg, text="1") != ()
    assert heard(asked(MENU), text="1", **SOMEBODY_ELSE) == ()


@pytest.mark.parametrize(
    "left",
    [
        {"type": "endOfConversation"},
        {"type": "contactRelationUpdate", "action": "remove"},
        {"type": "installationUpdate", "action": "remove-upgrade"},
        {"type": "conversationUpdate", "membersRemoved": [{"id": "29:1iFtpwQ..."}]},
        {"type": "conversationUpdate", "membersRemoved": [{"id": f"28:{APP}"}]},
    ],
)
def test_who_leaves_has_left_at_what_was_asked(left: dict[str, Any]) -> None:
    assert heard(asked(MENU), text=None, **left) == (CallEnded("caller", "1.1"),)


def test_somebody_else_who_leaves_is_nobody() -> None:
    assert heard(asked(MENU), type="conversationUpdate", membersRemoved=[{"id": "29:another"}, {}]) == ()


# --- how it begins ---------------------------------------------------------------------------------------------------

BEGINNINGS: list[dict[str, Any]] = [
    {"type": "conversationUpdate", "membersAdded": [{"id": f"28:{APP}"}, {"id": "29:1iFtpwQ..."}]},
    {"type": "contactRelationUpdate", "action": "add"},
    {"type": "installationUpdate", "action": "add"},
]


@pytest.mark.parametrize("joined", BEGINNINGS)
def test_whoever_joins_is_greeted_if_that_is_wanted(joined: dict[str, Any]) -> None:
    assert message(text=None, **joined).starts
    assert not message(make_channel(greets=False), text=None, **joined).starts


def test_the_bot_alone_and_nobody_begin_nothing() -> None:
    for added in ([{"id": f"28:{APP}"}], [], [{}]):
        incoming = message(type="conversationUpdate", text=None, membersAdded=added)
        assert not incoming.starts
        assert CHANNEL.hear(Leg(), incoming, now=NOW).events == ()
    assert not message(type="conversationUpdate", membersAdded=[{"id": "x"}], recipient=None).starts


@pytest.mark.parametrize(
    ("locale", "language"), [("de-AT", "de-AT"), ("de_at", "de-at"), ("", None), ("1", None), ("../etc", None)]
)
def test_the_caller_has_a_language_and_can_be_handed_over_where_that_is_set(locale: str, language: str | None) -> None:
    channel = make_channel(hands_over=True)
    exchange = channel.hear(Leg(), message(channel, locale=locale), now=NOW)
    assert exchange.events == (CallReceived("29:1iFtpwQ...", f"28:{APP}", language, transfers=True, within="skype"),)


def test_a_call_that_begins_with_a_message_answers_it_and_one_that_begins_otherwise_nothing() -> None:
    play = Play("1.1", (Text("Hi", "male", "en"),))
    (answering,) = spoken(begun(), play).outbound
    assert answering.path.endswith("/activities/m1")
    (first,) = spoken(begun(**{"text": None, **BEGINNINGS[1]}), play).outbound
    assert first.path.endswith("/activities")
    (nameless,) = spoken(begun(id=".."), play).outbound
    assert nameless.path.endswith("/activities")


# --- what is said ----------------------------------------------------------------------------------------------------


def test_what_is_sent_has_its_lane_its_name_and_its_time() -> None:
    (one,) = spoken(begun(), Answer("1.0"), MENU).outbound
    assert isinstance(one, Outbound)
    assert (one.id, one.lane, one.refusal, one.once) == ("1.1", "skype/29:1iFtpwQ...", True, False)
    assert one.until == NOW + OF_USE


def test_a_menu_is_a_card_whose_buttons_write_what_chooses() -> None:
    (activity,) = sent(spoken(begun(), MENU))
    (card,) = activity["attachments"]
    assert card["content"]["text"] == "What is it?"
    assert [(one["title"], one["value"]) for one in card["content"]["buttons"]] == [
        ("Sales", "1"), ("Another person", "0"), ("Opening hours", "opening hours"), ("Long", "42"),
    ]  # fmt: skip


def test_each_button_chooses_what_it_stands_for() -> None:
    (activity,) = sent(spoken(begun(), MENU))
    pressed = [heard(asked(MENU), text=one["value"]) for one in activity["attachments"][0]["content"]["buttons"]]
    assert [event.choice for (event,) in pressed if isinstance(event, ChoiceMade)] == [
        "sales", "anotherPerson", "opening.hours", "long",
    ]  # fmt: skip


def test_many_choices_are_several_cards_of_which_the_first_asks() -> None:
    many = Recognize("1.1", MENU.prompt, choices=tuple(Choice(f"c{n}", str(n)) for n in range(10)))
    (activity,) = sent(spoken(begun(), many))
    first, second = [one["content"] for one in activity["attachments"]]
    assert (len(first["buttons"]), len(second["buttons"]), second.get("text")) == (6, 4, None)


def test_files_are_what_they_say_or_links_and_a_pause_is_nothing() -> None:
    said = Play(
        "1.1",
        (
            Text(" One\x00two. ", "male", "en"),
            Silence(500),
            Audio(asset="a" * 64, text="Three."),
            Audio(asset="b" * 64),
            Audio(url="https://files.example/c.wav"),
            Recorded("m.ogg", "four"),
            Recorded("n.ogg"),
            Recorded("", "five"),
        ),
    )
    (activity,) = sent(spoken(begun(), said))
    assert activity["text"] == "One two. Three. four five"
    assert [one["contentUrl"] for one in activity["attachments"]] == [
        f"https://ivr.example/media/{'b' * 64}.wav",
        "https://files.example/c.wav",
        "https://ivr.example/recordings/n.ogg",
    ]
    unplayable = make_channel(recording=None)
    assert sent(unplayable.speak(begun(unplayable), [Play("1.1", (Recorded("n.ogg"),))], now=NOW)) == []


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("Good morning !", False), ("Room 4, 2nd floor - left.", False), ("a *b*", True), ("[x](http://y)", True),
        ("a\nb", True), ("snake_case", True), ("1. first", True), ("<b>", True), ("- one", True),
    ],
)  # fmt: skip
def test_what_could_be_read_as_markdown_is_said_to_be_plain(text: str, is_plain: bool) -> None:
    (activity,) = sent(spoken(begun(), Play("1.1", (Text(text, "male", "en"),))))
    assert activity.get("textFormat") == ("plain" if is_plain else None)


def test_a_text_is_heard_once_it_is_posted_and_nothing_is_sent_for_what_has_no_words() -> None:
    for command in (Answer("1.1"), HangUp("1.1"), Reject("1.1"), Play("1.1", (Silence(500),))):
        exchange = spoken(begun(), command)
        assert (exchange.events, exchange.outbound, exchange.wake) == ((OperationDone("1.1"),), (), None)


def test_a_flow_that_goes_in_circles_writes_slower() -> None:
    leg, play = begun(), Play("1.1", (Text("again", "male", "en"),))
    for _ in range(AT_ONCE):
        exchange = spoken(leg, play)
        assert exchange.events == (OperationDone("1.1"),)
        leg = exchange.leg
    held = spoken(leg, play)
    assert (held.events, held.wake, len(held.outbound)) == ((), NOW + PAUSE, 1)
    woken = CHANNEL.tick(held.leg, now=NOW + PAUSE)
    assert woken.events == (OperationDone("1.1"),)
    assert spoken(woken.leg, play).events == (OperationDone("1.1"),)


# --- patience --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [MENU, DIGITS, RECORD])
def test_nobody_is_waited_for_longer_than_the_channels_patience(question: Any) -> None:
    exchange = spoken(begun(), question)
    assert exchange.wake == NOW + PATIENCE
    early = CHANNEL.tick(exchange.leg, now=NOW + 1)
    assert (early.events, early.wake) == ((), exchange.wake)
    assert CHANNEL.tick(exchange.leg, now=NOW + PATIENCE).events == (InputTimedOut("1.1"),)


def test_what_means_nothing_leaves_the_time_as_it_is() -> None:
    leg = asked(MENU)
    assert CHANNEL.hear(leg, message(type="event", text=None), now=NOW).wake == NOW + PATIENCE
    stranger = message(text="1", **SOMEBODY_ELSE)
    assert CHANNEL.hear(leg, stranger, now=NOW).wake == NOW + PATIENCE
    assert CHANNEL.answered(leg, Outbound("1.1", "POST", ""), 400, b"", now=NOW).wake == NOW + PATIENCE
    assert CHANNEL.speak(leg, (), now=NOW).wake == NOW + PATIENCE


# --- hand-off --------------------------------------------------------------------------------------------------------


def test_where_nobody_takes_over_a_transfer_fails_at_once() -> None:
    exchange = spoken(begun(), TRANSFER)
    assert (exchange.events, exchange.outbound) == ((TransferFailed("1.1", "unsupported"),), ())


def test_a_transfer_is_a_hand_off_and_waits_for_what_becomes_of_it() -> None:
    channel = make_channel(hands_over=True)
    exchange = spoken(begun(channel), TRANSFER, channel=channel)
    (event,) = sent(exchange)
    assert (event["type"], event["name"]) == ("event", "handoff.initiate")
    assert event["value"] == {"target": "tel:+43123", "about": "a caller"}
    assert (exchange.events, exchange.wake) == ((), NOW + 20.0)
    told = {"type": "event", "name": "handoff.status", "text": None}
    taken = heard(exchange.leg, channel, value={"state": "accepted"}, **told)
    assert taken == (Transferred("1.1"), CallEnded("caller", "1.1"))
    assert heard(exchange.leg, channel, value={"state": "failed"}, **told) == (TransferFailed("1.1", "rejected"),)
    assert heard(exchange.leg, channel, value={"state": "typing"}, **told) == ()
    assert channel.tick(exchange.leg, now=NOW + 20.0).events == (TransferFailed("1.1", "noAnswer"),)


# --- in the answer ---------------------------------------------------------------------------------------------------


def test_replies_of_one_turn_stand_together_in_the_answer_and_later_ones_are_sent() -> None:
    leg = begun(deliveryMode="expectReplies")
    first = CHANNEL.speak(leg, [Play("1.1", (Text("One", "male", "en"),))], now=NOW + 1)
    second = CHANNEL.speak(first.leg, [Play("1.2", (Text("Two", "male", "en"),))], now=NOW + 1)
    assert second.reply is not None
    assert (second.reply.status, second.reply.body.count(b'"text"'), second.outbound) == (200, 2, ())
    later = CHANNEL.speak(second.leg, [Play("1.3", (Text("Three", "male", "en"),))], now=NOW + 2)
    assert (later.reply, len(later.outbound)) == (ACCEPTED, 1)
    assert CHANNEL.speak(leg, (), now=NOW).reply == WebhookReply(body=b'{"activities":[]}')


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000, {}, {"type": ""}, {"type": 1}, {"type": None},
        {"type": "message", "from": 1, "conversation": {"id": "c"}},
        {"type": "message", "conversation": "c"},
        {"type": "message", "text": []},
        {"type": "message", "membersAdded": {}},
        {"type": "message", "attachments": "x"},
        {"type": "message", "channelId": "a/b", "conversation": {"id": "c"}},
        {"type": "message", "channelId": "", "conversation": {"id": "c"}},
        {"type": "message", "channelId": "a", "conversation": {}},
        {"type": "message", "channelId": "a", "conversation": {"id": "c" * 513}},
        {"type": "message", "channelId": "a", "conversation": {"id": "c\n"}},
        {"type": "message", "channelId": "a", "conversation": {"id": ".."}},
        {"type": "message", "channelId": "a", "conversation": {"id": "c"}, "from": {"id": "u\0"}},
        {"type": "conversationUpdate", "channelId": "a", "conversation": {"id": "c"}, "membersAdded": [{"id": "u\n"}]},
    ],
)  # fmt: skip
def test_what_is_no_activity_is_refused(body: object) -> None:
    with pytest.raises(WebhookError) as refused:
        CHANNEL.decode(request(body))
    assert (refused.value.status, refused.value.code) == (400, "BadArgument")


def test_a_connector_that_is_not_served_is_refused() -> None:
    with pytest.raises(WebhookError) as refused:
        message(serviceUrl="https://evil.example/")
    assert refused.value.status == 403


def test_groups_are_not_served_and_unknown_kinds_are_taken() -> None:
    for body in ({"type": "typing"}, {"type": "future.kind"}, {"type": "message", "conversation": {"isGroup": True}}):
        assert CHANNEL.decode(request(body)) == ACCEPTED
    assert CHANNEL.decode(request({"type": "invoke"})) == WebhookReply(501)


def test_a_message_without_an_id_or_with_a_long_one_has_a_name_all_the_same() -> None:
    assert message(id=None).id == message(id=None).id != message(id=None, text="other").id
    long = message(id="x" * 300).id
    assert (len(long) <= 128, long == message(id="x" * 300).id, long != message(id="x" * 299).id) == (True,) * 3
    assert message(id="\u00e9").id.isascii()
    assert message(id="1").id != message(id="1", type="event").id


def test_two_channels_may_have_the_same_conversation() -> None:
    one, other = message(channelId="webchat", conversation={"id": "a/b #"}), message(conversation={"id": "a/b #"})
    assert message(channelId="msteams:copilot").key.id == "msteams:copilot/29:1iFtpwQ..."
    assert (one.key.id, other.key.id) == ("webchat/a%2Fb%20%23", "skype/a%2Fb%20%23")


TENANT, USER = "F8CDEF31-a31e-4b4a-93e4-5f571e91255a", "00000000-0000-0000-0000-00000000000A"
TEAMS = {"channelId": "msteams", "channelData": {"tenant": {"id": TENANT}}}


@pytest.mark.parametrize(
    ("changed", "identity"),
    [
        ({}, f"{TENANT}/{USER}".lower()),
        ({"channelData": None, "conversation": {"id": "c", "tenantId": TENANT}}, f"{TENANT}/{USER}".lower()),
        ({"channelId": "webchat"}, None),
        ({"channelId": "directline"}, None),
        ({"channelData": {"tenant": "x"}}, None),
        ({"channelData": {"tenant": {"id": f"{TENANT}/{TENANT}"}}}, None),
        ({"channelData": {"tenant": {"id": 7}}}, None),
        ({"from": {"id": "29:1iFtpwQ...", "aadObjectId": ["x"]}}, None),
        ({"from": {"id": "29:1iFtpwQ..."}}, None),
    ],
)
def test_whom_teams_knows_by_a_directory_is_known_and_nobody_elsewhere(
    changed: dict[str, Any], identity: str | None
) -> None:
    sender = {"id": "29:1iFtpwQ...", "aadObjectId": USER}
    incoming = message(CHANNEL, **{"from": sender, **TEAMS, **changed})
    [received] = CHANNEL.hear(Leg(), incoming, now=NOW).events
    assert received.identity == identity


def test_who_is_added_by_somebody_else_is_not_that_one() -> None:
    added = [{"id": "29:other", "aadObjectId": USER}]
    sender = {"id": "29:1iFtpwQ...", "aadObjectId": USER}
    fields = {"type": "conversationUpdate", "text": None, "membersAdded": added, "from": sender, **TEAMS}
    [received] = CHANNEL.hear(Leg(), message(CHANNEL, **fields), now=NOW).events
    assert (received.caller, received.identity) == ("29:other", None)


def test_a_browser_vouches_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    incoming = message(CHANNEL, **{"from": {"id": "29:1iFtpwQ...", "aadObjectId": USER}, **TEAMS})
    monkeypatch.setattr(CHANNEL, "vouches", PageChannel.vouches)
    [received] = CHANNEL.hear(Leg(), incoming, now=NOW).events
    assert received.identity is None
