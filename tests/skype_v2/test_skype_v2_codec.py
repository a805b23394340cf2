"""The channel by itself: what is written against what was asked, what is said in writing, what cannot be read."""

from typing import Any

import pytest

from ivr.carriers.skype_v2.skype_xml import ShownText, shown
from ivr.channels.in_writing.pace import OF_USE, PATIENCE
from ivr.channels.skype_v2.markup import escaped, read
from ivr.engine.commands import Audio, Choice, DigitInput, Play, Recognize, Record, Recorded, Silence, Text, Transfer
from ivr.engine.events import (
    CallEnded,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    SpeechHeard,
    TransferFailed,
)
from ivr.errors import WebhookError
from ivr.ports import Exchange, Leg, WebhookReply
from tests.skype_v2.skype_messages import (
    APP,
    BASE,
    CHANNEL,
    NOW,
    USER,
    asked,
    begun,
    contents,
    decoded,
    heard,
    make_channel,
    message,
    request,
    spoken,
    texts,
)

MENU = Recognize(
    "1.1",
    (Text("What is it?", "female", "en-US"),),
    choices=(
        Choice("sales", "1", ("sales", "new orders")),
        Choice("openingHours", None, ("opening hours",)),
        Choice("person", "0"),
        Choice("other"),
    ),
)
DIGITS = Recognize("1.1", (Text("Which room?", "female", "en-US"),), digits=DigitInput(1, 3, "#", 3.0))
RECORD = Record("1.1", (Text("What is it?", "female", "en-US"),), 60.0, 3.0, "#")
ADDED: dict[str, Any] = {"activity": "contactRelationUpdate", "action": "add", "id": None}


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_menu_is_lines_with_a_number_for_each_choice() -> None:
    assert contents(spoken(begun(), MENU)) == ["What is it?\n1 - Sales\n2 - Opening hours\n0 - Person\n3 - Other"]


def test_what_is_text_is_escaped_and_shown_as_it_stands() -> None:
    text = 'Tom & <b>Jerry</b> > "both"'
    (content,) = contents(spoken(begun(), Play("1.1", (Text(text, "female", "en-US"), Silence(1)))))
    assert content == 'Tom &amp; &lt;b&gt;Jerry&lt;/b&gt; &gt; "both"'
    assert shown(content) == ShownText(text)


def test_markup_of_skype_is_sent_as_it_is_and_any_other_by_its_words() -> None:
    said = spoken(
        begun(),
        Play(
            "1.1",
            (
                Text(
                    "See A & B", "female", "en-US", marked='See <a href="https://x.example">A &amp; B</a>', markup="xml"
                ),
                Text("or *not*", "female", "en-US", marked="or **not**", markup="markdown"),
            ),
        ),
    )
    assert contents(said) == ['See <a href="https://x.example">A &amp; B</a> or *not*']


def test_a_file_is_its_text_or_a_link_and_a_pause_alone_is_nothing() -> None:
    said = spoken(
        begun(),
        Play("1.1", (Audio("a" * 64, text="Welcome"), Audio("b" * 64))),
        Play("1.2", (Recorded("voice.wav"),)),
        Play("1.3", (Silence(1),)),
    )
    assert contents(said) == [
        f"Welcome https://ivr.example/media/{'b' * 64}.wav",
        "https://ivr.example/recordings/voice.wav",
    ]
    assert said.events == (OperationDone("1.3"),)


def test_all_of_a_conversation_stays_in_order_and_is_of_use_for_a_while() -> None:
    (one,) = spoken(begun(), MENU).outbound
    assert (one.lane, one.until, one.refusal, one.once) == (USER, NOW + OF_USE, True, False)


def test_a_question_waits_as_long_as_somebody_may_think_and_a_transfer_is_never_possible() -> None:
    asking = spoken(begun(), MENU)
    assert asking.wake == NOW + PATIENCE
    assert CHANNEL.tick(asking.leg, now=NOW + 1) == Exchange(asking.leg, wake=asking.wake)
    assert CHANNEL.tick(asking.leg, now=NOW + PATIENCE).events == (InputTimedOut("1.1"),)
    assert spoken(begun(), Transfer("1.1", "tel:+431", 20.0)).events == (TransferFailed("1.1", "unsupported"),)


def test_a_conversation_that_the_platform_knows_no_longer_is_over() -> None:
    asking = spoken(begun(), MENU)
    (sent,) = asking.outbound
    assert CHANNEL.answered(asking.leg, sent, 404, b"", now=NOW).events == (CallEnded("system", "1.1"),)
    assert CHANNEL.answered(asking.leg, sent, 500, b"", now=NOW) == Exchange(asking.leg, wake=asking.wake)


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ("1", ChoiceMade("1.1", "sales", "keys")),
        ("1)", ChoiceMade("1.1", "sales", "keys")),
        ("0", ChoiceMade("1.1", "person", "keys")),
        ("2", ChoiceMade("1.1", "openingHours", "speech")),
        (" 3. ", ChoiceMade("1.1", "other", "speech")),
        ("new <b>orders</b>", ChoiceMade("1.1", "sales", "speech")),
        ("Opening hours", ChoiceMade("1.1", "openingHours", "speech")),
        ("Other", ChoiceMade("1.1", "other", "speech")),
        ("7", SpeechHeard("1.1", "7")),
        ("", InputInvalid("1.1")),
    ],
)
def test_numbers_words_and_names_choose(words: str, event: object) -> None:
    assert heard(asked(MENU), words) == (event,)


