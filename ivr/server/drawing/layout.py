"""Where everything of the picture goes, in pixels from the upper left corner."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ivr.server.drawing.chart import ANY, Arrow, Box, Chart
from ivr.server.drawing.layers import Layers, Point, Span, layers_of

BOX_HEIGHT = 44.0
LABEL_HEIGHT = 18.0
ROW_GAP = 24.0
"Between a row of boxes and a row of labels."
SIDE_GAP = 18.0
MARGIN = 16.0
LETTER = 6.7
"Width of a letter, about: pictures are made without knowing the font."
LONGEST = 30
"Letters of a label; the rest is in its tool tip."
LOOP = 30.0
"Room beside a box for a way that leads from it to itself."
ROUNDS = 10


class Place(Struct, frozen=True):
    """A box and its upper left corner."""

    box: Box
    x: float
    y: float
    width: float


class Route(Struct, frozen=True):
    """An arrow: the points it runs through, straight up or down in each, and the middle of its label."""

    arrow: Arrow
    points: tuple[tuple[float, float], ...]
    label: tuple[float, float]


class Layout(Struct, frozen=True):
    """A picture in which everything has a place."""

    width: float
    height: float
    places: tuple[Place, ...]
    routes: tuple[Route, ...]


def label_of(arrow: Arrow) -> str:
    """Give what is written on an arrow."""
    whole = ", ".join(arrow.labels)
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1]}…"


def layout_of(chart: Chart, *, counted: bool = False) -> Layout:
    """Find a place for everything; `counted` leaves room for a number on each arrow."""
    if not chart.boxes:
        return Layout(2 * MARGIN, 2 * MARGIN, (), ())
    first = next((box.name for box in chart.boxes if box.first), chart.boxes[0].name)
    arrows = [(arrow.source, arrow.target) for arrow in chart.arrows]
    layers = layers_of([box.name for box in chart.boxes], arrows, first)
    sizes = _Sizes(chart, layers, counted=counted)
    return _Placing(chart, layers, sizes, _columns(layers, sizes)).layout()


class _Sizes:
    """How wide each point is."""

    def __init__(self, chart: Chart, layers: Layers, *, counted: bool) -> None:
        self._widths: dict[Point, float] = {}
        more = 6 if counted else 0
        loops = {arrow.source for arrow in chart.arrows if arrow.source == arrow.target}
        for box in chart.boxes:
            self._widths[box.name] = box_width(box) + (2 * LOOP if box.name in loops else 0)
        rows = {point: number for number, row in enumerate(layers.rows) for point in row}
        for span in layers.spans:
            letters = len(label_of(chart.arrows[span.number])) + more
            self._widths[label_joint(span, rows)] = letters * LETTER + 8

    def __getitem__(self, point: Point) -> float:
        return self._widths.get(point, 12.0)


def box_width(box: Box) -> float:
    """Give the width of a box."""
    name = "any state" if box.name == ANY else box.name
    return max(96.0, 28 + LETTER * 1.15 * max(len(name), len(box.kind)))


def label_joint(span: Span, rows: Mapping[Point, int]) -> Point:
    """Tell at which joint an arrow has its label: the one nearest to where it begins."""
    return (span.number, rows[span.lower] - 1 if span.turned else rows[span.upper] + 1)


def _columns(layers: Layers, sizes: _Sizes) -> Mapping[Point, float]:
    """Find the middle of every point: near its neighbours, in the order of its row, and with room between."""
    middles: dict[Point, float] = {}
    for row in layers.rows:
        at = 0.0
        for point in row:
            middles[point] = at + sizes[point] / 2
            at += sizes[point] + SIDE_GAP
    for turn in range(ROUNDS):
        down = turn % 2 == 0
        for row in layers.rows if down else reversed(layers.rows):
            joined = layers.above if down else layers.below
            wishes = [_wish(point, joined, middles) for point in row]
            middles.update(zip(row, _apart(wishes, [sizes[point] for point in row]), strict=True))
    left = min(middles[point] - sizes[point] / 2 for row in layers.rows for point in row)
    return {point: middle - left + MARGIN for point, middle in middles.items()}


def _wish(point: Point, joined: Mapping[Point, Sequence[Point]], middles: Mapping[Point, float]) -> float:
    others = joined.get(point, ())
    return sum(middles[other] for other in others) / len(others) if others else middles[point]


def _apart(wishes: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Give the places nearest to what is wished for, none over another: least squares, by pooling neighbours."""
    offsets, at = [], 0.0
    for number, width in enumerate(widths):
        at += (widths[number - 1] + width) / 2 + SIDE_GAP if number else 0.0
        offsets.append(at)
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, size = wish - offset, 1
        while pools and pools[-1][0] > mean:
            before, several = pools.pop()
            mean, size = (before * several + mean * size) / (several + size), several + size
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


