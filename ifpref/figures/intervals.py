"""Effects with their intervals: forest plots, verdicts on claims, one effect for each constraint, third or rate.

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

from ifpref.figures.arms import Look, handles, looks, short_ids
from ifpref.figures.rows import MINUS, Row, common, counted, digits, has_interval, no_interval, number, records, text
from ifpref.figures.style import FAINT, INK, SHADE, WIDTH, ZERO, Figure, beside, finish, lined, use_style

VERDICTS = {
    "supported": Look("supported", "#009E73", "o"),
    "equivalent": Look("equivalent", "#0072B2", "s"),
    "contradicted": Look("contradicted", "#D55E00", "X"),
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
    """The study at a glance: one line a claim, its effect, and its verdict as a colour, a marker and a word.

    rows    {"claim": "C1", "text", "estimate", "low", "high", "verdict", "replicates", "prompts"}; rows of
            `Verdict.to_dict()` bring "demonstration" and "reason" along
    margin  of practical equivalence: a shaded band
    """
    rows = records(rows, "claims", "claim", "text", "estimate", "low", "high", "verdict")
    for row in rows:
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"claims: {row['claim']} is {row['verdict']!r}; allowed: {', '.join(VERDICTS)}")
    labels = [_wrapped(f"{row['claim']}  {row['text']}") for row in rows]
    figure, axes, places = lined(labels, gap=1.35, each=0.36)
    for row, place in zip(rows, places, strict=True):
        look = VERDICTS[row["verdict"]]
        interval(axes, row, place, look)
        beside(axes, place, look.label, va="bottom", color=look.colour, weight="bold", fontsize=8.5)
        beside(axes, place + 0.1, digits(row), va="top")
    _effect_axis(axes, "effect", rows, count=common(rows, *_COUNTS), margin=margin)
    weak = any(row.get("demonstration") for row in rows)
    return finish(figure, (title or "Effect and verdict of each claim") + (" (demonstration)" if weak else ""))


@use_style()
def per_constraint(rows: Any, *, title: str | None = None) -> Figure:
    """The change in accuracy of each constraint, arms side by side; ids in the order of their mean estimate.

    Lines are too close for words: the legend says what an open mark lacks, and why some are missing.

    rows  {"label": "keywords:existence", "arm", "estimate", "low", "high", "prompts"}
    """
    rows = records(rows, "per_constraint", "label", "arm", "estimate", "low", "high")
    shown = looks(row["arm"] for row in rows)
    of_id: dict[str, list[Row]] = {}
    for row in rows:
        of_id.setdefault(str(row["label"]), []).append(row)
    known = {id: [v for row in some if math.isfinite(v := number(row, "estimate"))] for id, some in of_id.items()}
    ids = sorted(of_id, key=lambda id: (-fmean(known[id] or [-math.inf]), id))
    counts = {id: counted(of_id[id][-1], "prompts") for id in ids}
    labels = [name + (f"  ({counts[id]})" if counts[id] else "") for id, name in short_ids(ids).items()]
    arms = list(shown)
    figure, axes, places = lined(labels, gap=1 + 0.24 * (len(arms) - 1), each=0.22, least=3.0)
    for id, place in zip(ids, places, strict=True):
        for row in of_id[id]:
            shift = 0.24 * (arms.index(str(row["arm"])) - (len(arms) - 1) / 2)
            interval(axes, row, place + shift, shown[str(row["arm"])], size=4.5)
    axes.set_ylabel("constraint (prompts that have it)" if any(counts.values()) else "constraint")
    _effect_axis(axes, "change in accuracy", rows, count=common(rows, "replicates"))
    legend = [*handles(shown.values(), line=False), *_lacking(rows)]
    axes.legend(handles=legend, loc="lower left", bbox_to_anchor=(0, 1), ncols=5)
    return finish(figure, title or "Change in accuracy of each constraint")


@use_style()
def terciles(rows: Any, *, title: str | None = None) -> Figure:
    """Dose: the effect in each third of the pairs, by the fraction that they share, left to right in the order given.

    rows  {"label": "lower", "estimate", "low", "high", "pairs"}
    """
    rows = records(rows, "terciles", "label", "estimate", "low", "high", "pairs")
    figure = Figure(figsize=(4.8, 3.2))
    axes = figure.add_subplot()
    joined(axes, rows, range(len(rows)), Look("", INK, "o", (1, 2)))
    labels = [f"{row['label']}\n{counted(row, 'pairs')} pairs\n{digits(row)}" for row in rows]
    _effect_axis(axes, "effect", rows, upright=True)
    axes.set_xticks(range(len(rows)), labels)
    axes.set(xlim=(-0.5, len(rows) - 0.5), xlabel="third, by shared prefix fraction")
    return finish(figure, title or "Effect by shared prefix fraction")


@use_style()
def rates(rows: Any, *, title: str | None = None) -> Figure:
    """The gain over the base at each learning rate: every run, the mean with its interval, and the runs that diverged.

    rows  of runs, {"arm", "learning_rate", "replicate", "gain", "diverged"}, and of means, {"arm", "learning_rate",
          "estimate", "low", "high", "reason"}; either may be absent
    """
    rows = records(rows, "rates", "arm", "learning_rate")
    shown = looks(row["arm"] for row in rows)
    grid = sorted({number(row, "learning_rate") for row in rows})
    runs = [row for row in rows if math.isfinite(number(row, "gain"))]
    means = [row for row in rows if "estimate" in row and math.isnan(number(row, "gain"))]
    diverged = [row for row in runs if row.get("diverged") is True]
    figure = Figure(figsize=(WIDTH, 3.7))
    axes = figure.add_subplot()

    def place(row: Row, aside: float = 0.0) -> float:
        """Arms side by side at each rate."""
        turn = list(shown).index(str(row["arm"])) - (len(shown) - 1) / 2
        return grid.index(number(row, "learning_rate")) + 0.6 * turn / len(shown) + aside

    run = {"ls": "none", "mfc": "none", "ms": 3.5, "mew": 0.8}
    cross = {"ls": "none", "marker": "x", "color": INK, "ms": 6.5, "mew": 1.6, "zorder": 4}
    for arm, look in shown.items():
        mine = [row for row in runs if str(row["arm"]) == arm and row not in diverged]
        spots = [place(row, -0.07) for row in mine], [number(row, "gain") for row in mine]
        axes.plot(*spots, marker=look.marker, mec=look.colour, alpha=0.75, **run)
        of_arm = sorted((row for row in means if str(row["arm"]) == arm), key=place)
        joined(axes, of_arm, [place(row) for row in of_arm], look)
    axes.plot([place(row, -0.07) for row in diverged], [number(row, "gain") for row in diverged], **cross)
    _effect_axis(axes, "gain over the base", means, upright=True)
    axes.set_xticks(range(len(grid)), [f"{rate:g}" for rate in grid])
    axes.set(xlim=(-0.5, len(grid) - 0.5), xlabel="learning rate")
    legend = [*handles(shown.values()), Line2D([], [], marker="o", mec=FAINT, label="one run", **run)]
    if diverged:
        label = f"{len(diverged)} diverged run{'s' * (len(diverged) > 1)}"
        legend.append(Line2D([], [], label=label, **cross))
    legend += _lacking(means)
    axes.legend(handles=legend, loc="center left", bbox_to_anchor=(1.01, 0.5), title="means with intervals")
    return finish(figure, title or "Gain over the base, by learning rate")


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
    said += [count] if count else []
    (axes.axhline if upright else axes.axvline)(0, **ZERO)
    if margin is not None:
        axes.axvspan(-margin, margin, color=SHADE, zorder=0)
        said.append(f"shaded: {MINUS}{margin:g} to +{margin:g}, practically equivalent")
    axes.margins(**{"y" if upright else "x": 0.08})
    side, (low, high) = ("y", axes.get_ylim()) if upright else ("x", axes.get_xlim())
    axes.grid(axis=side)
    axes.set(**{f"{side}label": f"{what} (percentage points)\n{'; '.join(said)}"})
    axes.set(**{f"{side}lim": (max(low, -_EDGE), min(high, _EDGE))})


def _wrapped(words: str, width: int = 38) -> str:
    """In lines of about equal length, so that no word is left alone."""
    lines = math.ceil(len(words) / width)
    return textwrap.fill(words, math.ceil(len(words) / lines) + 5)
