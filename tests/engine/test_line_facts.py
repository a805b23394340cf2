"""Facts of a line: what is new of them, and what they are with the news."""

from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.line_facts import LineFacts

FACTS = st.builds(
    LineFacts,
    kind=st.none() | st.just("sip"),
    codec=st.none() | st.sampled_from(["PCMA", "PCMU"]),
    encrypted=st.none() | st.booleans(),
    packets=st.none() | st.integers(0, 2),
)


def test_news_replace_what_was_told_and_leave_the_rest() -> None:
    known = LineFacts(kind="sip", codec="PCMA", packets=0)
    assert known.updated(LineFacts(codec="PCMU", encrypted=False)) == LineFacts(
        kind="sip", codec="PCMU", encrypted=False, packets=0
    )


@given(FACTS, FACTS)
def test_who_is_told_what_is_new_knows_all(told: LineFacts, now: LineFacts) -> None:
    assert told.updated(now.since(told)) == told.updated(now)


@given(FACTS)
def test_the_same_again_is_no_news(facts: LineFacts) -> None:
    assert facts.since(facts) == LineFacts()
