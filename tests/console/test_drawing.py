"""Pictures of flows: everything is in them, nothing covers anything else, and nothing breaks out."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flowfile.chart import ANY, Arrow, Box, Chart, chart_of, drawn_from
from ivr.flowfile.load import load_flow
from ivr.server.drawing.layout import BOX_HEIGHT, LABEL_LINE, LABEL_SIZE, Layout, layout_of
from ivr.server.drawing.svg import Marks, Numbers, picture
from ivr.server.drawing.text_size import LONGEST_LINE, lines_of, width_of

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
NAMES = [f"state_{number}" for number in range(9)]

arrows = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.text("abc ", max_size=90)),
    max_size=24,
    unique_by=lambda arrow: arrow[:2],
)


def chart(*transitions: tuple[str, str, str]) -> Chart:
    boxes = tuple(Box(name, "say", name == NAMES[0]) for name in NAMES)
    return Chart(boxes, tuple(Arrow(source, target, (label,)) for source, target, label in transitions))


def rectangles(layout: Layout) -> list[tuple[str, float, float, float, float]]:
    return [(p.box.name, p.x, p.y, p.x + p.width, p.y + BOX_HEIGHT) for p in layout.places]


def test_every_shipped_flow_has_a_picture_with_all_its_states_and_ways() -> None:
    for file in FLOWS:
        flow = load_flow(file).served()
        drawn = picture(chart_of(flow), flow.name)
        assert set(re.findall(r'data-state="([^"]+)"', drawn)) == {*flow.states, ANY}
        transitions = {
            (name, branch.target) for name, state in flow.states.items() for bs in state.on.values() for branch in bs
        }
        assert transitions <= set(re.findall(r'data-from="([^"]+)" data-to="([^"]+)"', drawn))


@given(arrows)
def test_no_box_covers_another_and_all_is_within_the_picture(transitions: list[tuple[str, str, str]]) -> None:
    layout = layout_of(chart(*transitions))
    for (_, left, top, right, bottom), (_, left2, top2, right2, bottom2) in combinations(rectangles(layout), 2):
        assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
    for _, left, top, right, bottom in rectangles(layout):
        assert left >= 0
        assert top >= 0
        assert right <= layout.width
        assert bottom <= layout.height


@given(arrows)
def test_every_arrow_leads_from_its_box_to_its_other_box(transitions: list[tuple[str, str, str]]) -> None:
    layout = layout_of(chart(*transitions))
    boxes = {name: edges for name, *edges in rectangles(layout)}
    assert {(route.arrow.source, route.arrow.target) for route in layout.routes} == {
        transition[:2] for transition in transitions
    }
    for route in layout.routes:
        for end, name in ((route.points[0], route.arrow.source), (route.points[-1], route.arrow.target)):
            left, top, right, bottom = boxes[name]
            assert left - 0.1 <= end[0] <= right + 0.1
            assert top - 0.1 <= end[1] <= bottom + 0.1


@given(arrows)
def test_no_label_lies_on_a_box_or_leaves_the_picture(transitions: list[tuple[str, str, str]]) -> None:
    layout = layout_of(chart(*transitions))
    for route in layout.routes:
        x, y = route.label
        high = LABEL_LINE * len(route.lines) / 2
        wide = max((width_of(line, LABEL_SIZE) for line in route.lines), default=0.0) / 2
        for _, left, top, right, bottom in rectangles(layout):
            assert y + high <= top or y - high >= bottom or x + wide <= left or x - wide >= right
        assert x - wide >= 0
        assert x + wide <= layout.width


@given(st.lists(st.text("abc_. ,=", max_size=120), max_size=4))
def test_a_label_is_written_whole_however_long_it_is(labels: list[str]) -> None:
    lines = lines_of(labels)
    assert "".join("".join(lines).split()) == "".join(", ".join(labels).split())
    assert all(line and len(line) <= LONGEST_LINE for line in lines)


def test_a_long_label_is_broken_between_its_words() -> None:
    assert lines_of(["[now >= '08:00' and now < '18:00' and attempts_left > 0]"]) == (
        "[now >= '08:00' and",
        "now < '18:00' and",
        "attempts_left > 0]",
    )
    assert lines_of(["error.transcribe", "recorded"]) == ("error.transcribe,", "recorded")
    assert lines_of([]) == ()


@given(arrows)
def test_the_same_flow_always_gives_the_same_picture(transitions: list[tuple[str, str, str]]) -> None:
    assert picture(chart(*transitions), "a") == picture(chart(*transitions), "a")


def test_ways_lead_downwards_unless_they_lead_back() -> None:
    layout = layout_of(chart(("state_0", "state_1", ""), ("state_1", "state_2", ""), ("state_2", "state_0", "again")))
    tops = {place.box.name: place.y for place in layout.places}
    assert tops["state_0"] < tops["state_1"] < tops["state_2"]
    back = next(route for route in layout.routes if route.arrow.labels == ("again",))
    assert back.points[0][1] > back.points[-1][1]


def test_a_flow_of_a_thousand_states_in_a_row_is_drawn() -> None:
    names = [f"s{number}" for number in range(1000)]
    transitions = tuple(Arrow(one, other, ()) for one, other in pairwise(names))
    layout = layout_of(Chart(tuple(Box(name, "say") for name in names), transitions))
    assert len({place.y for place in layout.places}) == 1000


def test_nothing_at_all_can_be_drawn() -> None:
    assert "<svg" in picture(Chart((), ()), "nothing")


def test_what_an_author_wrote_cannot_break_out() -> None:
    evil = '"><script>alert(1)</script>'
    drawn = picture(Chart((Box(evil, evil, True),), (Arrow(evil, evil, (evil,)),)), evil)
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_numbers_and_marks_are_drawn_where_they_belong() -> None:
    drawn = picture(
        chart(("state_0", "state_1", "yes"), ("state_0", "state_2", "no")),
        "a",
        numbers=Numbers({("state_0", "state_1"): 12_345}, {"state_0": 3}, 20_000),
        marks=Marks("state_1", {"state_0", "state_1"}, {("state_0", "state_1")}),
    )
    assert "state_0 to state_1: yes (12345 calls)" in drawn
    assert re.search(r'<tspan class="count"> 12k</tspan>', drawn)
    assert re.search(r'<g class="way never" data-from="state_0" data-to="state_2"', drawn)
    assert re.search(r'<g class="state lit been" data-state="state_1"', drawn)
    assert "state_0 (say): 3 hung up here" in drawn


@pytest.mark.parametrize(
    ("state", "event", "box"),
    [("main", "problem", "main"), ("main", "exhausted", ANY), ("report", "error.transcribe.failed", "report"),
     ("report", "error.system", ANY), ("", "called", ""), ("gone", "x", "gone")],
)  # fmt: skip
def test_a_way_that_was_taken_is_found_where_it_is_drawn(state: str, event: str, box: str) -> None:
    flow = load_flow(next(file for file in FLOWS if file.stem == "flight-desk")).served()
    assert drawn_from(flow, state, event) == box
