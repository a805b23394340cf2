"""Which number leads to which bot: maps, forms of one number, and numbers that a stranger makes up."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.gateway.numbers import NumberPlan, UnusableTarget, comparable, hosts
from ivr.sip.caller_identity import plain_number

BOT = "http://127.0.0.1:8080/call"


def plan(**mapped: str) -> NumberPlan:
    return NumberPlan.of(BOT, mapped)


def test_without_a_map_every_number_leads_to_the_bot() -> None:
    assert NumberPlan.of(BOT, {}).bot_for("anything at all") == BOT
    assert NumberPlan.of(BOT, {}).bot_for("") == BOT


def test_with_a_map_other_numbers_are_not_served_unless_it_has_a_star() -> None:
    mapped = {"support": "/call/support"}
    assert NumberPlan.of(BOT, mapped).bot_for("sales") is None
    assert NumberPlan.of(BOT, mapped | {"*": "/call/other"}).bot_for("sales") == "http://127.0.0.1:8080/call/other"


@pytest.mark.parametrize("written", ["+49891234", "49891234", "+49 (89) 12-34", "+49.89.1234"])
@pytest.mark.parametrize("called", ["+49891234", "49891234", "+49-89-1234"])
def test_one_number_in_all_its_forms_is_one(written: str, called: str) -> None:
    assert NumberPlan.of(BOT, {written: "/call/munich"}).bot_for(called) == "http://127.0.0.1:8080/call/munich"


def test_letters_are_compared_without_case() -> None:
    assert plan(Support="/call/support").bot_for("SUPPORT") == "http://127.0.0.1:8080/call/support"


def test_separators_belong_to_a_name() -> None:
    assert comparable("my-flow.2") == "my-flow.2"
    assert plain_number("my-flow.2") == "my-flow.2"


def test_a_number_is_put_into_the_address_as_it_was_called() -> None:
    any_number = NumberPlan.of(BOT, {"*": "/call/{number}?n={number}"})
    assert any_number.bot_for("support") == "http://127.0.0.1:8080/call/support?n=support"
    assert any_number.bot_for("+49 89") == "http://127.0.0.1:8080/call/%2B4989?n=%2B4989"
    odd = "a%2F..%2Fb%3Fc%23d%26e%3D%25"
    assert any_number.bot_for("a/../b?c#d&e=%") == f"http://127.0.0.1:8080/call/{odd}?n={odd}"


@pytest.mark.parametrize("called", [".", "..", "5" * 129])
def test_a_number_that_would_mean_something_else_in_a_path_is_not_served(called: str) -> None:
    assert NumberPlan.of(BOT, {"*": "/call/{number}"}).bot_for(called) is None


@given(st.text(max_size=200))
def test_a_called_number_never_changes_where_the_address_leads(called: str) -> None:
    url = NumberPlan.of(BOT, {"*": "/call/{number}"}).bot_for(called)
    if url is None:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("http", "127.0.0.1:8080", "", "")
    assert parts.path.count("/") == 2
    assert unquote(parts.path).removeprefix("/call/") == plain_number(called)


def test_a_whole_address_is_kept_and_its_host_can_be_asked_for() -> None:
    mapped = plan(desk="https://bots.example.com/desk", night="/night")
    assert mapped.bot_for("desk") == "https://bots.example.com/desk"
    assert hosts(mapped) == {"127.0.0.1", "bots.example.com"}


@pytest.mark.parametrize(
    "target",
    ["call/support", "//elsewhere/call", "ftp://x/y", "https://", "https://{number}.example.com/", "http://u:p@h/", ""],
)
def test_a_target_that_is_no_address_is_refused_with_what_one_is(target: str) -> None:
    with pytest.raises(UnusableTarget, match="such as /call/support") as refused:
        plan(x=target)
    assert "u:p" not in str(refused.value)


def test_a_target_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnusableTarget, match="not an address"):
        plan(x="http://[/")
