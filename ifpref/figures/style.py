"""One style for all figures, one look for each arm, and files that are the same bytes on every run.

    @use_style()
    def my_figure(rows):
        figure = Figure(figsize=(WIDTH, 3))
        ...
        return finish(figure, "My quantity (unit)")

    save(my_figure(rows), Path("outputs/smoke/figures"), "prefix-effects")     # .png (200 dpi) and .svg

Decisions
- The style is a context, never set at import: a reader's own matplotlib stays as it is.
- Figures are not made through pyplot: nothing is kept behind the scenes, and Jupyter shows a figure once, where it is
  the value of a cell.
- Colours are Okabe and Ito's (Color Universal Design, 2008), or a ramp of one hue where levels are ordered. No two arms
  of a factor share a marker or a line, and what is stacked is hatched, so that a figure is readable in grey.
- A missing interval is an open marker with the reason beside it, never an interval of no width.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib import figure as mpl_figure
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

WIDTH = 7.6
"""Inches: the column of a notebook."""
INK, FAINT, PALE = "#222222", "#6b6b6b", "#d9d9d9"
SMALL = 7.5
"""Points, of what stands beside a mark."""

_RC = MappingProxyType(
    {
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
        "font.size": 9,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "axes.titlepad": 5,
        "axes.labelsize": 9,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#8c8c8c",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": False,
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.7,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "xtick.color": "#8c8c8c",
        "ytick.color": "#8c8c8c",
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.color": INK,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "legend.handlelength": 2.6,
        "lines.linewidth": 1.6,
        "lines.markersize": 6,
        "hatch.linewidth": 0.6,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.fonttype": "path",
        "svg.hashsalt": "ifpref",
    }
)


class Figure(mpl_figure.Figure):
    """A matplotlib figure of its own layout, which Jupyter can show without pyplot."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"layout": "constrained", "dpi": 120, **options})
        self.get_layout_engine().set(w_pad=0.09, h_pad=0.07)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with use_style():
            self.savefig(buffer, format="png", dpi=self.dpi, metadata={"Software": None})
        return buffer.getvalue()


@contextmanager
def use_style() -> Iterator[None]:
    """The style, for what is drawn inside; also a decorator."""
    with matplotlib.rc_context(dict(_RC)):
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


@dataclass(frozen=True)
class Look:
    """How an arm is drawn, wherever it is drawn."""

    label: str
    colour: str
    marker: str
    line: Any


def _factor(*levels: tuple[str, str, str, Any]) -> dict[str, Look]:
    return {level[0]: Look(*level) for level in levels}


FACTORS = MappingProxyType(
    {
        "curation": _factor(
            ("rs", "#0072B2", "o", "-"),
            ("mcts", "#D55E00", "s", (0, (5, 1.5))),
            ("rs_branched", "#E69F00", "^", (0, (3, 1.2, 1, 1.2))),
            ("mcts_unshared", "#CC79A7", "D", (0, (1, 1.2))),
            ("shuffled", "#7a7a7a", "X", (0, (6, 2, 1, 2, 1, 2))),
        ),
        "contrast": _factor(
            ("high", "#009E73", "P", "-"),
            ("low", "#56B4E9", "v", (0, (5, 1.5))),
            ("mixed", "#7F5F00", "h", (0, (3, 1.2, 1, 1.2))),
            ("low_imperfect", "#8A94A6", "<", (0, (1, 1.2))),
        ),
        "difficulty": _factor(
            ("easy", "#B79AE0", "o", (0, (1, 1.2))),
            ("moderate", "#8258BE", "p", (0, (5, 1.5))),
            ("hard", "#46207E", "*", "-"),
            ("all", "#000000", "d", (0, (3, 1.2, 1, 1.2))),
        ),
    }
)
"""The levels of an arm's three factors, in the order of its name: rs/high/all."""
_BASE = Look("base", "#000000", "d", (0, (2, 2)))
_OTHERS = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", (0, (5, 1.5))),
    ("#009E73", "^", (0, (3, 1.2, 1, 1.2))),
    ("#CC79A7", "D", (0, (1, 1.2))),
    ("#E69F00", "v", (0, (6, 2, 1, 2, 1, 2))),
    ("#56B4E9", "P", (0, (4, 1, 1, 1))),
)


def looks(names: Iterable[Any]) -> dict[str, Look]:
    """The look of each arm, by its name, in the order of their first appearance.

    names  levels ("mcts", "low"), arms ("mcts/high/all"), "base", or any other words, which take a spare look. Arms
           are drawn, and called, by the first factor that tells them apart.
    """
    names = list(dict.fromkeys(str(name) for name in names))
    arms = {name: name.split("/") for name in names if _is_arm(name)}
    differing = [place for place in range(3) if len({levels[place] for levels in arms.values()}) > 1]
    shown = differing[0] if differing else 0
    factor = list(FACTORS.values())[shown]
    spare = iter(_OTHERS * len(names))
    found: dict[str, Look] = {}
    for name in names:
        level = next((levels[name] for levels in FACTORS.values() if name in levels), None)
        if name in arms:
            # Two factors that differ need both names: high of rs is not high of mcts.
            label = "/".join(arms[name][place] for place in differing) or arms[name][0]
            level = replace(factor[arms[name][shown]], label=label)
        found[name] = level or (_BASE if name == "base" else Look(name, *next(spare)))
    return found


def _is_arm(name: str) -> bool:
    levels = name.split("/")
    return len(levels) == 3 and all(level in factor for level, factor in zip(levels, FACTORS.values(), strict=True))


def ranked(labels: Iterable[str], order: Sequence[str]) -> list[str]:
    """Each label once: those of `order` first, as they stand there, then the others as they come."""
    labels = list(dict.fromkeys(labels))
    return sorted(labels, key=lambda label: order.index(label) if label in order else len(order))


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """Constraint ids without their family ("keywords:existence" is "existence"), where that is still unique."""
    ids = list(dict.fromkeys(ids))
    tails = [id.partition(":")[2] or id for id in ids]
    return {id: tail if tails.count(tail) == 1 else id for id, tail in zip(ids, tails, strict=True)}


def handles(shown: Iterable[Look], *, line: bool = True) -> list[Line2D]:
    """Of arms, for a legend, in the order given."""
    return [
        Line2D([], [], color=one.colour, marker=one.marker, ls=one.line if line else "none", label=one.label, ms=6)
        for one in shown
    ]


def upon(colour: Any) -> str:
    """Ink or white: what is readable on the colour (relative luminance of WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "white" if luminance < 0.3 else INK


def zero_line(axes: Axes, *, vertical: bool = True) -> None:
    """The line of no difference."""
    (axes.axvline if vertical else axes.axhline)(0, color=FAINT, lw=0.9, zorder=0.5)
