"""Who waits for messages: bounded in number, woken by their own conversation, let go when the server ends."""

from contextlib import ExitStack

import pytest

from ivr.errors import WebhookError
from ivr.server.chat_page.listeners import OF_ONE, OF_VISITOR, Listeners


def test_a_message_wakes_those_who_wait_for_its_conversation_and_nobody_else() -> None:
    listeners = Listeners(8)
    with (
        listeners.listening("a", "a") as one,
        listeners.listening("a", "a") as two,
        listeners.listening("b", "b") as other,
    ):
        listeners.wake("a")
        listeners.wake("nobody's")
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)


def test_of_too_many_for_one_conversation_the_one_that_waited_longest_is_let_go() -> None:
    listeners = Listeners(8)
    with ExitStack() as stack:
        waiting = [stack.enter_context(listeners.listening("a", "a")) for _ in range(OF_ONE + 3)]
        assert [one.is_set() for one in waiting] == [True] * 3 + [False] * OF_ONE


def test_one_visitor_with_any_number_of_conversations_leaves_places_for_others() -> None:
    listeners = Listeners(OF_VISITOR + 8)
    with ExitStack() as stack:
        waiting = [stack.enter_context(listeners.listening(f"{one}", "eve")) for one in range(OF_VISITOR + 3)]
        assert [one.is_set() for one in waiting] == [True] * 3 + [False] * OF_VISITOR


def test_ten_thousand_find_no_place_and_leave_nothing_behind() -> None:
    listeners = Listeners(8)
    with ExitStack() as stack:
        for number in range(8):
            stack.enter_context(listeners.listening(f"{number}", f"{number}"))
        for number in range(10_000):
            with (
                pytest.raises(WebhookError, match="Too many pages") as refused,
                listeners.listening(f"more {number}", f"more {number}"),
            ):
                pass
            assert refused.value.status == 503
        assert len(listeners) == 8
    assert len(listeners) == 0
    assert (vars(listeners)["_waiting"], vars(listeners)["_visitors"]) == ({}, {})
    with listeners.listening("again", "again"):
        assert len(listeners) == 1


def test_all_are_let_go_when_the_server_ends() -> None:
    listeners = Listeners(8)
    with listeners.listening("a", "a") as one, listeners.listening("b", "b") as other:
        listeners.close()
        assert one.is_set()
        assert other.is_set()
    assert listeners.closed
