"""`split`: the same caller gets the same share, and shares are as large as they are written (LANGUAGE C4)."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallReceived
from ivr.engine.machine import step
from tests.caller import Caller
from tests.flows import flow_of

TEXT = """
flow: trial
initial: deal
on: {exhausted: bye, error: bye}
states:
  deal:
    split: {name: NAME, shares: SHARES, into: share BY}
    on: {short: hello}
    next: welcome
  hello: {say: "Hello {{ share }}.", next: bye}
  welcome: {say: "Welcome {{ share }}.", next: bye}
  bye: {say: Goodbye., final: true}
"""


def share(
    who: str | None,
    *,
    name: str = "greeting",
    shares: str = "{short: 50, long: 50}",
    by: str = "",
    call: str = "0" * 32,
) -> str:
    flow = flow_of(TEXT.replace("NAME", name).replace("SHARES", shares).replace("BY", f", by: {by}" if by else ""))
    begun = new_call(flow.hash, Facts(id=call, channel="test"))
    taken = step(flow, begun, CallReceived(who, "28:bot"), now=1000.0).path[1]
    return taken.event


def test_a_share_is_an_event_and_its_name_is_kept() -> None:
    flow = flow_of(TEXT.replace("NAME", "greeting").replace("SHARES", "{short: 100, long: 0}").replace("BY", ""))
    assert Caller(flow).hears("Hello short. Goodbye.").variable("share") == "short"
    assert flow.states["deal"].action.keeps == "share"
    flow = flow_of(TEXT.replace("NAME", "greeting").replace("SHARES", "{short: 0, long: 100}").replace("BY", ""))
    Caller(flow).hears("Welcome long. Goodbye.")


def test_the_hash_never_changes_so_that_no_running_experiment_is_dealt_again() -> None:
    """Computed once: SHA-256 of name, line end and value, its first 8 bytes as a part of the whole."""
    dealt = [share(f"+43 664 {number}") for number in range(12)]
    long = {0, 1, 2, 3, 5, 7, 8, 9}
    assert [number for number, one in enumerate(dealt) if one == "long"] == sorted(long)


def test_a_new_name_deals_again_and_the_name_of_the_state_does_not() -> None:
    callers = [f"29:{number}" for number in range(200)]
    one, other = ([share(who, name=name) for who in callers] for name in ("one", "two"))
    assert 60 < sum(a == b for a, b in zip(one, other, strict=True)) < 140
    renamed = flow_of(
        TEXT.replace("deal", "again")
        .replace("NAME", "one")
        .replace("SHARES", "{short: 50, long: 50}")
        .replace("BY", "")
    )
    begun = new_call(renamed.hash, Facts(id="0" * 32, channel="test"))
    again = [step(renamed, begun, CallReceived(who, "28:bot"), now=1.0).path[1].event for who in callers]
    assert again == one


def test_a_withheld_number_is_dealt_by_the_call() -> None:
    calls = [f"{number:032x}" for number in range(100)]
    assert [share(None, call=call) for call in calls] == [share("29:anna", by="call.id", call=call) for call in calls]
    assert {share(None, call=call) for call in calls} == {"short", "long"}


@pytest.mark.parametrize("by", ["call.to", "visits.deal", "call.from == call.to", "today"])
def test_callers_can_be_dealt_by_other_values(by: str) -> None:
    assert len({share(f"29:{number}", by=by) for number in range(20)}) == 1


def test_shares_are_as_large_as_they_are_written() -> None:
    shares = "{short: 12.5, long: 62.5, other: 25}"
    counts = Counter(share(f"29:{number}", shares=shares) for number in range(4000))
    assert 400 < counts["short"] < 600
    assert 2300 < counts["long"] < 2700
    assert 850 < counts["other"] < 1150


@given(st.text(max_size=40), st.integers(0, 100))
def test_where_a_share_at_the_end_grows_only_callers_of_its_neighbour_change(who: str, size: int) -> None:
    before = share(who, shares="{short: 20, b: 40, c: 40}")
    after = share(who, shares="{short: 20, b: 30, c: 50}")
    assert (before, after) in {("short", "short"), ("b", "b"), ("b", "c"), ("c", "c")}
    assert share(who, shares=f"{{short: {size}, b: {100 - size}}}") in {"short", "b"}
