"""Which orders of calls are taken, and that one id is one call."""

from typing import Any

import pytest

from ivr.gateway.dial_plan import DialPlan, Trunk, trunk_uri
from ivr.gateway.order_book import MOST_REMEMBERED, REMEMBERED, CallOrder, Load, NotTaken, OrderBook, OrderRules

FREE = Load()
TO = "+436601234567"


def rules(**known: Any) -> OrderRules:
    plan = DialPlan(Trunk(*trunk_uri("sip:trunk.example.com")))
    chosen: dict[str, Any] = {"targets": ("+43*", "sip:*@pbx.example.com", "!+43900*"), "plan": plan}
    return OrderRules(**chosen | known)


def order(number: int = 1, to: str = TO, **known: Any) -> CallOrder:
    return CallOrder(f"{number:032x}", to, **known)


def refused(book: OrderBook, wanted: CallOrder, now: float = 0.0, load: Load = FREE) -> NotTaken:
    with pytest.raises(NotTaken) as found:
        book.take(wanted, now, load)
    return found.value


def test_an_order_is_one_call_however_often_it_comes() -> None:
    book = OrderBook(rules())
    placed = book.take(order(), 0.0, FREE)
    assert placed is not None
    assert (placed.target, placed.ring, placed.caller) == (TO, 45.0, None)
    assert book.take(order(), 1.0, FREE) is None
    book.ended(order().id, 10.0)
    assert book.take(order(), 10.0 + REMEMBERED - 1, FREE) is None
    assert book.take(order(), 10.0 + REMEMBERED, FREE) is not None


def test_a_known_order_is_answered_the_same_also_when_nothing_is_taken_any_more() -> None:
    book = OrderBook(rules(at_once=1, a_minute=1))
    book.take(order(), 0.0, FREE)
    assert book.take(order(), 1.0, Load(full=True, draining=True)) is None


@pytest.mark.parametrize("other", [{"to": "+436601234568"}, {"ring": 46.0}, {"caller": "+4315550100"}])
def test_another_order_under_the_same_id_is_a_conflict(other: dict[str, Any]) -> None:
    book = OrderBook(rules(callers=("+4315550100",)))
    book.take(order(), 0.0, FREE)
    assert (refused(book, order(**other)).status, refused(book, order(**other)).why) == (409, "id-used")
    book.ended(order().id, 0.0)
    assert refused(book, order(**other)).status == 409


@pytest.mark.parametrize("call", ["", "x" * 32, "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "\n", "٠" * 32])
def test_an_id_is_32_hexadecimal_digits(call: str) -> None:
    assert refused(OrderBook(rules()), CallOrder(call, TO)).status == 400


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("+4490012345", 403),
        ("+43900123456", 403),
        ("+43 900 123-456", 403),
        ("tel:+43900123456", 403),
        ("sip:+43900123456@pbx.example.com", 403),
        ("sip:+43-900-123456@pbx.example.com", 403),
        ("sip:%2B43900123456@pbx.example.com", 422),
        ("sip:desk@evil.example", 403),
        ("sip:desk@pbx.example.com:5070", 403),
        ("sip:desk@pbx.example.com;maddr=evil.example", 422),
        ("sip:desk@pbx.example.com;transport=tls", 422),
        ("sip:desk@pbx.example.com?Replaces=x", 422),
        ("sip:desk@pbx.example.com\r\nX-Evil: 1", 422),
        ("sip:desk%0d%0aX@pbx.example.com", 422),
        ("sip:a>b@pbx.example.com", 422),
        ("<sip:desk@pbx.example.com>", 422),
        ("sip:desk@pbx.example.com, sip:desk@evil.example", 422),
        ("00436601234567", 422),
        ("", 422),
        ("+43" + "6" * 300, 422),
        ("sip:" + "d" * 300 + "@pbx.example.com", 422),
        ("+٤٣٦٦٠١٢٣٤٥٦٧", 422),
    ],
)
def test_nobody_is_called_whom_no_pattern_names(to: str, status: int) -> None:
    refusal = refused(OrderBook(rules()), order(to=to))
    assert refusal.status == status
    assert to == "" or to not in str(refusal)


def test_only_callers_that_are_named_are_shown() -> None:
    book = OrderBook(rules(callers=("+4315550100", "+4315550101")))
    first, second = book.take(order(1), 0.0, FREE), book.take(order(2, caller="+43 1 5550101"), 0.0, FREE)
    assert first is not None
    assert second is not None
    assert (first.caller, second.caller) == ("+4315550100", "+4315550101")
    for caller in ("+4315550102", "anonymous", "sip:x@y\r\nZ: 1", ""):
        assert refused(book, order(3, caller=caller)).status == 403


@pytest.mark.parametrize("ring", [4.9, 120.1, -1.0, float("inf"), float("nan")])
def test_it_is_rung_for_5_to_120_seconds(ring: float) -> None:
    assert refused(OrderBook(rules()), order(ring=ring)).status == 400


def test_a_number_without_a_trunk_cannot_be_called() -> None:
    assert refused(OrderBook(rules(plan=DialPlan())), order()).status == 422


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_so_many_a_minute_and_when_the_next_may_come() -> None:
    book = OrderBook(rules(a_minute=2))
    for number, now in ((1, 0.0), (2, 30.0)):
        book.take(order(number), now, FREE)
        book.ended(order(number).id, now)
    refusal = refused(book, order(3), 45.5)
    assert (refusal.status, refusal.why, refusal.retry_after) == (429, "rate", 15)
    assert book.take(order(3), 60.0, FREE) is not None
    assert refused(book, order(4), 60.0).retry_after == 30


def test_so_many_at_once() -> None:
    book = OrderBook(rules(at_once=2))
    book.take(order(1), 0.0, FREE)
    book.take(order(2), 0.0, FREE)
    assert (refused(book, order(3)).status, refused(book, order(3)).why) == (429, "at-once")
    book.ended(order(1).id, 1.0)
    assert book.take(order(3), 1.0, FREE) is not None


@pytest.mark.parametrize(("load", "why"), [(Load(full=True), "calls"), (Load(draining=True), "draining")])
def test_a_gateway_without_room_says_when_to_ask_again(load: Load, why: str) -> None:
    book = OrderBook(rules())
    refusal = refused(book, order(), 0.0, load)
    assert (refusal.status, refusal.why) == (503, why)
    assert refusal.retry_after
    assert book.take(order(), 1.0, FREE) is not None  # it was not remembered


def test_what_is_remembered_is_bounded_and_the_oldest_end_is_forgotten_first() -> None:
    book = OrderBook(rules(at_once=MOST_REMEMBERED * 2, a_minute=MOST_REMEMBERED * 2))
    for number in range(MOST_REMEMBERED + 5):
        book.take(order(number), 0.0, FREE)
        book.ended(order(number).id, 0.0)
    book.take(order(MOST_REMEMBERED + 6), 0.0, FREE)
    assert len(book) == MOST_REMEMBERED + 1
    assert book.take(order(MOST_REMEMBERED), 0.0, FREE) is None
    assert book.take(order(0), 0.0, FREE) is not None
    book.ended("f" * 32, 0.0)  # of a call that nobody ordered: nothing
