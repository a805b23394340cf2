"""Nobody but the caller gets sound that the caller asks for, before it is sure that it is the caller who asks."""

import pytest

from tests.rtp.streams import CALLER, PLAN, STRANGER, frame, sound, stream

TRUNK = "198.51.100.1"
"Where the call comes from; its sound is asked for at another address."


def test_before_the_call_is_confirmed_a_third_party_gets_nothing() -> None:
    calling = stream(peer=TRUNK)
    calling.queue([frame(1)])
    for number in range(3):
        assert calling.receive(sound(number), CALLER, 0.02 * number)
        assert calling.tick() == ()
    assert calling.goodbye(6.0) == ()
    assert calling.queued == 1


def test_what_was_queued_meanwhile_is_heard_from_its_beginning() -> None:
    calling = stream(peer=TRUNK)
    calling.queue([frame(1)])
    assert calling.tick() == ()
    calling.confirm()
    ((datagram, to),) = calling.tick()
    assert (datagram[12:], to) == (frame(1), CALLER)


def test_where_the_call_comes_from_sound_goes_at_once() -> None:
    calling = stream(peer=CALLER[0])
    calling.queue([frame(1)])
    ((_, to),) = calling.tick()
    assert to == CALLER


def test_a_call_that_we_place_needs_no_confirmation() -> None:
    ((_, to),) = stream().tick()
    assert to == CALLER


def test_another_offer_asks_for_confirmation_only_once() -> None:
    calling = stream(peer=TRUNK)
    calling.confirm()
    calling.use(PLAN, 1.0)
    assert len(calling.tick()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::"])
def test_who_calls_from_another_machine_gets_no_sound_sent_to_this_one(host: str) -> None:
    calling = stream(peer=TRUNK, remote=(host, 53), rtcp_remote=(host, 54))
    calling.confirm()
    calling.queue([frame(1)])
    assert calling.tick() == ()
    assert calling.queued == 0, "time goes on"
    assert calling.goodbye(6.0) == ()


def test_on_this_machine_sound_may_stay_on_it() -> None:
    calling = stream(peer="127.0.0.1", remote=("127.0.0.2", 4000))
    calling.confirm()
    ((_, to),) = calling.tick()
    assert to == ("127.0.0.2", 4000)


def test_a_stranger_who_was_first_loses_the_call_to_where_it_comes_from() -> None:
    calling = stream(peer=TRUNK, remote=("10.0.0.5", 4000))  # behind an address translator
    calling.confirm()
    assert calling.receive(sound(1), STRANGER, 0.0)
    assert calling.receive(sound(2), (TRUNK, 7000), 0.02)
    ((_, to),) = calling.tick()
    assert to == (TRUNK, 7000)
    assert calling.receive(sound(3), STRANGER, 0.04) == ()
    assert calling.statistics.foreign == 1


def test_the_address_that_was_named_wins_over_where_the_call_comes_from() -> None:
    calling = stream(peer=TRUNK)
    calling.confirm()
    calling.receive(sound(1), (TRUNK, 7000), 0.0)
    calling.receive(sound(2), CALLER, 0.02)
    calling.receive(sound(3), (TRUNK, 7000), 0.04)
    ((_, to),) = calling.tick()
    assert to == CALLER
