"""Who may begin a conversation on a page, and how often; who may go on with one, and for how long."""

from typing import Any

import pytest

from ivr.auth.page_tokens import PageTokens
from ivr.errors import WebhookError
from ivr.server.chat_page.visits import LONGEST_TALK, TALK_LIFE, Begun, VisitLimits, Visits

NOW = 1_800_000_000.0
SITE, OTHER = "https://www.example.com", "https://shop.example.com"
TOKENS = PageTokens(b"k" * 32)


def visits(**more: Any) -> Visits:
    made: dict[str, Any] = {"default": lambda: "desk", "sites": (SITE, OTHER), "life": 600.0, **more}
    return Visits(TOKENS, lambda: ("desk", "shop"), **made)


def begun(one: Visits, token: str = "", *, now: float = NOW, **more: str) -> Begun:
    return one.begun(token, **{"site": SITE, "flow": "", "before": "", "address": "192.0.2.1", **more}, now=now)


def refusal(what: Any, *args: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(WebhookError) as caught:
        what(*args, **more)
    return caught.value.status, caught.value.code


def visitor(one: Visits, user: str = "anna", flow: str = "desk", site: str = SITE, now: float = NOW) -> str:
    token, life = one.for_visitor(user, flow, site, now=now)
    assert life == 600.0
    return token


def test_a_visitor_begins_a_conversation_that_nobody_can_guess_and_only_its_token_reads_it() -> None:
    one = visits()
    first, second = begun(one, visitor(one)), begun(one, visitor(one))
    assert (first.user, first.flow, first.life) == ("anna", "desk", TALK_LIFE)
    assert first.conversation != second.conversation
    assert len(first.conversation) >= 32
    assert one.reader(first.token, now=NOW) == (first.conversation, "https://www.example.com anna")
    assert refusal(one.reader, visitor(one), now=NOW) == (401, "token")
    assert refusal(one.reader, first.token, now=NOW + TALK_LIFE) == (401, "token")


def test_a_visitors_token_is_for_its_flow_its_site_and_its_time() -> None:
    one = visits()
    assert begun(one, visitor(one, flow="shop"), flow="desk").flow == "shop"
    assert refusal(begun, one, visitor(one), site=OTHER) == (403, "token-site")
    assert refusal(begun, one, visitor(one), site="") == (403, "token-site")
    assert refusal(begun, one, visitor(one), now=NOW + 600.0) == (401, "token")
    assert refusal(begun, one, "") == (401, "token")


@pytest.mark.parametrize(
    ("user", "flow", "site", "code"),
    [
        ("", "desk", SITE, "user"),
        ("x" * 129, "desk", SITE, "user"),
        ("a\nb", "desk", SITE, "user"),
        ("anna", "desk", "https://evil.example", "site"),
        ("anna", "desk", "null", "site"),
        ("anna", "nothing", SITE, "flow"),
    ],
)
def test_no_token_is_made_for_what_is_not_known(user: str, flow: str, site: str, code: str) -> None:
    assert refusal(visits().for_visitor, user, flow, site, now=NOW) == (422, code)


def test_without_a_default_flow_one_has_to_be_named() -> None:
    assert refusal(visits(default=lambda: None).for_visitor, "anna", "", SITE, now=NOW) == (422, "flow")


def test_a_page_goes_on_with_its_own_conversation_and_with_nobody_elses() -> None:
    one = visits()
    mine = begun(one, visitor(one))
    assert begun(one, visitor(one), before=mine.token).conversation == mine.conversation
    for token, site in (
        (visitor(one, "bert"), SITE),
        (visitor(one, flow="shop"), SITE),
        (visitor(one, site=OTHER), OTHER),
    ):
        assert begun(one, token, before=mine.token, site=site).conversation != mine.conversation
    assert begun(one, visitor(one), before="forged").conversation != mine.conversation


def test_a_conversation_is_renewed_for_a_day_and_no_longer() -> None:
    one = visits()
    mine = begun(one, visitor(one))
    now = NOW
    while mine.life == TALK_LIFE:
        now += TALK_LIFE / 2
        mine = one.renewed(mine.token, now=now)
    assert now + mine.life == NOW + LONGEST_TALK
    later = NOW + LONGEST_TALK
    assert refusal(one.renewed, mine.token, now=later) == (401, "token")
    assert refusal(one.reader, mine.token, now=later) == (401, "token")


def test_a_page_of_our_own_needs_no_token_where_there_is_one() -> None:
    own = visits(own=True)
    assert begun(own, site="", flow="shop").flow == "shop"
    assert refusal(begun, own, site="", flow="nothing") == (422, "flow")
    assert refusal(begun, own, "forged", site="") == (401, "token")
    assert refusal(begun, own, site=SITE) == (403, "token-site")


def test_conversations_are_begun_so_often_and_no_more_by_user_and_by_address() -> None:
    one = visits(limits=VisitLimits(of_user=(1.0, 2.0), of_address=(1.0, 3.0)))
    for _ in range(2):
        begun(one, visitor(one))
    assert refusal(begun, one, visitor(one)) == (429, "too-often")
    assert begun(one, visitor(one, "bert"), address="192.0.2.2")
    assert refusal(begun, one, visitor(one, "carl")) == (429, "too-often")  # three tries from that address
    assert begun(one, visitor(one), now=NOW + 60.0)
