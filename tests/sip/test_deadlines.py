"""The heap of moments holds one for each thing, however often it changes."""

from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.deadlines import Deadlines


def test_what_is_due_comes_in_order_and_what_was_put_off_later() -> None:
    due: dict[str, float | None] = {"a": 3.0, "b": 1.0, "c": 2.0}
    deadlines: Deadlines[str] = Deadlines(due.get)
    for key in due:
        deadlines.changed(key)
    due["b"] = 5.0
    deadlines.changed("b")
    assert deadlines.first == 1.0
    taken = []
    for key in deadlines.take_due(3.0):
        taken.append(key)
        due[key] = None
    assert taken == ["c", "a"]
    assert deadlines.first == 5.0


def test_what_is_gone_is_forgotten_at_once() -> None:
    due: dict[int, float | None] = {}
    deadlines: Deadlines[int] = Deadlines(due.get)
    for key in range(10_000):
        due[key] = 1e9
        deadlines.changed(key)
        due[key] = None
        deadlines.changed(key)
    assert (len(deadlines), deadlines.first) == (0, None)
    assert len(deadlines._heap) < 100


def test_moments_that_are_brought_forward_again_and_again_do_not_pile_up() -> None:
    due: dict[str, float | None] = {}
    deadlines: Deadlines[str] = Deadlines(due.get)
    for round_ in range(10_000):
        for moment in (1e9, float(round_)):
            due["call"] = moment
            deadlines.changed("call")
        assert list(deadlines.take_due(round_ - 1.0)) == []
        due["call"] = None
        deadlines.changed("call")
    assert len(deadlines._heap) < 100


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 30))), max_size=40))
def test_it_never_misses_a_moment(changes: list[tuple[int, int | None]]) -> None:
    due: dict[int, float | None] = {}
    deadlines: Deadlines[int] = Deadlines(due.get)
    for now, (key, moment) in enumerate(changes):
        due[key] = moment
        deadlines.changed(key)
        expected = {each for each, at in due.items() if at is not None and at <= now}
        first = min((at for at in due.values() if at is not None), default=None)
        assert deadlines.first is None if first is None else (deadlines.first or 0) <= first
        taken = set()
        for each in deadlines.take_due(now):
            taken.add(each)
            due[each] = None
        assert taken == expected
