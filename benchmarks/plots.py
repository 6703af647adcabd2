"""Draws curves as SVG, for pages that are light or dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

mpl.use("svg")

SIZE = (6.4, 3.2)
INK, LINE = "#57606a", "#0969da"
"""Colours that can be read on white and on black."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What is drawn."""

    title: str
    x: str
    points: Sequence[tuple[float, float]]
    y: str = "CPU ms for each mutation"


def draw(curve: Curve, path: Path) -> None:
    """Write the plot; both axes are logarithmic where the x values span more than a decade."""
    from matplotlib import pyplot as plt

    xs, ys = zip(*curve.points, strict=True)
    with mpl.rc_context(
        {
            "svg.hashsalt": curve.title,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    ):
        figure, axes = plt.subplots(figsize=SIZE)
        axes.plot(xs, ys, marker="o", color=LINE)
        if max(xs) > 10 * min(xs):
            axes.set_xscale("log")
            axes.set_yscale("log")
        else:
            axes.set_xticks(xs)
            axes.set_ylim(bottom=0)
        axes.set_xlabel(curve.x)
        axes.set_ylabel(curve.y)
        axes.set_title(curve.title)
        axes.grid(visible=True, alpha=0.3)
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)
