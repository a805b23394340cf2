"""Where everything of the picture goes, in pixels from the upper left corner."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from msgspec import Struct

from ivr.flowfile.chart import ANY, Arrow, Box, Chart
from ivr.server.drawing.layers import Layers, Point, Span, layers_of
from ivr.server.drawing.text_size import lines_of, width_of

BOX_HEIGHT = 44.0
NAME_SIZE, KIND_SIZE, LABEL_SIZE = 13.0, 11.0, 11.5
"Of letters; `base.css` has the same."
LABEL_LINE = 15.0
"From one line of a label to the next."
ROW_GAP = 24.0
"Between a row of boxes and a row of labels."
SIDE_GAP = 18.0
MARGIN = 16.0
COUNT = 45.0
"Room for a number on an arrow."
LOOP = 30.0
"Room beside a box for a way that leads from it to itself; its label follows."
ROUNDS = 10


class PlacedBox(Struct, frozen=True):
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
    lines: tuple[str, ...]
    "Of the label."


class Layout(Struct, frozen=True):
    """A picture in which everything has a place."""

    width: float
    height: float
    places: tuple[PlacedBox, ...]
    routes: tuple[Route, ...]


def layout_of(chart: Chart, *, counted: bool = False) -> Layout:
    """Find a place for everything; `counted` leaves room for a number on each arrow."""
    if not chart.boxes:
        return Layout(2 * MARGIN, 2 * MARGIN, (), ())
    first = next((box.name for box in chart.boxes if box.first), chart.boxes[0].name)
    arrows = [(arrow.source, arrow.target) for arrow in chart.arrows]
    layers = layers_of([box.name for box in chart.boxes], arrows, first)
    sizes = _Sizes(chart, layers, counted=counted)
    return _Placing(chart, layers, sizes, _columns(layers, sizes)).layout()


class Room(Struct, frozen=True):
    """What a point takes to the left and to the right of its middle."""

    left: float = 6.0
    right: float = 6.0


class _Sizes:
    """How wide each point is, and how high each row of labels."""

    def __init__(self, chart: Chart, layers: Layers, *, counted: bool) -> None:
        self.lines = [lines_of(list(filter(None, arrow.labels))) for arrow in chart.arrows]
        self._rooms: dict[Point, Room] = {}
        self._heights: dict[int, float] = {}
        labels = [_label_width(lines) + (COUNT if counted else 0) for lines in self.lines]
        loops = {arrow.source: LOOP + labels[number] for number, arrow in enumerate(chart.arrows)
                 if arrow.source == arrow.target}  # fmt: skip
        for box in chart.boxes:
            half = box_width(box) / 2
            self._rooms[box.name] = Room(half, half + loops.get(box.name, 0.0))
        rows = {point: number for number, row in enumerate(layers.rows) for point in row}
        for span in layers.spans:
            joint, half = label_joint(span, rows), labels[span.number] / 2 + 4
            self._rooms[joint] = Room(half, half)
            row, high = rows[joint], LABEL_LINE * len(self.lines[span.number])
            self._heights[row] = max(self._heights.get(row, 0.0), high)

    def __getitem__(self, point: Point) -> Room:
        return self._rooms.get(point, Room())

    def height(self, row: int) -> float:
        """Return the height of a row."""
        return max(LABEL_LINE, self._heights.get(row, 0.0)) + 3 if row % 2 else BOX_HEIGHT


def _label_width(lines: Sequence[str]) -> float:
    return max((width_of(line, LABEL_SIZE) for line in lines), default=0.0)


def box_width(box: Box) -> float:
    """Return the width of a box."""
    name = "any state" if box.name == ANY else box.name
    return max(96.0, 28 + max(width_of(name, NAME_SIZE, bold=True), width_of(box.does, KIND_SIZE)))


def label_joint(span: Span, rows: Mapping[Point, int]) -> Point:
    """Return at which joint an arrow has its label: the one nearest to where it begins."""
    return (span.number, rows[span.lower] - 1 if span.turned else rows[span.upper] + 1)


def _columns(layers: Layers, sizes: _Sizes) -> Mapping[Point, float]:
    """Find the middle of every point: near its neighbours, in the order of its row, and with room between."""
    middles: dict[Point, float] = {}
    for row in layers.rows:
        middles.update(zip(row, _offsets([sizes[point] for point in row]), strict=True))
    for turn in range(ROUNDS):
        down = turn % 2 == 0
        for row in layers.rows if down else reversed(layers.rows):
            joined = layers.above if down else layers.below
            wishes = [_wish(point, joined, middles) for point in row]
            middles.update(zip(row, _apart(wishes, [sizes[point] for point in row]), strict=True))
    left = min(middles[point] - sizes[point].left for row in layers.rows for point in row)
    return {point: middle - left + MARGIN for point, middle in middles.items()}


def _wish(point: Point, joined: Mapping[Point, Sequence[Point]], middles: Mapping[Point, float]) -> float:
    others = joined.get(point, ())
    return sum(middles[other] for other in others) / len(others) if others else middles[point]


def _offsets(rooms: Sequence[Room]) -> list[float]:
    """Put points as near to one another as may be, from left to right."""
    gaps = [before.right + SIDE_GAP + room.left for before, room in pairwise(rooms)]
    return list(accumulate(gaps, initial=0.0))[: len(rooms)]


def _apart(wishes: Sequence[float], rooms: Sequence[Room]) -> list[float]:
    """Return the places nearest to what is wished for, none over another: least squares, by pooling neighbours."""
    offsets = _offsets(rooms)
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
            at += sizes.height(number) + ROW_GAP
        self._bottom = at - ROW_GAP
        self._places = {box.name: self._place(box) for box in chart.boxes}

    def layout(self) -> Layout:
        """Return the whole picture."""
        arrows = self._chart.arrows
        routes = [self._route(span) for span in self._layers.spans]
        routes += [self._loop(n, arrow) for n, arrow in enumerate(arrows) if arrow.source == arrow.target]
        right = max(middle + self._sizes[point].right for point, middle in self._columns.items())
        return Layout(right + MARGIN, self._bottom + MARGIN, tuple(self._places.values()), tuple(routes))

    def _place(self, box: Box) -> PlacedBox:
        width = box_width(box)
        return PlacedBox(box, self._columns[box.name] - width / 2, self._top(box.name), width)

    def _route(self, span: Span) -> Route:
        upper, lower = self._rows[span.upper], self._rows[span.lower]
        points = [(self._port(span, self._layers.below[span.upper], span.upper), self._tops[upper] + BOX_HEIGHT)]
        for row in range(upper + 1, lower):
            x = self._columns[span.number, row]
            points += [(x, self._tops[row]), (x, self._tops[row] + self._sizes.height(row))]
        points.append((self._port(span, self._layers.above[span.lower], span.lower), self._tops[lower]))
        label = label_joint(span, self._rows)
        where = (self._columns[label], self._top(label) + self._sizes.height(self._rows[label]) / 2)
        arrow = self._chart.arrows[span.number]
        return Route(arrow, tuple(reversed(points) if span.turned else points), where, self._sizes.lines[span.number])

    def _loop(self, number: int, arrow: Arrow) -> Route:
        """Lead an arrow from a box to itself, with its label beside it."""
        place = self._places[arrow.source]
        right, middle = place.x + place.width, place.y + BOX_HEIGHT / 2
        bend = right + LOOP - 6
        points = ((right, middle - 10), (bend, middle - 10), (bend, middle + 10), (right, middle + 10))
        room = self._sizes[arrow.source].right - place.width / 2 - LOOP
        return Route(arrow, points, (right + LOOP + room / 2, middle), self._sizes.lines[number])

    def _port(self, span: Span, ends: Sequence[Point], name: str) -> float:
        """Spread the arrows of a box along its edge, in the order in which they leave."""
        place = self._places[name]
        ordered = sorted(ends, key=lambda point: self._columns[point])
        number = next(n for n, point in enumerate(ordered) if not isinstance(point, str) and point[0] == span.number)
        return place.x + place.width * (number + 1) / (len(ordered) + 1)

    def _top(self, point: Point) -> float:
        return self._tops[self._rows[point]]
