"""Charts of the monitor page as inline SVG, in the classes of the evaluation report's style sheet.

Same input, same bytes; every word that came from data is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 420, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 46
_MAX_TICKS = 8
_MAX_NAMES = 4
_NAME_CHARACTERS = 12
_HEADROOM = 1.12


def timeline(values: Sequence[float], bounds: Sequence[float], names: Sequence[str], *, title: str) -> Markup:
    """Draw values over batches, each against its own bound (dashed); those above it in the colour of a warning.

    Args:
        values: One a batch.
        bounds: One a batch: it depends on the number of rows.
        names: One a batch.
        title: For readers of the page who do not see it.
    """
    if not values:
        return Markup("")
    top = max(*values, *bounds) * _HEADROOM or 1.0
    step = (_WIDTH - _LEFT - _RIGHT) / len(values)
    xs = [_LEFT + step * (index + 0.5) for index in range(len(values))]
    parts = [_y_axis(top)]
    path = " ".join(
        f"{x - step / 2:.1f},{_y(bound, top):.1f} {x + step / 2:.1f},{_y(bound, top):.1f}"
        for x, bound in zip(xs, bounds, strict=True)
    )
    parts.append(f'<polyline class="mark bound" points="{path}"/>')
    joined = " ".join(f"{x:.1f},{_y(value, top):.1f}" for x, value in zip(xs, values, strict=True))
    parts.append(f'<polyline class="line muted" points="{joined}"/>')
    for x, value, bound in zip(xs, values, bounds, strict=True):
        css = "warn" if value > bound else "accent"
        parts.append(f'<circle class="dot {css}" cx="{x:.1f}" cy="{_y(value, top):.1f}" r="4.5"/>')
    parts += _names(xs, names, _MAX_NAMES)
    return _svg(title, parts)


def paired_bars(
    cells: Sequence[str], reference: Sequence[float], batch: Sequence[float], *, title: str, x_label: str
) -> Markup:
    """Draw shares of reference and batch side by side, cell by cell.

    Args:
        cells: What each cell holds.
        reference: Shares in [0, 1].
        batch: Shares in [0, 1].
        title: For readers of the page who do not see it.
        x_label: What the cells are.
    """
    if not cells:
        return Markup("")
    top = max(*reference, *batch) * _HEADROOM or 1.0
    step = (_WIDTH - _LEFT - _RIGHT) / len(cells)
    gap = min(3.0, step * 0.12)
    # Two classes would make bars as wide as a hand.
    wide = min((step - 2 * gap) / 2, 36.0)
    parts = [_y_axis(top, percent=True)]
    xs = [_LEFT + step * (index + 0.5) for index in range(len(cells))]
    for x, before, now in zip(xs, reference, batch, strict=True):
        for start, share, css in ((x - wide, before, "muted"), (x, now, "accent")):
            if share > 0:
                y = _y(share, top)
                parts.append(
                    f'<rect class="bar {css}" x="{start:.1f}" y="{y:.1f}" width="{wide:.1f}" '
                    f'height="{_HEIGHT - _BOTTOM - y:.1f}"/>'
                )
    parts += _names(xs, cells, _MAX_TICKS)
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text class="axis" x="{middle:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
    )
    return _svg(title, parts)


def against_bound(value: float, bound: float) -> Markup:
    """Draw a value as a bar whose middle is its bound; at the right end it is twice the bound or more."""
    share = min(1.0, value / (2 * bound)) if bound > 0 else float(value > 0)
    css = "warn" if value > bound else "accent"
    return Markup(  # noqa: S704 # nosec B704 - numbers only
        '<svg class="strip" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="6" width="100" height="8"/>'
        f'<rect class="fill {css}" x="0" y="6" width="{100 * share:.2f}" height="8"/>'
        '<rect class="rule" x="49.8" y="1" width="0.5" height="18"/></svg>'
    )


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def _y_axis(top: float, *, percent: bool = False) -> str:
    power = 10.0 ** math.floor(math.log10(top / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= top / 4 - 1e-12)
    parts = []
    for index in range(math.floor(top / step + 1e-9) + 1):
        y, value = _y(index * step, top), index * step
        shown = f"{100 * value:.4g} %" if percent else f"{value:.4g}"
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
    return "".join(parts)


def _names(xs: Sequence[float], names: Sequence[str], most: int) -> list[str]:
    """Names under the axis, evenly chosen where there is no room for all."""
    every = math.ceil(len(names) / most)
    return [
        f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle">{escape(_short(name))}</text>'
        for index, (x, name) in enumerate(zip(xs, names, strict=True))
        if index % every == 0
    ]


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"


def _svg(title: str, parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704 # nosec B704 - numbers and escaped words
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
