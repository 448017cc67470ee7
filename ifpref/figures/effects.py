"""Effects with their intervals: forest plots, verdicts on claims, one effect for each constraint or third of pairs.

    forest([{"label": "mcts − rs", "group": "C1", "estimate": 2.1, "low": 0.4, "high": 3.8, "replicates": 10,
             "prompts": 1024, "reason": None}], margin=1.0)

A row is one line and one mark, top to bottom in the order given. Numbers stand beside the marks, since an interval is
read better as digits and compared better as a line.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ifpref.figures.rows import (
    MINUS,
    Row,
    common,
    counted,
    has_interval,
    inwards,
    mark,
    number,
    records,
    short_reason,
    text,
    with_interval,
)
from ifpref.figures.style import (
    FAINT,
    SMALL,
    WIDTH,
    Figure,
    finish,
    handles,
    looks,
    short_ids,
    use_style,
    zero_line,
)

VERDICTS = {
    "supported": ("#009E73", "o"),
    "equivalent": ("#0072B2", "s"),
    "contradicted": ("#D55E00", "X"),
    "not resolved": ("#6b6b6b", "D"),
}
"""Colour and marker of each verdict's word."""
_COUNTS = ("replicates", "prompts")
POINTS = "percentage points"
_MOST = {POINTS: 100.0}
"""What an effect can be at most, by its unit: an interval of few replicates goes on far beyond it."""


@use_style()
def forest(effects: Any, *, unit: str = POINTS, margin: float | None = None, title: str | None = None) -> Figure:
    """Effects with their intervals, one a line, under headings.

    effects  rows of `Effect.to_dict()` with "label", and where wanted "group" (a heading over the rows that have it)
             and "arm" (its colour and marker)
    margin   of practical equivalence, in the same unit: a shaded band
    """
    rows = records(effects, "forest", "label", "estimate", "low", "high")
    shown = looks(row["arm"] for row in rows if text(row, "arm"))
    places, headings = _places([text(row, "group") for row in rows])
    figure, axes = _lines(places)
    reasons = []
    for row, place in zip(rows, places, strict=True):
        look = shown.get(text(row, "arm"))
        style = {"colour": look.colour, "marker": look.marker} if look else {}
        reasons.append(mark(axes, row, place, most=_MOST.get(unit, math.inf), **style))
    _headings(axes, headings)
    axes.set_yticks(places, [text(row, "label") for row in rows])
    _columns(axes, rows, places)
    _effect_axis(axes, f"effect ({unit})", rows, common(rows, *_COUNTS), margin)
    inwards(axes, reasons)
    return finish(figure, title or f"Effects ({unit})")


@use_style()
def claims(rows: Any, *, unit: str = POINTS, margin: float | None = None, title: str | None = None) -> Figure:
    """The study at a glance: one line a claim, its effect, and its verdict as a colour, a marker and a word.

    rows    {"claim": "C1", "text", "estimate", "low", "high", "verdict", "replicates", "prompts"}; rows of
            `Verdict.to_dict()` bring "margin", "demonstration" and "reason" along
    margin  of practical equivalence; the rows' own where they agree on one
    """
    rows = records(rows, "claims", "claim", "text", "estimate", "low", "high", "verdict")
    for row in rows:
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"claims: {row['claim']} is {row['verdict']!r}; allowed: {', '.join(VERDICTS)}")
    margins = {number(row, "margin") for row in rows}
    if margin is None and len(margins) == 1 and not math.isnan(first := margins.pop()):
        margin = first
    places = [1.35 * place for place in range(len(rows))]
    figure, axes = _lines(places, each=0.36)
    reasons = []
    for row, place in zip(rows, places, strict=True):
        colour, marker = VERDICTS[row["verdict"]]
        reasons.append(mark(axes, row, place, colour=colour, marker=marker, most=_MOST.get(unit, math.inf)))
    axes.set_yticks(places, [_wrapped(f"{row['claim']}  {row['text']}") for row in rows], linespacing=1.25)
    for row, place in zip(rows, places, strict=True):
        colour, _ = VERDICTS[row["verdict"]]
        _beside(axes, place, row["verdict"], 10, va="bottom", color=colour, weight="bold", fontsize=8.5)
        _beside(axes, place + 0.1, with_interval(row), 10, va="top")
    _effect_axis(axes, f"effect ({unit})", rows, common(rows, *_COUNTS), margin)
    inwards(axes, reasons)
    weak = any(row.get("demonstration") for row in rows)
    return finish(figure, (title or "Effect and verdict of each claim") + (" (demonstration)" if weak else ""))


