"""What a task adds to the report: titled sections of paragraphs, tables and charts, as plain values.

The report draws the charts and escapes every word, so nothing here is HTML. Words and tables go into details.json too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """A line of a chart: its name, CSS class and points; points that are not finite are left out."""

    name: str
    css: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True)
class Band:
    """An area between two lines, such as an interval of a forecast.

    Attributes:
        name: For the key.
        css: CSS class: accent, second, muted or warn.
        xs: P points.
        lows: P lower ends.
        highs: P upper ends.
    """

    name: str
    css: str
    xs: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]


@dataclass(frozen=True)
class LineChart:
    """Lines over whole-numbered x (steps, epochs), with bands behind them."""

    title: str
    x_label: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class HeatMap:
    """A matrix as shades, such as attention: row i, column j is `shades[i][j]` in [0, 1]."""

    title: str
    down: tuple[str, ...]
    across: tuple[str, ...]
    shades: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Section:
    """One section of the report.

    Attributes:
        title: Its heading.
        paragraphs: Plain words.
        columns: Heading of a table; none for no table.
        rows: Rows of the table: words, numbers or None.
        charts: Drawn below the table.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    charts: tuple[LineChart | HeatMap, ...] = ()

    def record(self) -> dict[str, Any]:
        """As JSON values, without the points of the charts."""
        return {
            "title": self.title,
            "paragraphs": list(self.paragraphs),
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "charts": [chart.title for chart in self.charts],
        }
