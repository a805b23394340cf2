"""Who calls and who was called, from headers that strangers write."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.caller_identity import CallParties, call_parties, called_number, cleaned, number_of
from ivr.sip.message import Headers, MalformedMessage, Request, encode, parse


def invite(*headers: tuple[str, str], uri: str = "sip:support@h", sender: str = "<sip:alice@h>;tag=1") -> Request:
    return Request(
        "INVITE", uri,
        Headers.of(("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", sender), ("To", "<sip:to@h>"), ("Call-ID", "c"),
                   ("CSeq", "1 INVITE"), *headers),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:+493012345@h", "+493012345"),
        ("sip:493012345@h;user=phone", "493012345"),
        ("sip:%2B49(30)123-45@h", "+493012345"),
        ("sip:+49301;phone-context=example.com@h", "+49301"),
        ("tel:+49-30-123.45", "+493012345"),
        ("tel:7042;phone-context=+49", "7042"),
        ("tel:7042;phone-context=example.com", "7042"),
        ("sips:alice.b@h", "alice.b"),
        ("sip:*43%23@h", "*43#"),
        ("sip:h", ""),
        ("sip:M%C3%BCller@h", "Müller"),
        ("sip:a%00%0d%0aVia%3A%20b@h", "a Via: b"),
        ("sip:a%E2%80%AEb@h", "ab"),
        ("sip:%FF@h", "\N{REPLACEMENT CHARACTER}"),
        ("http://h", ""),
        ("sip:" + "1" * 500 + "@h", "1" * 64),
    ],
)
def test_the_number_of_a_uri(uri: str, number: str) -> None:
    assert number_of(uri) == number


def test_from_says_who_calls() -> None:
    parties = call_parties(invite(sender='"Alice B" <sip:+4930@h>;tag=1'), trusted=False)
    assert parties == CallParties("+4930", "Alice B", False, "support", "")


@pytest.mark.parametrize(
    ("values", "caller"),
    [
        (["<sip:+4940@h>"], "+4940"),
        (["<sip:bob@h>, <tel:+4940>"], "+4940"),
        (["<sip:bob@h>", "tel:+4940"], "+4940"),
        (["<broken"], "alice"),
        ([], "alice"),
    ],
)
def test_an_asserted_identity_counts_from_trusted_addresses_alone(values: list[str], caller: str) -> None:
    """RFC 3325 8: who is not trusted could assert anything."""
    request = invite(*(("P-Asserted-Identity", value) for value in values))
    assert call_parties(request, trusted=True).caller == caller
    assert call_parties(request, trusted=False).caller == "alice"


@pytest.mark.parametrize("privacy", ["id", "header;id", "user", "ID ; critical"])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_caller_who_wants_privacy_gets_it(privacy: str, trusted: bool) -> None:
    """RFC 3323 4.2, RFC 3325 9.3."""
    request = invite(("P-Asserted-Identity", '"Alice" <tel:+4940>'), ("Privacy", privacy))
    assert call_parties(request, trusted=trusted) == CallParties("", "", True, "support", "")


@pytest.mark.parametrize(
    "sender",
    ['"Anonymous" <sip:anonymous@anonymous.invalid>', "<sip:c8oqz84zk7z@privacy.anonymous.invalid>", "sip:Anonymous@h"],
)
def test_an_anonymous_caller_has_withheld_the_number(sender: str) -> None:
    """RFC 3323 4.1.1.3."""
    assert call_parties(invite(sender=sender), trusted=False).withheld


@pytest.mark.parametrize("privacy", ["none", "session", "history", ""])
def test_other_privacy_leaves_the_number(privacy: str) -> None:
    parties = call_parties(invite(("Privacy", privacy)), trusted=False)
    assert (parties.caller, parties.withheld) == ("alice", False)


@pytest.mark.parametrize(
    ("uri", "called"), [("sip:+4989@h", "+4989"), ("tel:+4989", "+4989"), ("sip:h", "to"), ("urn:service:sos", "to")]
)
def test_the_request_uri_says_who_is_called_and_to_only_where_it_names_nobody(uri: str, called: str) -> None:
    assert called_number(invite(uri=uri)) == called


@pytest.mark.parametrize(
    ("headers", "first"),
    [
        ([("Diversion", "<sip:+491@h>;reason=no-answer;counter=1")], "+491"),
        ([("Diversion", "<sip:+492@h>;reason=unconditional, <tel:+491>")], "+491"),
        ([("Diversion", "<sip:+491@h>;privacy=full")], ""),
        ([("Diversion", "<sip:+491@h>;privacy=off")], "+491"),
        ([("Diversion", "broken")], ""),
        ([("History-Info", "<sip:+491@h>;index=1, <sip:support@h;cause=302>;index=1.1")], "+491"),
        ([("History-Info", "<sip:support@h>;index=1")], ""),
        ([("History-Info", "<sip:+491@h?Privacy=history>;index=1")], ""),
        ([("History-Info", "<sip:+491@h>;index=1"), ("Privacy", "history")], ""),
        ([("Diversion", "<sip:+491@h>"), ("History-Info", "<sip:+492@h>;index=1")], "+491"),
    ],
)
def test_who_was_called_first(headers: list[tuple[str, str]], first: str) -> None:
    """RFC 5806 5.2, RFC 7044 5."""
    assert call_parties(invite(*headers), trusted=False).diverted_from == first


def test_a_display_name_is_cleaned() -> None:
    sender = '"  A\u202elice\x00\x1b[31m \N{LATIN SMALL LETTER E WITH ACUTE}\u2028' + "x" * 200 + '" <sip:a@h>'
    display = call_parties(invite(sender=sender), trusted=False).display
    assert display == "Alice[31m é " + "x" * 68


@given(st.text(), st.integers(1, 80))
def test_a_cleaned_text_is_short_and_shows_what_it_is(text: str, longest: int) -> None:
    result = cleaned(text, longest)
    assert len(result) <= longest
    assert result == result.strip()
    assert not any(unicodedata.category(letter)[0] == "C" for letter in result)
    assert "\n" not in json.dumps(result)
    assert result.isprintable()


HEADER = st.tuples(
    st.sampled_from(["P-Asserted-Identity", "Diversion", "History-Info", "Privacy", "Contact"]),
    st.text(st.sampled_from('<>";,=sip:tel+49@h?% \\éx\x00'), max_size=40),
)  # fmt: skip


@given(st.lists(HEADER, max_size=6), st.booleans())
def test_any_request_that_parses_has_parties(headers: list[tuple[str, str]], trusted: bool) -> None:
    try:
        request = parse(encode(invite(*headers)))
    except MalformedMessage:
        return
    assert isinstance(request, Request)
    parties = call_parties(request, trusted=trusted)
    for text in (parties.caller, parties.called, parties.diverted_from, parties.display):
        assert cleaned(text, 80) == text