@use_style()
def per_constraint(rows: Any, *, unit: str = POINTS, title: str | None = None) -> Figure:
    """The change in accuracy of each constraint, arms side by side; ids in the order of their mean estimate.

    Lines are too close for words: the legend says what an open mark lacks, and why some are missing.

    rows  {"label": "keywords:existence", "arm", "estimate", "low", "high", "prompts"}
    """
    rows = records(rows, "per_constraint", "label", "arm", "estimate", "low", "high")
    shown = looks(row["arm"] for row in rows)
    of_id: dict[str, list[float]] = {}
    for row in rows:
        of_id.setdefault(str(row["label"]), []).append(number(row, "estimate"))

    def mean(id: str) -> float:
        known = [value for value in of_id[id] if math.isfinite(value)]
        return sum(known) / len(known) if known else -math.inf

    ids = sorted(of_id, key=lambda id: (-mean(id), id))
    step = 0.24
    height = 1 + step * (len(shown) - 1)  # of one id, with a gap to the next
    figure, axes = _lines(
        [height * place for place in range(len(ids))], each=0.21 if len(shown) > 1 else 0.24, least=3.0
    )
    arms = list(shown)
    for row in rows:
        arm = str(row["arm"])
        place = height * ids.index(str(row["label"])) + step * (arms.index(arm) - (len(arms) - 1) / 2)
        style = {"colour": shown[arm].colour, "marker": shown[arm].marker, "size": 4.5}
        mark(axes, row, place, say=False, most=_MOST.get(unit, math.inf), **style)
    names = short_ids(ids)
    prompts = {str(row["label"]): counted(row, "prompts") for row in rows}
    labels = [names[id] + (f"  ({prompts[id]})" if prompts[id] else "") for id in ids]
    axes.set_yticks([height * place for place in range(len(ids))], labels)
    _effect_axis(axes, f"change in accuracy ({unit})", rows, common(rows, "replicates"))
    if any(prompts.values()):
        axes.set_ylabel("constraint (prompts that have it)")
    keys = [*handles(shown.values(), line=False), *_unsaid(rows)]
    axes.legend(handles=keys, loc="lower left", bbox_to_anchor=(0, 1), ncols=5)
    return finish(figure, title or "Change in accuracy of each constraint")


@use_style()
def terciles(
    rows: Any,
    *,
    covariate: str = "shared prefix fraction",
    unit: str = POINTS,
    title: str | None = None,
) -> Figure:
    """Dose: the effect in each third of a covariate, left to right in the order given.

    rows  {"label": "lower", "estimate", "low", "high", "pairs" or "prompts"}
    """
    rows = records(rows, "terciles", "label", "estimate", "low", "high")
    figure = Figure(figsize=(4.8, 3.2))
    axes = figure.add_subplot()
    estimates = [number(row, "estimate") for row in rows]
    axes.plot(range(len(rows)), estimates, color=FAINT, lw=0.9, ls=(0, (1, 2)), zorder=1)
    for place, row in enumerate(rows):
        mark(axes, row, place, upright=True, most=_MOST.get(unit, math.inf))
        if math.isfinite(number(row, "estimate")):
            axes.annotate(
                with_interval(row).split(" ")[0],
                (place, estimates[place]),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
            )
    axes.set_xticks(range(len(rows)), [_with_count(row) for row in rows])
    axes.set_xlim(-0.5, len(rows) - 0.4)
    zero_line(axes, vertical=False)
    axes.set_xlabel(f"third, by {covariate}")
    axes.set_ylabel(f"effect ({unit})")
    return finish(figure, title or f"Effect by {covariate}")


# ---- the parts


