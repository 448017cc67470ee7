"""What training does: curves over steps, gains over learning rates, greedy decoding against sampling.

    training_curves([{"arm": "mcts", "learning_rate": 1e-3, "replicate": 0, **row} for row in log])
    rates([{"arm": "mcts", "learning_rate": 1e-3, "replicate": 0, "gain": 8.1, "diverged": False}, ...,
           {"arm": "mcts", "learning_rate": 1e-3, "estimate": 7.9, "low": 5.0, "high": 10.8}])

A run is a thin line or a small point, a mean over runs a thick or large one. Log-ratios are those of whole responses,
in nats: under DPO both may fall, as long as that of the rejected falls faster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ifpref.figures.rows import Row, has_interval, mark, number, records, text
from ifpref.figures.style import (
    FAINT,
    INK,
    SMALL,
    WIDTH,
    Figure,
    Look,
    finish,
    handles,
    looks,
    use_style,
    zero_line,
)

RATIOS = (("chosen_log_ratio", "-"), ("rejected_log_ratio", (0, (3, 2))))
_PANELS = (
    ("log-ratio (nats)", tuple(key for key, _ in RATIOS)),
    ("margin (beta \N{MULTIPLICATION SIGN} nats)", ("margin",)),
    ("accuracy (share of pairs)", ("accuracy",)),
    ("loss (nats)", ("loss",)),
)
Steps = dict[int, Row]


@use_style()
def training_curves(log: Any, *, title: str | None = None) -> Figure:
    """Log-ratios of chosen and rejected, margin, accuracy and loss over the steps; a column for each learning rate.

    log  {"step", "chosen_log_ratio", "rejected_log_ratio", "margin", "accuracy", "loss"}, a row for each step of each
         run, with the run's "arm", "learning_rate" and "replicate" where there are several. The mean is drawn where all
         replicates have a value, so that it does not jump where one of them diverged.
    """
    rows = records(log, "training_curves", "step", *(key for _, keys in _PANELS for key in keys))
    named = any(text(row, "arm") for row in rows)
    # The rows of one run alone bring the schedule's learning rate along: it is no name of a run.
    rates = sorted({number(row, "learning_rate") for row in rows}) if named else [math.nan]
    shown = looks(text(row, "arm") or "policy" for row in rows)
    figure = Figure(figsize=(WIDTH, 5.2 if len(rates) == 1 else 7.2))
    grid = (2, 2) if len(rates) == 1 else (len(_PANELS), len(rates))
    axes_of = figure.subplots(*grid, sharex=True, sharey=False if len(rates) == 1 else "row", squeeze=False)
    for column, rate in enumerate(rates):
        runs = _runs([row for row in rows if not named or _same(number(row, "learning_rate"), rate)])
        for place, (name, keys) in enumerate(_PANELS):
            axes = axes_of.flat[place] if len(rates) == 1 else axes_of[place, column]
            for key in keys:
                for arm, replicates in runs.items():
                    _curve(axes, replicates, key, shown[arm], dict(RATIOS).get(key))
            if len(keys) > 1 or name.startswith("margin"):
                zero_line(axes, vertical=False)
            axes.grid(axis="y", visible=True)
            if len(rates) == 1:
                axes.set_title(name)
            elif column == 0:
                axes.set_ylabel(name, fontsize=8)
            axes.xaxis.get_major_locator().set_params(integer=True)
        if len(rates) > 1:
            axes_of[0, column].set_title(f"learning rate {rate:g}")
    for axes in axes_of[-1]:
        axes.set_xlabel("step")
    legend = [Line2D([], [], color=FAINT, ls=line, label=key.split("_")[0]) for key, line in RATIOS]
    count = len({row.get("replicate", 0) for row in rows})
    said = f"thick: mean of {count} replicates" if count > 1 else None
    figure.legend(
        handles=[*(handles(shown.values()) if named else []), *legend],
        loc="outside lower center",
        ncols=7,
        title=said,
        title_fontsize=8,
    )
    return finish(figure, title or "Training, by step")


@use_style()
def rates(rows: Any, *, unit: str = "percentage points", title: str | None = None) -> Figure:
    """The gain over the base at each learning rate: every run, the mean with its interval, and the runs that diverged.

    rows  of runs, {"arm", "learning_rate", "replicate", "gain", "diverged"}, and of means, {"arm", "learning_rate",
          "estimate", "low", "high", "reason"}; either may be absent
    """
    rows = records(rows, "rates", "arm", "learning_rate")
    shown = looks(row["arm"] for row in rows)
    grid = sorted({number(row, "learning_rate") for row in rows})
    ratio = min((b / a for a, b in pairwise(grid)), default=2.0)
    figure = Figure(figsize=(WIDTH, 3.7))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    for turn, (arm, look) in enumerate(shown.items()):
        mine = [row for row in rows if str(row["arm"]) == arm]
        shift = ratio ** (0.22 * (turn - (len(shown) - 1) / 2))  # arms side by side, as far apart at every rate
        runs = [row for row in mine if math.isfinite(number(row, "gain"))]
        for row in runs:
            spot = number(row, "learning_rate") * shift * ratio**-0.06, number(row, "gain")
            if row.get("diverged") is True:
                axes.plot(*spot, "x", color=INK, ms=6.5, mew=1.6, zorder=4)
            else:
                axes.plot(*spot, look.marker, mfc="none", mec=look.colour, ms=3.5, mew=0.8, alpha=0.75)
        means = sorted((row for row in mine if "estimate" in row and math.isnan(number(row, "gain"))), key=_rate)
        places = [_rate(row) * shift * ratio**0.02 for row in means]
        axes.plot(places, [number(row, "estimate") for row in means], color=look.colour, ls=look.line, lw=1.1, zorder=1)
        for row, place in zip(means, places, strict=True):
            mark(axes, row, place, colour=look.colour, marker=look.marker, upright=True, say=False)
    zero_line(axes, vertical=False)
    axes.grid(axis="y", visible=True)
    axes.set_xticks(grid, [f"{rate:g}" for rate in grid])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(grid[0] / ratio**0.5, grid[-1] * ratio**0.5)
    axes.set_xlabel("learning rate (log scale)")
    axes.set_ylabel(f"gain over the base ({unit})")
    legend = handles(shown.values())
    legend.append(Line2D([], [], ls="none", marker="o", mfc="none", mec=FAINT, ms=3.5, label="one run"))
    diverged = sum(row.get("diverged") is True for row in rows)
    if diverged:
        runs = f"{diverged} diverged {'run' if diverged == 1 else 'runs'}"
        legend.append(Line2D([], [], ls="none", marker="x", color=INK, ms=6.5, mew=1.6, label=runs))
    bare = [row for row in rows if "estimate" in row and math.isnan(number(row, "gain")) and not has_interval(row)]
    if bare:
        words = ", ".join(sorted({text(row, "reason") or "no interval" for row in bare}))
        legend.append(Line2D([], [], ls="none", marker="o", mfc="white", mec=FAINT, mew=1.4, label=f"mean: {words}"))
    axes.legend(handles=legend, loc="center left", bbox_to_anchor=(1.01, 0.5), title="means with intervals")
    return finish(figure, title or "Gain over the base, by learning rate")


@use_style()
def scatter_decoding(rows: Any, *, title: str | None = None) -> Figure:
    """Accuracy of greedy decoding against that of sampling at temperature 1, beside the base made as sharp.

    What lies between a policy and the open mark of the same greedy accuracy, the base at the temperature of equal token
    entropy, is more than sharpening.

    rows  {"arm", "greedy", "sampled", "base_matched"}, fractions in [0, 1], one an arm or one a run; bounds, where they
          are known, as "greedy_low", "greedy_high", "sampled_low" and so on. "base_matched" is None for the base.
    """
    rows = records(rows, "scatter_decoding", "arm", "greedy", "sampled", "base_matched")
    shown = looks(row["arm"] for row in rows)
    figure = Figure(figsize=(WIDTH, 4.6))
    axes = figure.add_subplot()
    several = len(rows) > len(shown)
    for row in rows:
        look = shown[str(row["arm"])]
        x, y, matched = (100 * number(row, key) for key in ("greedy", "sampled", "base_matched"))
        if math.isfinite(matched):
            axes.plot([x, x], [matched, y], color=look.colour, lw=0.9, ls=(0, (1, 1.5)), zorder=1)
            axes.plot(x, matched, look.marker, mfc="white", mec=look.colour, ms=4 if several else 6, mew=1.3)
            _cross(axes, row, x, matched, look, upright="base_matched")
        _cross(axes, row, x, y, look, flat="greedy", upright="sampled")
        axes.plot(x, y, look.marker, color=look.colour, ms=4.5 if several else 8, mec="white", mew=0.5)
    low, high = min(*axes.get_xlim(), *axes.get_ylim()), max(*axes.get_xlim(), *axes.get_ylim())
    axes.plot([low, high], [low, high], color=FAINT, lw=0.8, ls=(0, (4, 3)), zorder=0.5)
    axes.annotate("equal", (high, high), xytext=(-6, -14), textcoords="offset points", fontsize=SMALL, color=FAINT)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.grid(visible=True)
    axes.set_xlabel("greedy: accuracy (%)")
    axes.set_ylabel("temperature 1: accuracy (%)")
    legend = handles(shown.values(), line=False)
    words = "base at the temperature\nof the policy's entropy"
    legend.append(Line2D([], [], ls=(0, (1, 1.5)), lw=0.9, marker="o", mfc="white", color=FAINT, label=words))
    axes.legend(handles=legend, loc="center left", bbox_to_anchor=(1.02, 0.5), labelspacing=0.8)
    return finish(figure, title or "Greedy decoding against temperature 1")


# ---- the parts


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _rate(row: Row) -> float:
    return number(row, "learning_rate")


def _runs(rows: Sequence[Row]) -> dict[str, dict[Any, Steps]]:
    """Rows by arm, replicate (and rate), and step. ValueError where two rows stand for one step."""
    runs: dict[str, dict[Any, Steps]] = {}
    named = any(text(row, "arm") for row in rows)
    for row in rows:
        rate = number(row, "learning_rate") if named else math.nan
        replicate = (row.get("replicate", 0), rate if math.isfinite(rate) else None)
        steps = runs.setdefault(text(row, "arm") or "policy", {}).setdefault(replicate, {})
        if int(row["step"]) in steps:
            raise ValueError(
                f"training_curves: two rows for step {row['step']} of {text(row, 'arm') or 'a run'}, replicate "
                f"{replicate[0]}; needed: an arm, a learning rate and a replicate that tell runs apart"
            )
        steps[int(row["step"])] = row
    return runs


def _curve(axes: Axes, replicates: dict[Any, Steps], key: str, look: Look, line: Any) -> None:
    """Thin lines of the replicates, a thick one of their mean; of one replicate, its line."""
    alone = len(replicates) == 1
    if not alone:
        for steps in replicates.values():
            places = sorted(steps)
            axes.plot(places, [number(steps[step], key) for step in places], color=look.colour, lw=0.5, alpha=0.35)
    shared = sorted(set.intersection(*(set(steps) for steps in replicates.values())))
    means = [fmean(number(steps[step], key) for steps in replicates.values()) for step in shared]
    every = max(1, len(shared) // 5)
    axes.plot(
        shared,
        means,
        color=look.colour,
        ls=line or look.line,
        lw=1.5 if alone else 1.9,
        marker=look.marker,
        ms=4.5,
        mec="white",
        mew=0.4,
        markevery=every,
    )


def _cross(axes: Axes, row: Row, x: float, y: float, look: Look, *, upright: str, flat: str | None = None) -> None:
    """Thin intervals through a point, of the keys that have bounds."""
    style = {"color": look.colour, "lw": 0.9, "alpha": 0.8, "zorder": 1.5}
    if has_interval(row, upright):
        axes.plot([x, x], [100 * number(row, f"{upright}_{bound}") for bound in ("low", "high")], **style)
    if flat and has_interval(row, flat):
        axes.plot([100 * number(row, f"{flat}_{bound}") for bound in ("low", "high")], [y, y], **style)
