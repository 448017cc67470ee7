"""One style for all figures, figures of labelled lines, and files that are the same bytes on every run.

    @use_style()
    def my_figure(rows):
        figure = Figure(figsize=(WIDTH, 3))
        ...
        return finish(figure, "My quantity (unit)")

    save(my_figure(rows), Path("outputs/smoke/figures"), "prefix-effects")     # .png (200 dpi) and .svg

Decisions
- The style is seaborn's theme "ticks" for paper, with few changes. It is a context, never set at import: a reader's own
  matplotlib stays as it is.
- Figures are not made through pyplot: nothing is kept behind the scenes, and Jupyter shows a figure once, where it is
  the value of a cell. seaborn draws on the axes that it is given.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib
import seaborn as sns
from matplotlib import figure as mpl_figure
from matplotlib.axes import Axes

WIDTH = 7.6
"""Inches: the column of a notebook."""
INK, FAINT, SHADE = "#222222", "#6b6b6b", "#e9edf1"
SMALL = 7.5
"""Points, of what stands beside a mark."""

ZERO = MappingProxyType({"color": FAINT, "lw": 0.9, "zorder": 0.5})
"""The line of no difference: axes.axvline(0, **ZERO)."""

_CHANGES = MappingProxyType(
    {
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
        "axes.titlelocation": "left",
        "axes.edgecolor": "#8c8c8c",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": "#e6e6e6",
        "legend.frameon": False,
        "legend.handlelength": 2.6,
        "hatch.linewidth": 0.6,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.w_pad": 0.09,  # inches
        "figure.constrained_layout.h_pad": 0.07,
        "figure.dpi": 120,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.fonttype": "path",
        "svg.hashsalt": "ifpref",
    }
)


class Figure(mpl_figure.Figure):
    """A matplotlib figure that Jupyter can show without pyplot; laid out by the style."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with use_style():
            self.savefig(buffer, format="png", dpi=self.dpi, metadata={"Software": None})
        return buffer.getvalue()


@contextmanager
def use_style() -> Iterator[None]:
    """The style, for what is drawn inside; also a decorator."""
    theme = {**sns.axes_style("ticks"), **sns.plotting_context("paper", font_scale=0.95), **_CHANGES}
    with matplotlib.rc_context(theme):
        yield


def finish(figure: Figure, title: str) -> Figure:
    """Give it its title, lay it out once and keep it so: what is drawn later, in any format, is the same picture."""
    figure.suptitle(title, x=0.012, ha="left", fontsize=10, weight="bold")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def save(figure: mpl_figure.Figure, folder: Path, name: str) -> list[Path]:
    """Write name.png (200 dpi) and name.svg into the folder, which is made; the same figure gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    with use_style():
        figure.savefig(paths[0], dpi=200, metadata={"Software": None})
        figure.savefig(paths[1], metadata={"Date": None})
    return paths


def lined(
    labels: Sequence[str],
    groups: Sequence[str] = (),
    *,
    gap: float = 1.0,
    each: float = 0.27,
    besides: float = 1.15,
    least: float = 0.0,
) -> tuple[Figure, Axes, list[float]]:
    """A figure of labelled lines, the first on top, its axes, and the height of each line.

    groups  of each line: a bold heading stands where it changes
    gap     from line to line, in units of y; `each` unit is so many inches high, `besides` are those of all else
    """
    places: list[float] = []
    headings: dict[float, str] = {}
    height = 0.0
    for before, group in pairwise(["", *(groups or [""] * len(labels))]):
        if group and group != before:
            height += 0.35 * bool(places)
            headings[height] = group
            height += 0.9
        places.append(height)
        height += gap
    figure = Figure(figsize=(WIDTH, max(least, besides + each * (max(places) + 1))))
    axes = figure.add_subplot()
    axes.set_yticks([*places, *headings], [*labels, *headings.values()], linespacing=1.25)
    for heading in axes.get_yticklabels()[len(places) :]:
        heading.set_weight("bold")
    axes.set_ylim(max(places) + 0.7, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure, axes, places


def beside(axes: Axes, place: float, words: str, points: float = 10, **style: Any) -> None:
    """Words right of the axes, so many points away, at the height of a line."""
    style = {"fontsize": SMALL, "va": "center", "xytext": (points, 0), "textcoords": "offset points", **style}
    axes.annotate(words, (1, place), xycoords=axes.get_yaxis_transform(), **style)