def test_digits_a_message_and_what_comes_while_nothing_is_asked() -> None:
    assert heard(asked(DIGITS), "4 0 2") == (KeysPressed("1.1", "402", "terminator"),)
    assert heard(asked(RECORD), "Fish &amp; chips &lt;3") == (SpeechHeard("1.1", "Fish & chips <3"),)
    assert heard(asked(RECORD), " ") == ()
    assert heard(begun(), "hurry up") == ()


def test_who_is_a_contact_already_moves_nothing_and_who_leaves_ends_it() -> None:
    assert heard(asked(MENU), **ADDED) == ()
    assert heard(asked(MENU), **{**ADDED, "action": "remove"}) == (CallEnded("caller", "1.1"),)


def test_whoever_adds_the_bot_is_written_to_unless_it_waits_to_be_asked() -> None:
    silent = make_channel(greets=False)
    assert message(**ADDED).starts
    assert not message(silent, **ADDED).starts
    assert silent.hear(Leg(), message(silent, **ADDED), now=NOW) == Exchange(Leg())


@pytest.mark.parametrize("content", ["1 < 2 > 0", "a & b", "<unknown>x</unknown>", "&amp", "&#99999999;", "<b", ""])
def test_what_is_no_xml_is_read_as_it_stands(content: str) -> None:
    assert read(content) == content


@pytest.mark.parametrize("text", ["<b>&amp;</b>", "&#60;", "a\nb", "<ss type='wink'>;)</ss>", "]]>"])
def test_what_was_escaped_is_read_as_it_was(text: str) -> None:
    assert read(escaped(text)) == text
    assert shown(escaped(text)) == ShownText(text)


# --- whose message it is, and which ----------------------------------------------------------------------------------


def test_messages_of_one_request_are_taken_in_order_each_in_its_conversation() -> None:
    other = {**BASE, "from": "8:other"}
    found = texts([BASE, {**other, "content": "a"}, {**BASE, "content": "b"}])
    assert found == [(USER, "Good morning !"), ("8:other", "a"), (USER, "b")]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        3,
        {},
        {**BASE, "from": ""},
        {**BASE, "from": ".."},
        {**BASE, "from": 3},
        {**BASE, "to": None},
        {**BASE, "content": ["x"]},
        {**BASE, "time": None},
        {**BASE, "from": "8:\u0000"},
        {**BASE, "from": "8:" + "x" * 600},
        {"type": "message", "text": "of the Bot Framework"},
    ],
)
def test_one_that_cannot_be_read_says_nothing_about_the_others(broken: object) -> None:
    assert texts([broken, BASE, broken]) == [(USER, "Good morning !")]
    with pytest.raises(WebhookError) as refused:
        CHANNEL.decode(request([broken]))
    assert refused.value.status == 400


@pytest.mark.parametrize("body", [[], [{**BASE, "activity": "attachment"}], [{**BASE, "to": "19:group@thread.skype"}]])
def test_what_means_nothing_here_is_taken_all_the_same(body: object) -> None:
    assert CHANNEL.decode(request(body)) == WebhookReply(201)


def test_a_lone_object_is_an_array_of_one_and_too_many_are_refused() -> None:
    assert [one.key.id for one in decoded(BASE)] == [USER]
    with pytest.raises(WebhookError) as refused:
        CHANNEL.decode(request([BASE] * 101))
    assert refused.value.status == 413


def test_a_repeat_has_the_same_name_and_the_same_words_a_moment_later_have_another() -> None:
    later = "2016-07-12T06:26:08.232Z"
    first, repeat, again, other = decoded([BASE, BASE, {**BASE, "time": later}, {**BASE, "content": "Hi"}])
    assert first.id == repeat.id
    assert len({first.id, again.id, other.id}) == 3


def test_an_id_that_refers_to_a_message_is_its_name_whatever_the_time() -> None:
    one, repeat, other = decoded([
        {**BASE, "id": "5"}, {**BASE, "id": "5", "time": None}, {**BASE, "id": "6"},
    ])  # fmt: skip
    assert one.id == repeat.id != other.id


def test_ids_stay_what_they_are_in_our_name_and_in_the_address() -> None:
    odd: dict[str, Any] = {"from": "8:live:a b/ü#?"}
    (sent,) = spoken(begun(**odd), MENU).outbound
    assert sent.path == "https://apis.skype.com/v2/conversations/8:live:a%20b%2F%C3%BC%23%3F/activities/"
    assert message(**odd).key.account == APP