def _places(groups: Sequence[str]) -> tuple[list[float], list[tuple[float, str]]]:
    """The height of each row, and the heights of headings; a heading stands where the group changes."""
    places: list[float] = []
    headings: list[tuple[float, str]] = []
    height = 0.0
    for place, group in enumerate(groups):
        if group and (place == 0 or group != groups[place - 1]):
            height += 0.35 * (place > 0)
            headings.append((height, group))
            height += 0.9
        places.append(height)
        height += 1.0
    return places, headings


def _lines(places: Sequence[float], *, each: float = 0.27, least: float = 0.0) -> tuple[Figure, Axes]:
    """A figure as tall as its lines, the first on top, and at least so many inches."""
    figure = Figure(figsize=(WIDTH, max(least, 1.15 + each * (max(places) + 1))))
    axes = figure.add_subplot()
    axes.set_ylim(max(places) + 0.7, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", visible=True)
    return figure, axes


def _headings(axes: Axes, headings: Sequence[tuple[float, str]]) -> None:
    for height, group in headings:
        axes.annotate(
            group,
            (0, height),
            xycoords=axes.get_yaxis_transform(),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            weight="bold",
            fontsize=8,
        )


def _unsaid(rows: Sequence[Row]) -> list[Line2D]:
    """What a legend says of rows without an interval: an open mark where there is an estimate, none where not."""
    words = {known: set() for known in (True, False)}
    for row in rows:
        if not has_interval(row):
            words[math.isfinite(number(row, "estimate"))].add(short_reason(row) or "no interval")
    signs = {True: ("open: ", "o"), False: ("missing: ", "")}
    style = {"ls": "none", "mfc": "white", "mec": FAINT, "mew": 1.4, "ms": 5}
    said = [(*signs[known], ", ".join(sorted(why))) for known, why in words.items() if why]
    return [Line2D([], [], marker=marker, label=what + why, **style) for what, marker, why in said]


def _columns(axes: Axes, rows: Sequence[Row], places: Sequence[float]) -> None:
    """Right of the axes: the numbers, and the counts where the rows differ in them."""
    counts = ["" for _ in rows] if common(rows, *_COUNTS) else [counted(row, *_COUNTS) for row in rows]
    for row, place, count in zip(rows, places, counts, strict=True):
        _beside(axes, place, with_interval(row), 10)
        if count:
            _beside(axes, place, count, 112, color=FAINT)
    if any(counts):
        _beside(axes, axes.get_ylim()[1], "replicates\n× prompts", 112, color=FAINT)


def _beside(axes: Axes, place: float, words: str, points: float, **style: Any) -> None:
    """Words right of the axes, so many points away, at a height."""
    style = {"fontsize": SMALL, "va": "center", **style}
    axes.annotate(
        words, (1, place), xycoords=axes.get_yaxis_transform(), xytext=(points, 0), textcoords="offset points", **style
    )


def _effect_axis(axes: Axes, what: str, rows: Sequence[Row], count: str, margin: float | None = None) -> None:
    """The line at 0, the band of the margin, and what all that is."""
    zero_line(axes)
    confidences = {number(row, "confidence") for row in rows if math.isfinite(number(row, "confidence"))}
    said = [f"{100 * confidences.pop():g} % intervals" if len(confidences) == 1 else "with intervals"]
    if count:
        said.append(count)
    if margin is not None:
        axes.axvspan(-margin, margin, color="#e9edf1", zorder=0)
        said.append(f"shaded: {MINUS}{margin:g} to +{margin:g}, practically equivalent")
    axes.set_xlabel(f"{what}\n{'; '.join(said)}", linespacing=1.5)
    axes.margins(x=0.08)


def _wrapped(words: str, width: int = 38) -> str:
    """In lines of about equal length, so that no word is left alone."""
    lines = math.ceil(len(words) / width)
    return textwrap.fill(words, math.ceil(len(words) / lines) + 5)


def _with_count(row: Row) -> str:
    for unit in ("pairs", "prompts"):
        if count := counted(row, unit):
            return f"{row['label']}\n{count} {unit}"
    return str(row["label"])
