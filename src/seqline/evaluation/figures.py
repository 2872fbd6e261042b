"""Small charts as inline SVG, drawn by hand: same input, same bytes, no library, the page's own colours.

Every function returns `Markup`; all words in it are escaped here. Colours are CSS classes (`accent`, `warn`),
so a chart follows the page's light and dark colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from seqline.evaluation.calibration import CalibrationBin, RocPoint
from seqline.evaluation.intervals import Interval
from seqline.evaluation.sections import Band, HeatMap, Line, LineChart

_WIDTH, _HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 20, 14, 42
_TICKS = 4
# More points than this are a line without dots.
_MAX_DOTS = 40


@dataclass(frozen=True)
class _Frame:
    """Maps data to the drawing: x from `x_low` to `x_high`, y from `y_low` to `y_high`."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return (
            _HEIGHT - _BOTTOM - (value - self.y_low) / (self.y_high - self.y_low) * (_HEIGHT - _TOP - _BOTTOM)
        )


def draw(chart: LineChart | HeatMap) -> Markup:
    """Draw a chart of a task's section."""
    if isinstance(chart, HeatMap):
        return heat_map(chart)
    return line_chart(chart.lines, title=chart.title, x_label=chart.x_label, bands=chart.bands)


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    marked_x: float | None = None,
    bands: Sequence[Band] = (),
) -> Markup:
    """Draw lines over whole-numbered x (epochs, steps), bands behind them; `marked_x` gets a vertical line."""
    edges = [Line(band.name, band.css, band.xs, ys) for band in bands for ys in (band.lows, band.highs)]
    points = [
        (x, y) for line in [*lines, *edges] for x, y in zip(line.xs, line.ys, strict=True) if math.isfinite(y)
    ]
    if not points:
        return Markup("")
    y_low, y_high = _padded(min(y for _, y in points), max(y for _, y in points))
    x_low, x_high = min(x for x, _ in points), max(x for x, _ in points)
    if x_low == x_high:
        x_low, x_high = x_low - 1, x_high + 1
    frame = _Frame(x_low, x_high, y_low, y_high)
    step = max(1, math.ceil((x_high - x_low) / 8))
    x_ticks = [float(x) for x in range(math.ceil(x_low), math.floor(x_high) + 1, step)]
    parts = [_axes(frame, x_ticks, _ticks(y_low, y_high), x_label)]
    parts += [_area(frame, band) for band in bands]
    if marked_x is not None and x_low <= marked_x <= x_high:
        x = frame.x(marked_x)
        parts.append(f'<line class="mark" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}"/>')
    for line in lines:
        placed = [(frame.x(x), frame.y(y)) for x, y in zip(line.xs, line.ys, strict=True) if math.isfinite(y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline class="line {escape(line.css)}" points="{path}"/>')
        if len(placed) <= _MAX_DOTS:
            parts += [
                f'<circle class="dot {escape(line.css)}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed
            ]
    return _svg(title, parts)


def heat_map(chart: HeatMap) -> Markup:
    """Draw a matrix as shades, the labels of its rows and columns beside it."""
    if not chart.down or not chart.across:
        return Markup("")
    left, top = 100, 64
    cell = min(40.0, (_WIDTH - left - 4) / len(chart.across))
    parts = []
    for column, label in enumerate(chart.across):
        x, short = left + cell * (column + 0.5), escape(_short(label, 9))
        parts.append(
            f'<text class="tick" transform="translate({x + 4:.1f} {top - 6}) rotate(-60)">{short}</text>'
        )
    for row, label in enumerate(chart.down):
        y, short = top + cell * row, escape(_short(label, 14))
        parts.append(
            f'<text class="tick" x="{left - 8}" y="{y + cell / 2 + 4:.1f}" text-anchor="end">{short}</text>'
        )
        for column, shade in enumerate(chart.shades[row]):
            opacity = min(1.0, max(0.0, float(shade))) if math.isfinite(shade) else 0.0
            parts.append(
                f'<rect class="cell accent" x="{left + cell * column:.1f}" y="{y:.1f}" width="{cell:.1f}" '
                f'height="{cell:.1f}" fill-opacity="{opacity:.3f}"/>'
            )
    return _svg(chart.title, parts, height=top + cell * len(chart.down) + 6)


def calibration_chart(bins: Sequence[CalibrationBin], *, title: str) -> Markup:
    """Draw accuracy over stated confidence; a dot's area is its share of the rows."""
    if not bins:
        return Markup("")
    low = min(0.5, *(part.low for part in bins), *(part.accuracy for part in bins))
    low = math.floor(low * 10) / 10
    frame = _Frame(low, 1.0, low, 1.0)
    ticks = _ticks(low, 1.0)
    parts = [_axes(frame, ticks, ticks, "stated confidence", percent=True, x_percent=True)]
    start, end = (frame.x(low), frame.y(low)), (frame.x(1.0), frame.y(1.0))
    parts.append(
        f'<line class="mark" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
    )
    largest = max(part.n for part in bins)
    for part in bins:
        x, y, ideal = frame.x(part.confidence), frame.y(part.accuracy), frame.y(part.confidence)
        radius = 3 + 9 * math.sqrt(part.n / largest)
        parts.append(f'<line class="gap" x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{ideal:.1f}"/>')
        parts.append(f'<circle class="bubble accent" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>')
    return _svg(title, parts)


def histogram_chart(
    right: Sequence[int], wrong: Sequence[int], *, low: float, title: str, x_label: str
) -> Markup:
    """Draw stacked bars of rows by score from `low` to 1: wrong below, right above it."""
    tallest = max((a + b for a, b in zip(right, wrong, strict=True)), default=0)
    if not tallest:
        return Markup("")
    frame = _Frame(low, 1.0, 0.0, tallest * 1.05)
    parts = [_axes(frame, _ticks(low, 1.0), _ticks(0, tallest), x_label, x_percent=True)]
    width = (1.0 - low) / len(right)
    for index, (good, bad) in enumerate(zip(right, wrong, strict=True)):
        x = frame.x(low + index * width) + 1
        bar = frame.x(low + width) - frame.x(low) - 2
        for bottom, top, css in ((0, bad, "warn"), (bad, bad + good, "accent")):
            if top > bottom:
                height = frame.y(bottom) - frame.y(top)
                parts.append(
                    f'<rect class="bar {css}" x="{x:.1f}" y="{frame.y(top):.1f}" '
                    f'width="{bar:.1f}" height="{height:.1f}"/>'
                )
    return _svg(title, parts)


def roc_chart(points: Sequence[RocPoint], *, title: str) -> Markup:
    """Draw a ROC curve with the diagonal of chance."""
    if not points:
        return Markup("")
    frame = _Frame(0.0, 1.0, 0.0, 1.0)
    ticks = _ticks(0.0, 1.0)
    path = " ".join(
        f"{frame.x(p.false_positive_rate):.1f},{frame.y(p.true_positive_rate):.1f}" for p in points
    )
    x1, y1, x2, y2 = frame.x(0.0), frame.y(0.0), frame.x(1.0), frame.y(1.0)
    diagonal = f'<line class="mark" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
    axes = _axes(frame, ticks, ticks, "others taken for it", percent=True, x_percent=True)
    return _svg(title, [axes, diagonal, f'<polyline class="line accent" points="{path}"/>'])


def confusion_chart(matrix: Sequence[Sequence[int]], labels: Sequence[str], *, title: str) -> Markup:
    """Draw a confusion matrix, rows = actual, columns = predicted; shade and share are of the row."""
    size = len(labels)
    left, top = 100, 44
    cell = min(96.0, (_WIDTH - left - 4) / size)
    height = top + cell * size + 6
    parts = [
        f'<text class="axis" x="{left + cell * size / 2:.1f}" y="14" text-anchor="middle">predicted</text>'
    ]
    for column, label in enumerate(labels):
        x = left + cell * (column + 0.5)
        short = escape(_short(label, max(3, int(cell / 7))))
        parts.append(f'<text class="tick" x="{x:.1f}" y="{top - 10}" text-anchor="middle">{short}</text>')
    for row, label in enumerate(labels):
        y, total = top + cell * row, sum(matrix[row])
        name = escape(_short(label, 14))
        parts.append(
            f'<text class="tick" x="{left - 10}" y="{y + cell / 2 + 4:.1f}" text-anchor="end">{name}</text>'
        )
        for column, count in enumerate(matrix[row]):
            share = count / total if total else 0.0
            css = "accent" if row == column else "warn"
            x = left + cell * column
            parts.append(
                f'<rect class="cell {css}" x="{x + 1:.1f}" y="{y + 1:.1f}" width="{cell - 2:.1f}" '
                f'height="{cell - 2:.1f}" rx="3" fill-opacity="{0.06 + 0.74 * share:.3f}"/>'
            )
            middle = y + cell / 2
            if cell >= 40:
                parts.append(_cell_text(x + cell / 2, middle - 2, f"{count:,}", "number"))
                parts.append(_cell_text(x + cell / 2, middle + 14, f"{share:.1%}", "share"))
            elif cell >= 24:
                parts.append(_cell_text(x + cell / 2, middle + 4, str(count), "tick"))
    return _svg(title, parts, height=height)


def interval_bar(
    interval: Interval, *, low: float, high: float, css: str, reference: float | None = None
) -> Markup:
    """Draw one value with its interval on an axis from `low` to `high`; stretches to any width."""
    if not math.isfinite(interval.value) or high <= low:
        return Markup("")

    def place(value: float) -> float:
        return 100 * min(1.0, max(0.0, (value - low) / (high - low)))

    start, end = place(interval.low), place(interval.high)
    parts = ['<rect class="track" x="0" y="9" width="100" height="2"/>']
    if reference is not None:
        parts.append(f'<rect class="rule" x="{place(reference) - 0.15:.2f}" y="0" width="0.3" height="20"/>')
    parts.append(
        f'<rect class="range {css}" x="{start:.2f}" y="6" width="{max(0.4, end - start):.2f}" height="8"/>'
    )
    parts.append(
        f'<rect class="point {css}" x="{place(interval.value) - 0.5:.2f}" y="2" width="1" height="16"/>'
    )
    body = "".join(parts)
    return Markup(  # noqa: S704 # nosec B704 - numbers and escaped words
        f'<svg class="strip" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">{body}</svg>'
    )


def share_bar(share: float, css: str) -> Markup:
    """Draw a share in [0, 1] as a filled bar; stretches to any width."""
    if not math.isfinite(share):
        return Markup("")
    return Markup(  # noqa: S704 # nosec B704 - numbers and escaped words
        '<svg class="strip" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="6" width="100" height="8"/>'
        f'<rect class="fill {escape(css)}" x="0" y="6" width="{100 * share:.2f}" height="8"/></svg>'
    )


def _svg(title: str, parts: Sequence[str], height: float = _HEIGHT) -> Markup:
    label = escape(title)
    body = "".join(parts)
    return Markup(  # noqa: S704 # nosec B704 - numbers and escaped words
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{label}">{body}</svg>'
    )


def _area(frame: _Frame, band: Band) -> str:
    ends = [
        (x, low, high)
        for x, low, high in zip(band.xs, band.lows, band.highs, strict=True)
        if math.isfinite(low) and math.isfinite(high)
    ]
    there = [f"{frame.x(x):.1f},{frame.y(high):.1f}" for x, _, high in ends]
    back = [f"{frame.x(x):.1f},{frame.y(low):.1f}" for x, low, _ in reversed(ends)]
    return f'<polygon class="area {escape(band.css)}" points="{" ".join([*there, *back])}"/>'


def _axes(
    frame: _Frame,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    x_label: str,
    *,
    percent: bool = False,
    x_percent: bool = False,
) -> str:
    parts = []
    for value in y_ticks:
        y = frame.y(value)
        shown = f"{value:.0%}" if percent else _number(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
    for value in x_ticks:
        shown = f"{value:.0%}" if x_percent else _number(value)
        y = _HEIGHT - _BOTTOM + 16
        parts.append(
            f'<text class="tick" x="{frame.x(value):.1f}" y="{y}" text-anchor="middle">{shown}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text class="axis" x="{middle:.1f}" y="{_HEIGHT - 5}" text-anchor="middle">{escape(x_label)}</text>'
    )
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    span = high - low
    raw = span / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw - 1e-12)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 0.05
    return low - margin, high + margin


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _cell_text(x: float, y: float, text: str, css: str) -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
