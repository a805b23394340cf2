"""Who gives a place up first: the rule by itself, without a socket."""

import itertools

import pytest

from ivr.server.connection_places import ConnectionPlaces, Standing

NEVER = float("-inf")


class Guest:
    def __init__(self, standing: Standing, *, quiet_since: float = 0.0, undelivered: bool = False) -> None:
        self.standing, self.quiet_since, self.undelivered = standing, quiet_since, undelivered


@pytest.mark.parametrize(("sooner", "later"), [*itertools.combinations(Standing, 2)])
def test_who_has_done_less_goes_first_whatever_the_age(sooner: Standing, later: Standing) -> None:
    places: ConnectionPlaces[Guest] = ConnectionPlaces(2)
    places.rest(Guest(later, quiet_since=1.0))
    young = Guest(sooner, quiet_since=1000.0)
    places.rest(young)
    assert places.first_to_go(quiet_before=1001.0) is young


@pytest.mark.parametrize("standing", Standing)
def test_of_equals_the_longest_quiet_goes_first(standing: Standing) -> None:
    places: ConnectionPlaces[Guest] = ConnectionPlaces(3)
    first, second, third = (Guest(standing) for _ in range(3))
    for guest in (first, second, third, first):  # the first has said something since
        places.rest(guest)
    for guest in (second, third, first):
        assert places.first_to_go(quiet_before=0.0) is guest
        places.leave(guest)
    assert (places.first_to_go(quiet_before=0.0), len(places)) == (None, 0)


def test_the_newest_few_are_given_time_to_say_something() -> None:
    places: ConnectionPlaces[Guest] = ConnectionPlaces(32)
    silent = [Guest(Standing.SILENT) for _ in range(3)]
    half = [Guest(Standing.UNFINISHED) for _ in range(3)]
    answered, known = Guest(Standing.ANSWERED), Guest(Standing.LET_IN)
    for guest in (known, answered, *half, *silent):
        places.rest(guest)
    for guest in (silent[0], half[0], answered, *silent[1:], *half[1:], known):
        assert places.first_to_go(quiet_before=0.0) is guest
        places.leave(guest)


def test_who_was_let_in_or_is_owed_an_answer_has_a_moment_to_itself() -> None:
    places: ConnectionPlaces[Guest] = ConnectionPlaces(2)
    places.rest(Guest(Standing.LET_IN))
    places.rest(Guest(Standing.ANSWERED, undelivered=True))
    assert places.first_to_go(quiet_before=NEVER) is None
    stranger = Guest(Standing.ANSWERED)
    places.rest(stranger)
    assert places.first_to_go(quiet_before=NEVER) is stranger


def test_who_is_busy_gives_way_to_nobody() -> None:
    places: ConnectionPlaces[Guest] = ConnectionPlaces(1)
    guest = Guest(Standing.SILENT)
    places.rest(guest)
    places.work(guest)
    assert (places.full, places.busy, list(places.resting())) == (True, 1, [])
    assert places.first_to_go(quiet_before=0.0) is None
    guest.standing = Standing.LET_IN
    places.rest(guest)
    assert (places.full, places.busy, list(places.resting())) == (True, 0, [guest])
