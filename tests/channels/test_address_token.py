"""Tokens in addresses: made for one step of one call, and good for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.address_token import MAX_STEP, AddressTokens
from ivr.ports import CallKey

TOKENS = AddressTokens(b"k" * 32)
CALL = CallKey("twilio", "AC1", "CA1")
steps = st.text("abcXYZ019._-", min_size=1, max_size=MAX_STEP)


@given(steps, st.text(), st.text(), st.text())
def test_a_token_names_its_step_in_its_call(step: str, channel: str, account: str, call: str) -> None:
    key = CallKey(channel, account, call)
    token = TOKENS.make(key, step)
    assert TOKENS.read(key, token) == step
    assert token == TOKENS.make(key, step)
    assert token.isascii()
    assert not set(token) & set("&?#=+%/ ")


@given(steps)
def test_it_is_no_token_of_another_call_account_channel_or_key(step: str) -> None:
    token = TOKENS.make(CALL, step)
    for other in (CallKey("twilio", "AC1", "CA2"), CallKey("twilio", "AC2", "CA1"), CallKey("telnyx", "AC1", "CA1")):
        assert TOKENS.read(other, token) is None
    assert AddressTokens(b"x" * 32).read(CALL, token) is None


def test_parts_of_a_call_cannot_be_moved_from_one_to_the_other() -> None:
    assert TOKENS.make(CallKey("a", "b1", "c"), "1") != TOKENS.make(CallKey("a", "b", "1c"), "1")


@given(st.text(max_size=120))
def test_what_was_not_made_here_is_none(text: str) -> None:
    assert TOKENS.read(CALL, text) is None


@given(steps, st.integers(0, 200), st.text(min_size=1, max_size=1))
def test_a_changed_token_is_none(step: str, place: int, letter: str) -> None:
    token = TOKENS.make(CALL, step)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    assert TOKENS.read(CALL, changed) in (None, step if changed == token else None)


@pytest.mark.parametrize("step", ["", "a b", "ä", "a~b", "a/b", "a" * (MAX_STEP + 1)])
def test_a_name_that_cannot_stand_in_an_address_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        TOKENS.make(CALL, step)
