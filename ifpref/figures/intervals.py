"""Effects with their intervals: forest plots, verdicts on claims, several side by side, and over what grows.

    forest([{"label": "mcts − rs", "group": "C1", "estimate": 2.1, "low": 0.4, "high": 3.8, "replicates": 10,
             "prompts": 1024, "reason": None}], margin=1.0)

The building blocks are `interval`, one estimate with its bounds, and `joined`, upright ones over x; seaborn draws no
intervals that it has not computed.

Decisions
- Effects are percentage points. Numbers stand beside the marks, since an interval is read better as digits and compared
  better as a line.
- What has no interval is an open mark with the reason beside it, never an interval of no width.
- An interval of few replicates goes on beyond what can be, 100 points: it leaves the axes there, its digits stay.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ifpref.figures.arms import OTHERS, Look, handles, looks, short_ids
from ifpref.figures.rows import (
    MINUS,
    Row,
    common,
    counted,
    digits,
    has_interval,
    no_interval,
    number,
    records,
    text,
    with_interval,
    word,
)
from ifpref.figures.style import FAINT, INK, SHADE, WIDTH, ZERO, Figure, beside, finish, lined, use_style

VERDICTS = {
    "supported": Look("supported", "#009E73", "o"),
    "equivalent": Look("equivalent", "#0072B2", "s"),
    "opposite": Look("opposite sign here", "#D55E00", "X"),
    "not resolved": Look("not resolved", "#6b6b6b", "D"),
}
PLAIN = Look("", INK, "o")
_COUNTS = ("replicates", "prompts")
_EDGE = 105.0


@use_style()
def forest(effects: Any, *, margin: float | None = None, title: str | None = None) -> Figure:
    """Effects with their intervals, one a line, under headings.

    effects  rows of `Effect.to_dict()` with "label", and where wanted "group" (a heading over the rows that have it)
             and "arm" (its colour and marker)
    margin   of practical equivalence: a shaded band
    """
    rows = records(effects, "forest", "label", "estimate", "low", "high")
    shown = looks(row["arm"] for row in rows if text(row, "arm"))
    count = common(rows, *_COUNTS)
    labels = [text(row, "label") + ("" if count else f"  ({counted(row, *_COUNTS)})") for row in rows]
    figure, axes, places = lined(labels, [text(row, "group") for row in rows])
    for row, place in zip(rows, places, strict=True):
        interval(axes, row, place, shown.get(text(row, "arm"), PLAIN))
        beside(axes, place, digits(row))
    _effect_axis(axes, "effect", rows, count=count or "(replicates × prompts)", margin=margin)
    return finish(figure, title or "Effects")


@use_style()
def claims(rows: Any, *, margin: float | None = None, title: str | None = None) -> Figure:
    """The study at a glance: one line a claim, its effect, and its verdict as a colour, a marker and a word; below it
    the same on clean accuracy, where it was read.

    rows    {"claim": "C1", "text", "estimate", "low", "high", "verdict", "replicates", "prompts"}; rows of
            `Verdict.to_dict()` bring "demonstration" and "reason" along, `analysis.claims` "clean_estimate" and so on
    margin  of practical equivalence: a shaded band
    """
    rows = records(rows, "claims", "claim", "text", "estimate", "low", "high", "verdict")
    for row in rows:
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"claims: {row['claim']} is {row['verdict']!r}; allowed: {', '.join(VERDICTS)}")
    labels = [textwrap.fill(f"{row['claim']}  {row['text']}", 38) for row in rows]
    figure, axes, places = lined(labels, gap=1.6, each=0.36)
    for row, place in zip(rows, places, strict=True):
        look = VERDICTS[row["verdict"]]
        interval(axes, row, place, look)
        beside(axes, place - 0.22, look.label, va="bottom", color=look.colour, weight="bold", fontsize=8.5)
        beside(axes, place, digits(row))
        clean = {part: row.get(f"clean_{part}") for part in ("estimate", "low", "high")}
        if row.get("clean_verdict"):
            interval(axes, clean, place + 0.4, OTHERS["clean accuracy"], size=4.5)
            said = f"clean: {with_interval(clean)}, {VERDICTS[row['clean_verdict']].label}"
            beside(axes, place + 0.4, said, color=OTHERS["clean accuracy"].colour)
    _effect_axis(axes, "effect", rows, count=common(rows, *_COUNTS), margin=margin)
    weak = any(row.get("demonstration") for row in rows)
    return finish(figure, (title or "Effect and verdict of each claim") + (" (demonstration)" if weak else ""))


@use_style()
def side_by_side(
    rows: Any, *, what: str = "effect", is_ranked: bool = False, margin: float | None = None, title: str | None = None
) -> Figure:
    """Effects on lines, of several arms or readings side by side on each: accuracy and clean accuracy, say.

    Marks are too close for words: the legend says what an open mark lacks, and why some are missing.

    rows       {"label": "keywords:existence", "arm", "estimate", "low", "high"}, and where wanted "group" (a heading)
               and "prompts" (shown with the label where lines differ in them)
    is_ranked  lines in the order of their mean estimate, without headings, instead of as they come
    """
    rows = records(rows, "side_by_side", "label", "arm", "estimate", "low", "high")
    shown = looks(row["arm"] for row in rows)
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        lines.setdefault(("" if is_ranked else text(row, "group"), str(row["label"])), []).append(row)
    if is_ranked:
        known = {
            line: [v for row in some if math.isfinite(v := number(row, "estimate"))] for line, some in lines.items()
        }
        lines = {
            line: lines[line] for line in sorted(lines, key=lambda line: (-fmean(known[line] or [-math.inf]), line))
        }
    names, count = short_ids(label for _, label in lines), common(rows, *_COUNTS)
    prompts = {line: counted(some[-1], "prompts") for line, some in lines.items()}
    prompts = prompts if len({*prompts.values()}) > 1 else dict.fromkeys(lines, "")
    labels = [names[line[1]] + (f"  ({prompts[line]})" if prompts[line] else "") for line in lines]
    arms = list(shown)
    gap = 1 + 0.24 * (len(arms) - 1)
    groups = [group for group, _ in lines]
    figure, axes, places = lined(labels, groups, gap=gap, each=0.22, besides=1.6)
    for of_line, place in zip(lines.values(), places, strict=True):
        for row in of_line:
            shift = 0.24 * (arms.index(str(row["arm"])) - (len(arms) - 1) / 2)
            interval(axes, row, place + shift, shown[str(row["arm"])], size=4.5)
    if any(prompts.values()):
        axes.set_ylabel("(prompts that have it)")
    _effect_axis(axes, what, rows, count=count or common(rows, "replicates"), margin=margin)
    legend = [*handles(shown.values(), line=False), *_lacking(rows)]
    figure.legend(handles=legend, loc="outside lower center", ncols=3)
    return finish(figure, title or "Effects, side by side")


@use_style()
def steps(
    rows: Any, x: str, name: str, *, scale: str = "each", what: str = "effect", title: str | None = None
) -> Figure:
    """Effects with intervals over something that grows: the points of an arm are joined, in the order given.

    rows   {"arm", x, "estimate", "low", "high"}, and where wanted "mark", words beside a point
    x      their key of what grows, and `name`, what the axis says of it
    scale  "each": a place for each value, words or numbers, arms side by side; "log": where the logarithms of numbers
           lie, a tick for each; "number": where numbers lie, or their logarithms where they span a factor of ten
    """
    rows = records(rows, "steps", "arm", x, "estimate", "low", "high")
    shown = looks(row["arm"] for row in rows)
    values = list(dict.fromkeys(row[x] for row in rows))
    figure = Figure(figsize=(WIDTH, 3.5))
    axes = figure.add_subplot()
    for turn, (arm, look) in enumerate(shown.items()):
        mine = [row for row in rows if str(row["arm"]) == arm]
        aside = (turn - (len(shown) - 1) / 2) / len(shown)
        there = [values.index(row[x]) if scale == "each" else row[x] for row in mine]
        places = [{"each": one + 0.4 * aside, "log": one * 1.08**aside, "number": one}[scale] for one in there]
        joined(axes, mine, places, look)
        for row, place in zip(mine, places, strict=True):
            spot, style = (place, number(row, "estimate")), {"fontsize": 7, "color": look.colour}
            axes.annotate(text(row, "mark"), spot, xytext=(4, 3), textcoords="offset points", **style)
    _effect_axis(axes, what, rows, upright=True, count=common(rows, *_COUNTS))
    if scale == "number":
        if 0 < 10 * min(values, default=0) < max(values, default=0):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
    else:
        axes.set_xscale("log" if scale == "log" else "linear")
        axes.set_xticks(values if scale == "log" else range(len(values)), [word(value) for value in values])
        axes.minorticks_off()
    axes.set_xlabel(name)
    axes.legend(handles=[*handles(shown.values()), *_lacking(rows)], loc="center left", bbox_to_anchor=(1.01, 0.5))
    return finish(figure, title or f"Effect by {name}")


# ---- the parts


def interval(axes: Axes, row: Row, place: float, look: Look, *, upright: bool = False, size: float = 6) -> None:
    """One estimate with its interval: along x at the height `place`, or, upright, along y at `place` of x.

    Without an interval the mark is open; without an estimate there is none. `size` of the mark in points.
    """
    estimate, low, high = (number(row, key) for key in ("estimate", "low", "high"))
    spot = (place, estimate) if upright else (estimate, place)
    if has_interval(row):
        sides = {"yerr" if upright else "xerr": [[estimate - low], [high - estimate]]}
        axes.errorbar(*spot, **sides, fmt=look.marker, color=look.colour, elinewidth=1.5, capsize=2.5, ms=size)
    elif math.isfinite(estimate):
        axes.plot(*spot, look.marker, mfc="white", mec=look.colour, mew=1.4, ms=size)


def joined(axes: Axes, rows: Sequence[Row], places: Sequence[float], look: Look) -> None:
    """Upright intervals at places of x, a line through their estimates."""
    line = {"color": look.colour, "ls": look.line, "lw": 1.1, "zorder": 1}
    axes.plot(places, [number(row, "estimate") for row in rows], **line)
    for row, place in zip(rows, places, strict=True):
        interval(axes, row, place, look, upright=True)


def _lacking(rows: Sequence[Row]) -> list[Line2D]:
    """What a legend says of rows without an interval: an open mark where there is an estimate, none where not."""
    style = {"ls": "none", "mfc": "white", "mec": FAINT, "mew": 1.4, "ms": 5}
    legend = []
    for known, name, marker in ((True, "open", "o"), (False, "missing", "")):
        bare = [row for row in rows if not has_interval(row) and math.isfinite(number(row, "estimate")) == known]
        if bare:
            reasons = ", ".join(sorted({no_interval(row) for row in bare}))
            legend.append(Line2D([], [], marker=marker, label=f"{name}: {reasons}", **style))
    return legend


def _effect_axis(
    axes: Axes, what: str, rows: Sequence[Row], *, upright: bool = False, count: str = "", margin: float | None = None
) -> None:
    """The line at 0, the band of the margin, what all that is, and no more room than effects can take."""
    confidences = {number(row, "confidence") for row in rows if math.isfinite(number(row, "confidence"))}
    said = [f"{100 * confidences.pop():g} % intervals" if len(confidences) == 1 else "with intervals"]
    said = [f"{what} (percentage points)", "; ".join(said + [count] * bool(count))]
    (axes.axhline if upright else axes.axvline)(0, **ZERO)
    if margin is not None:
        axes.axvspan(-margin, margin, color=SHADE, zorder=0)
        said.append(f"shaded: {MINUS}{margin:g} to +{margin:g}, practically equivalent")
    axes.margins(**{"y" if upright else "x": 0.08})
    side, (low, high) = ("y", axes.get_ylim()) if upright else ("x", axes.get_xlim())
    axes.grid(axis=side)
    axes.set(**{f"{side}label": "\n".join(said)})
    axes.set(**{f"{side}lim": (max(low, -_EDGE), min(high, _EDGE))})


def _mean_estimate(rows: Sequence[Row]) -> float:
    return fmean([v for row in rows if math.isfinite(v := number(row, "estimate"))] or [-math.inf])
