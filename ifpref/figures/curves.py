"""Curves: training by step, what a search finds as it goes on.

    training_curves([{"arm": "mcts", "replicate": 0, **row} for row in log])
    search_progress([{"curation": "mcts", "simulation": 3, "mean_score": 0.61, "best_score": 0.8, "distinct": 2.9}])

The building block is `curve`, seaborn's line plot: the mean of the rows at each x with a band, in the looks of arms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from ifpref.figures.arms import Look, handles, looks
from ifpref.figures.rows import records
from ifpref.figures.style import WIDTH, ZERO, Figure, finish, use_style

_TRAINING = {
    "chosen_log_ratio": "log-ratio of the chosen (nats)",
    "rejected_log_ratio": "log-ratio of the rejected (nats)",
    "margin": "margin (beta \N{MULTIPLICATION SIGN} nats)",
    "accuracy": "accuracy (share of pairs)",
    "loss": "loss (nats)",
}
_PROGRESS = {
    "mean_score": "mean score of the response",
    "best_score": "best score so far",
    "distinct": "distinct responses so far",
}


@use_style()
def training_curves(log: Any, *, title: str | None = None) -> Figure:
    """Log-ratios of chosen and rejected, margin, accuracy and loss over the steps.

    Several replicates are their mean and a band of one standard deviation, at the steps that all of them have: a mean
    does not jump where one of them ended or diverged. Log-ratios are those of whole responses: under DPO both may fall,
    as long as that of the rejected falls faster.

    log  {"step", "chosen_log_ratio", "rejected_log_ratio", "margin", "accuracy", "loss"}, a row for each step of each
         run, with "arm" and "replicate" where there are several runs
    """
    frame = pd.DataFrame(records(log, "training_curves", "step", *_TRAINING))
    for name, alone in (("arm", "policy"), ("replicate", 0)):
        frame[name] = frame[name].fillna(alone) if name in frame else alone
    twice = frame[frame.duplicated(["arm", "replicate", "step"])]
    if len(twice):
        found = twice.iloc[0]
        raise ValueError(
            f"training_curves: two rows for step {found['step']} of {found['arm']}, replicate {found['replicate']}; "
            "needed: an arm and a replicate that tell runs apart"
        )
    shown = looks(frame["arm"])
    replicates = frame.groupby("arm")["replicate"].transform("nunique")
    figure = Figure(figsize=(WIDTH, 4.8))
    (chosen, rejected, margin), (*_, legend) = panels = figure.subplots(2, 3)
    rejected.sharey(chosen)
    for axes, (key, name) in zip(panels.flat, _TRAINING.items(), strict=False):
        whole = frame.groupby(["arm", "step"])[key].transform("count") == replicates
        curve(axes, frame[whole], "step", key, shown, "arm", errorbar="sd")
        axes.set(title=name, xlabel="step")
    for axes in (chosen, rejected, margin):
        axes.axhline(0, **ZERO)
    legend.axis("off")
    several = f"means of {replicates.max()} replicates;\nbands: \N{PLUS-MINUS SIGN}1 standard deviation"
    said = several if replicates.max() > 1 else None
    legend.legend(handles=handles(shown.values()), loc="center", title=said, title_fontsize=8)
    return finish(figure, title or "Training, by step")


@use_style()
def search_progress(rows: Any, *, title: str | None = None) -> Figure:
    """What the first 1, 2, ... responses to a prompt find, by tree search and by rejection sampling.

    rows  {"curation", "simulation", "mean_score", "best_score", "distinct"}: means over prompts, or one a prompt and
          simulation, of which the mean is drawn with its normal 95 % interval
    """
    frame = pd.DataFrame(records(rows, "search_progress", "curation", "simulation", *_PROGRESS))
    shown = looks(frame["curation"])
    figure = Figure(figsize=(WIDTH, 2.75))
    for axes, (key, name) in zip(figure.subplots(1, 3), _PROGRESS.items(), strict=True):
        curve(axes, frame, "simulation", key, shown, "curation", errorbar=("se", 1.96))
        axes.set(title=name, xlabel="responses to a prompt")
    most = frame.groupby(["curation", "simulation"]).size().max()
    count = f"{most:,} prompts; bands: 95 % intervals of the means" if most > 1 else None
    figure.legend(handles=handles(shown.values()), loc="outside lower center", ncols=5, title=count, title_fontsize=8)
    return finish(figure, title or "Responses found by search and by sampling")


# ---- the parts


def curve(
    axes: Axes, frame: pd.DataFrame, x: str, y: str, shown: Mapping[str, Look], arm: str, *, errorbar: Any
) -> None:
    """The mean of y at each x with its band, a line for each value of the column `arm`; marks at some of its points."""
    looks_of = {
        "palette": {name: look.colour for name, look in shown.items()},
        "dashes": {name: look.dashes for name, look in shown.items()},
        "markers": {name: look.marker for name, look in shown.items()},
    }
    every = max(1, frame[x].nunique() // 5)
    style = {"lw": 1.7, "ms": 5, "mew": 0.4, "markevery": every, "err_kws": {"alpha": 0.15, "lw": 0}, "legend": False}
    sns.lineplot(frame, x=x, y=y, hue=arm, style=arm, errorbar=errorbar, ax=axes, **looks_of, **style)
    axes.set_ylabel("")
    axes.grid(axis="y")
    axes.xaxis.get_major_locator().set_params(integer=True)