class _Placing:
    """Puts the parts of one picture where their rows and columns are."""

    def __init__(self, chart: Chart, layers: Layers, sizes: _Sizes, columns: Mapping[Point, float]) -> None:
        self._chart = chart
        self._layers = layers
        self._sizes = sizes
        self._columns = columns
        self._rows = {point: number for number, row in enumerate(layers.rows) for point in row}
        self._tops: list[float] = []
        at = MARGIN
        for number in range(len(layers.rows)):
            self._tops.append(at)
            at += _height(number) + ROW_GAP
        self._bottom = at - ROW_GAP
        self._places = {box.name: self._place(box) for box in chart.boxes}

    def layout(self) -> Layout:
        """Give the whole picture."""
        arrows = self._chart.arrows
        routes = [self._route(span) for span in self._layers.spans]
        routes += [_loop(arrow, self._places[arrow.source]) for arrow in arrows if arrow.source == arrow.target]
        right = max(middle + self._sizes[point] / 2 for point, middle in self._columns.items())
        return Layout(right + MARGIN, self._bottom + MARGIN, tuple(self._places.values()), tuple(routes))

    def _place(self, box: Box) -> Place:
        width = box_width(box)
        return Place(box, self._columns[box.name] - width / 2, self._top(box.name), width)

    def _route(self, span: Span) -> Route:
        upper, lower = self._rows[span.upper], self._rows[span.lower]
        points = [(self._port(span, self._layers.below[span.upper], span.upper), self._tops[upper] + BOX_HEIGHT)]
        for row in range(upper + 1, lower):
            x = self._columns[span.number, row]
            points += [(x, self._tops[row]), (x, self._tops[row] + _height(row))]
        points.append((self._port(span, self._layers.above[span.lower], span.lower), self._tops[lower]))
        label = label_joint(span, self._rows)
        where = (self._columns[label], self._top(label) + LABEL_HEIGHT / 2)
        arrow = self._chart.arrows[span.number]
        return Route(arrow, tuple(reversed(points) if span.turned else points), where)

    def _port(self, span: Span, ends: Sequence[Point], name: str) -> float:
        """Spread the arrows of a box along its edge, in the order in which they leave."""
        place = self._places[name]
        ordered = sorted(ends, key=lambda point: self._columns[point])
        number = next(n for n, point in enumerate(ordered) if not isinstance(point, str) and point[0] == span.number)
        return place.x + place.width * (number + 1) / (len(ordered) + 1)

    def _top(self, point: Point) -> float:
        return self._tops[self._rows[point]]


def _height(row: int) -> float:
    return LABEL_HEIGHT if row % 2 else BOX_HEIGHT


def _loop(arrow: Arrow, place: Place) -> Route:
    right, middle = place.x + place.width, place.y + BOX_HEIGHT / 2
    points = ((right, middle - 10), (right + LOOP, middle - 10), (right + LOOP, middle + 10), (right, middle + 10))
    return Route(arrow, points, (right + LOOP, middle))
