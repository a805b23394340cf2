"""The picture as SVG. Colours are the style sheet's; there is no style and no script inside, so a strict policy holds.

A box is `<g class="state" data-state="…">`, an arrow `<g class="way" data-from="…" data-to="…">`: what a page needs to
light them. Everything that an author wrote is escaped.
"""

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from ivr.flowfile.chart import ANY, Chart
from ivr.server.drawing.layout import BOX_HEIGHT, LABEL_LINE, Layout, PlacedBox, Route, layout_of
from ivr.server.html import Html, tag

HEAD = 7.0
"Length of an arrow's head."
THICKEST = 5.0


class Numbers(Struct, frozen=True):
    """What calls did, to be written into a picture."""

    taken: Mapping[tuple[str, str], int]
    "Calls that took an arrow, by the names of its boxes."
    left: Mapping[str, int]
    "Callers who hung up, by state."
    calls: int


class Marks(Struct, frozen=True):
    """Where one call has been."""

    now: str = ""
    "Where it stands."
    states: Collection[str] = ()
    transitions: Collection[tuple[str, str]] = ()


def picture(
    chart: Chart,
    title: str,
    *,
    numbers: Numbers | None = None,
    marks: Marks | None = None,
    address: Callable[[str], str] | None = None,
) -> Html:
    """Draw a chart, with what calls did or where one call has been; `address` says where an invoked flow has a page."""
    layout = layout_of(chart, counted=numbers is not None)
    marks = marks or Marks()
    return tag(
        "svg",
        tag("title", title),
        *(_transition(route, numbers, marks) for route in layout.routes),
        *(_linked(place, _state(place, numbers, marks), address) for place in layout.places),
        class_="flow",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {layout.width:.0f} {layout.height:.0f}",
        width=f"{layout.width:.0f}",
        height=f"{layout.height:.0f}",
    )


def _linked(place: PlacedBox, drawn: Html, address: Callable[[str], str] | None) -> Html:
    """Lead from the box of a state to the flow that it invokes."""
    flow = place.box.invokes
    return tag("a", drawn, href=address(flow)) if flow and address else drawn


def _state(place: PlacedBox, numbers: Numbers | None, marks: Marks) -> Html:
    box = place.box
    left = numbers.left.get(box.name, 0) if numbers else 0
    middle = place.x + place.width / 2
    classes = {
        "state": True,
        "first": box.first,
        "final": box.final,
        "every": box.name == ANY,
        "lit": box.name == marks.now,
        "been": box.name in marks.states,
    }
    shape = {"width": _n(place.width), "height": _n(BOX_HEIGHT), "rx": "22" if box.final else "8"}
    parts = [
        tag("title", f"{box.name} ({box.does}){f': {left} hung up here' if left else ''}"),
        tag("rect", x=_n(place.x), y=_n(place.y), **shape),
        tag("text", "any state" if box.name == ANY else box.name, class_="name", x=_n(middle), y=_n(place.y + 19)),
        tag("text", _under(box.does, box.name), class_="kind", x=_n(middle), y=_n(place.y + 34)),
    ]
    if left:
        parts += _badge(_short(left), place.x + place.width - 6, place.y + 4)
    return tag("g", *parts, class_=" ".join(name for name, so in classes.items() if so), data_state=box.name)


def _badge(words: str, x: float, y: float) -> list[Html]:
    """Write a few letters on a round ground, which grows with them."""
    width = max(22, 8 * len(words) + 8)
    ground = tag("rect", class_="left", x=_n(x - width / 2), y=_n(y - 11), width=_n(width), height="22", rx="11")
    return [ground, tag("text", words, class_="left", x=_n(x), y=_n(y + 4))]


def _under(kind: str, name: str) -> str:
    return "shared by all" if name == ANY else kind


def _transition(route: Route, numbers: Numbers | None, marks: Marks) -> Html:
    arrow = route.arrow
    ends = (arrow.source, arrow.target)
    taken = numbers.taken.get(ends, 0) if numbers else 0
    classes = {
        "way": True,
        "been": ends in marks.transitions,
        "taken": taken > 0,
        "never": numbers is not None and not taken,
    }
    thickness = 1.5 + (THICKEST - 1.5) * (taken / numbers.calls if numbers and numbers.calls else 0)
    loop = arrow.source == arrow.target
    line = tag("path", class_="line", d=_loop(route) if loop else _curve(route), stroke_width=_n(thickness))
    said = f"{arrow.source} to {arrow.target}: {', '.join(arrow.labels) or 'next'}"
    count = tag("tspan", f"{' ' if route.lines else ''}{_short(taken)}", class_="count") if numbers else None
    return tag(
        "g",
        tag("title", f"{said} ({taken} calls)" if numbers else said),
        line,
        tag("path", class_="head", d=_head(route, sideways=loop)),
        _label(route, count),
        class_=" ".join(name for name, so in classes.items() if so),
        data_from=arrow.source,
        data_to=arrow.target,
    )


def _label(route: Route, count: Html | None) -> Html | None:
    """Write an arrow's label, line by line around its middle, with a number behind the last one."""
    if not route.lines and count is None:
        return None
    x, y = route.label
    lines = route.lines or ("",)
    top = y + 4 - LABEL_LINE * (len(lines) - 1) / 2
    written = [
        tag("tspan", line, count if number == len(lines) - 1 else None, x=_n(x), y=_n(top + LABEL_LINE * number))
        for number, line in enumerate(lines)
    ]
    return tag("text", *written, class_="label")


def _curve(route: Route) -> str:
    """Join the points with curves that are upright at each of them."""
    (x, y), *others = route.points
    parts = [f"M{_n(x)} {_n(y)}"]
    last = len(others) - 1
    for number, (next_x, to_y) in enumerate(others):
        next_y = to_y - HEAD * (1 if to_y > y else -1) if number == last else to_y
        if abs(next_x - x) < 0.5:
            parts.append(f"V{_n(next_y)}")
        else:
            bend = (y + next_y) / 2
            parts.append(f"C{_n(x)} {_n(bend)} {_n(next_x)} {_n(bend)} {_n(next_x)} {_n(next_y)}")
        x, y = next_x, next_y
    return "".join(parts)


def _loop(route: Route) -> str:
    (x, y), (bend, _), (_, end), _ = route.points
    return f"M{_n(x)} {_n(y)}C{_n(bend)} {_n(y)} {_n(bend)} {_n(end)} {_n(x + HEAD)} {_n(end)}"


def _head(route: Route, *, sideways: bool) -> str:
    x, y = route.points[-1]
    if sideways:
        return f"M{_n(x)} {_n(y)}l{_n(HEAD + 1)} -4.5v9z"
    back = -HEAD - 1 if y > route.points[-2][1] else HEAD + 1
    return f"M{_n(x)} {_n(y)}l-4.5 {_n(back)}h9z"


def _short(count: int) -> str:
    """Write a number in the room that there is."""
    return str(count) if count < 10_000 else f"{count // 1000}k"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


__all__ = ["Layout", "Marks", "Numbers", "picture"]
