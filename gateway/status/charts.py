"""Plots as SVG within a page, drawn here: no script, no font and no picture from anywhere else.

Colours are the stylesheet's, by class, so that they follow the reader's light or dark screen.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 600, 130
LEFT, TOP, BOTTOM = 62, 10, 22
"""Room for the numbers at the left and the times below."""
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT - 8, HEIGHT - TOP - BOTTOM
STEPS = (1, 2, 3, 4, 5, 6, 8, 10)


def bars(title: str, whole: Sequence[int], part: Sequence[int]) -> str:
    """Bars side by side, oldest first, each with a part of it marked at its foot."""
    top = nice(max(whole, default=0))
    step = INNER_WIDTH / max(1, len(whole))
    drawn = []
    for place, (all_, marked) in enumerate(zip(whole, part, strict=True)):
        x = LEFT + place * step
        drawn += [_bar("calls", x, step, all_ / top), _bar("failed", x, step, marked / top)]
    return _plot(title, "".join(drawn), f"{top:,g}")


def lines(title: str, series: Sequence[tuple[str, Sequence[float | None]]], unit: str) -> str:
    """Lines of a class each, oldest first; None leaves a gap."""
    values = [value for _, points in series for value in points if value is not None]
    top = nice(max(values, default=0))
    drawn = []
    for kind, points in series:
        step = INNER_WIDTH / max(1, len(points))
        for run in _runs(points):
            places = [(LEFT + (place + 0.5) * step, _y(value / top)) for place, value in run]
            if len(places) == 1:
                (x, y) = places[0]
                drawn.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>')
            else:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
                drawn.append(f'<polyline class="{kind}" points="{path}"/>')
    return _plot(title, "".join(drawn), f"{top:,g} {unit}")


def nice(value: float) -> float:
    """The next round number that is no smaller, one of `STEPS` and noughts; 1 for nothing."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in STEPS if size * step >= value)


def _bar(kind: str, x: float, width: float, share: float) -> str:
    if share <= 0:
        return ""
    height = share * INNER_HEIGHT
    y = TOP + INNER_HEIGHT - height
    return (
        f'<rect class="{kind}" x="{x + 0.5:.1f}" y="{y:.1f}" width="{max(1, width - 1):.1f}"'
        f' height="{height:.1f}"/>'
    )


def _y(share: float) -> float:
    return TOP + (1 - share) * INNER_HEIGHT


def _runs(points: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches of points without a gap, with their places."""
    runs: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(points):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]


def _plot(title: str, drawn: str, top: str) -> str:
    right, floor = LEFT + INNER_WIDTH, TOP + INNER_HEIGHT
    marks = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        for y in (TOP, TOP + INNER_HEIGHT / 2, floor)
    )
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(title)}</title>{marks}{drawn}"
        f'<text class="end" x="{LEFT - 6}" y="{TOP + 4}">{escape(top)}</text>'
        f'<text class="end" x="{LEFT - 6}" y="{floor + 4}">0</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">60 min ago</text>'
        f'<text class="end" x="{right}" y="{HEIGHT - 6}">now</text></svg>'
    )
