"""Charts as SVG: lines over two axes, and stacked bars. Nothing else is needed to look at them than a browser."""

import math
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 80, 190, 50, 60
# Told apart by eyes that do not see all colours (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#8c6d1f")


@dataclass
class Axis:
    """`ticks` are pairs of a value and its text; `is_log` axes have no zero."""

    title: str
    low: float
    high: float
    ticks: list
    is_log: bool = False

    def part(self, value: float) -> float:
        """How far along the axis it is, from 0 to 1."""
        scale = math.log if self.is_log else float
        low, high = scale(self.low), scale(self.high)
        return (scale(min(max(value, self.low), self.high)) - low) / (high - low) if high > low else 0.0


def short(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def linear_axis(title: str, high: float) -> Axis:
    """From zero, with about six ticks at round numbers."""
    high = high or 1.0
    rough = high / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    count = math.ceil(high / step)
    return Axis(title, 0, step * count, [(step * i, short(step * i)) for i in range(count + 1)])


def log_axis(title: str, low: float, high: float) -> Axis:
    """From the power of ten below to the one above."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return Axis(title, 10 ** first, 10 ** last, [(10 ** i, short(10 ** i)) for i in range(first, last + 1)], True)


def step_axis(title: str, values) -> Axis:
    """A logarithmic one with a tick at each of the values."""
    return Axis(title, min(values), max(values), [(value, str(value)) for value in values], True)


class Chart:
    """A frame with axes; what is drawn is put into it, then it is written."""

    def __init__(self, title: str, x: Axis, y: Axis, height=HEIGHT):
        self.x, self.y, self.height = x, y, height
        self.inner_width, self.inner_height = WIDTH - LEFT - RIGHT, height - TOP - BOTTOM
        self.parts = [f'<text x="{LEFT}" y="26" font-size="17" font-weight="bold">{escape(title)}</text>']
        self.names = 0
        self.order = ()  # names that have the same colour in all charts

    def at(self, x: float, y: float) -> tuple:
        return (LEFT + self.x.part(x) * self.inner_width, TOP + (1 - self.y.part(y)) * self.inner_height)

    def text(self, x: float, y: float, text: str, anchor="middle", more=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>')

    def line(self, points: list, colour="#ddd", width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def legend(self, name: str, step=22) -> str:
        """The colour of the next name, with the name beside the chart."""
        number = self.order.index(name) if name in self.order else self.names
        colour = COLOURS[number % len(COLOURS)]
        y = TOP + 10 + step * self.names
        self.parts.append(f'<rect x="{WIDTH - RIGHT + 18}" y="{y - 9}" width="14" height="10" fill="{colour}"/>')
        self.text(WIDTH - RIGHT + 38, y, name, "start")
        self.names += 1
        return colour

    def draw_y(self):
        for value, text in self.y.ticks:
            left, y = self.at(self.x.low, value)
            self.line([(left, y), (left + self.inner_width, y)])
            self.text(left - 8, y + 4, text, "end")
        middle = TOP + self.inner_height / 2
        self.text(20, middle, self.y.title, more=f' transform="rotate(-90 20 {middle})"')

    def draw_x(self, has_title=True):
        for value, text in self.x.ticks:
            x, bottom = self.at(value, self.y.low)
            self.line([(x, TOP), (x, bottom)])
            self.text(x, bottom + 20, text)
        if has_title:
            self.text(LEFT + self.inner_width / 2, self.height - 14, self.x.title)

    def marks(self, points: list, colour: str):
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                       for x, y in (self.at(*point) for point in points)]

    def curve(self, name: str, points: list, has_marks=False):
        colour = self.legend(name)
        self.line([self.at(x, y) for x, y in points], colour, 2.2)
        if has_marks:
            self.marks(points, colour)

    def write(self, path: Path):
        body = "\n".join(self.parts)
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}"'
            f' height="{self.height}" font-family="sans-serif" font-size="13">\n'
            f'<rect width="{WIDTH}" height="{self.height}" fill="white"/>\n{body}\n</svg>\n')


def line_chart(path: Path, title: str, x: Axis, y: Axis, curves: dict, order=(), has_marks=False):
    """`curves`: by name a list of points."""
    chart = Chart(title, x, y)
    chart.order = order
    chart.draw_y()
    chart.draw_x()
    for name, points in curves.items():
        chart.curve(name, points, has_marks)
    chart.write(path)


PANEL, PANEL_BOTTOM = 190, 24


def panel_chart(path: Path, title: str, x: Axis, panels: list, marks: list):
    """
    Charts one below the other over the same x. `panels`: of each its title, its y axis and its curves by name. `marks`
    are pairs of x and a name: a line through all charts, and a point in the row of the name below them.
    """
    charts = [_panel(x, *panel) for panel in panels] + [_panel_of_marks(x, marks)]
    for chart in charts:
        for at, _ in marks:
            left, bottom = chart.at(at, chart.y.low)
            chart.line([(left, TOP), (left, bottom)], "#bbb", 0.6)
    whole = Chart(title, x, Axis("", 0, 1, []), TOP + len(charts) * PANEL + PANEL_BOTTOM)
    for number, chart in enumerate(charts):
        body = "\n".join(chart.parts)
        whole.parts.append(f'<g transform="translate(0,{30 + number * PANEL})">\n{body}\n</g>')
    whole.write(path)


def _panel(x: Axis, title: str, y: Axis, curves: dict) -> Chart:
    chart = Chart(title, x, y, PANEL + PANEL_BOTTOM)
    chart.draw_y()
    chart.draw_x(False)
    for name, points in curves.items():
        chart.curve(name, points)
    return chart


def _panel_of_marks(x: Axis, marks: list) -> Chart:
    names = list(dict.fromkeys(name for _, name in marks))
    chart = Chart("What happened", x, Axis("", 0, len(names) + 1, []), PANEL + PANEL_BOTTOM)
    chart.draw_x()
    for number, name in enumerate(names):
        chart.marks([(at, len(names) - number) for at, other in marks if other == name], chart.legend(name, 16))
    return chart


BAR, GAP = 26, 14


def bar_chart(path: Path, title: str, unit: str, parts: tuple, bars: dict):
    """Lying bars, each of several parts one behind the other. `bars`: by name the value of each part."""
    height = TOP + BOTTOM + len(bars) * (BAR + GAP)
    x = linear_axis(unit, max(sum(values) for values in bars.values()))
    chart = Chart(title, x, Axis("", 0, 1, []), height)
    chart.inner_width -= 90  # the names need room
    shift = 90
    colours = [chart.legend(part) for part in parts]
    for value, text in x.ticks:
        at = chart.at(value, 0)[0] + shift
        chart.line([(at, TOP), (at, height - BOTTOM)])
        chart.text(at, height - BOTTOM + 20, text)
    chart.text(LEFT + shift + chart.inner_width / 2, height - 14, unit)
    for number, (name, values) in enumerate(bars.items()):
        _bar(chart, name, values, colours, TOP + GAP / 2 + number * (BAR + GAP), shift)
    chart.write(path)


def _bar(chart: Chart, name: str, values: tuple, colours: list, y: float, shift: float):
    chart.text(LEFT + shift - 8, y + BAR / 2 + 4, name, "end")
    done = 0.0
    for value, colour in zip(values, colours):
        left, right = chart.at(done, 0)[0] + shift, chart.at(done + value, 0)[0] + shift
        chart.parts.append(f'<rect x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" height="{BAR}"'
                           f' fill="{colour}"/>')
        done += value
    chart.text(chart.at(done, 0)[0] + shift + 6, y + BAR / 2 + 4, f"{done:.0f}", "start")
