"""What curation gives: the prompts that give a pair, and what the two sides of a pair share.

yields(curation.balance.yields(made.outcomes, prompts))
shared_prefix([{"arm": "mcts", "shared_prefix_fraction": 0.41}, ...])           # one row a pair
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from ifpref.figures.arms import FACTORS, handles, looks, ranked
from ifpref.figures.rows import records
from ifpref.figures.style import FAINT, INK, WIDTH, Figure, beside, finish, lined, use_style

REASONS = (
    *("no responses", "duplicates", "all perfect", "equal scores", "no shared prefix"),
    *("k < 3", "no perfect chosen", "no imperfect chosen", "no high gap", "no low gap"),
    *("no common chosen", "no equal gap", "no common scores", "no common verdicts"),
    *("no match", "no partner", "equal numbers"),
)
"""Why a prompt has no pair (`ifpref.curation.pairs.REASONS`): each has one grey and hatch in all figures."""
_GREYS = ("#f2f2f2", "#cfcfcf", "#b4b4b4", "#e2e2e2")
_HATCHES = ("////", "....", "", "xxxx", "----")


@use_style()
def yields(rows: Any, *, title: str | None = None) -> Figure:
    """What became of the prompts of each arm, by their difficulty: the share with a pair, and why the others have none.

    rows  of `ifpref.curation.balance.yields`
    """
    needed = ("prompt_difficulty", "outcome", "prompts", "share")
    rows = records(rows, "yields", *list(FACTORS)[:3], *needed)
    frame = pd.DataFrame({"scorer": "verifier", **row} for row in rows)
    frame["arm"] = frame[list(FACTORS)].astype(str).agg("/".join, axis=1)
    shown = looks(frame["arm"])
    levels = ranked(frame["prompt_difficulty"].astype(str), list(FACTORS["difficulty"]))
    table = frame.pivot(index=["prompt_difficulty", "arm"], columns="outcome")  # an arm of one difficulty has no other
    lines = [(level, arm) for level in levels for arm in shown if (level, arm) in table.index]
    table = table.loc[lines].fillna(0)
    reasons = ranked((name for name in table["share"] if name != "pair"), REASONS)
    share = 100 * table["share"].reindex(columns=["pair", *reasons], fill_value=0)
    below = 1.5 + 0.17 * math.ceil(len(reasons) / 4)
    figure, axes, places = lined([shown[arm].label for _, arm in lines], [level for level, _ in lines], besides=below)
    style = {"pair": {"lw": 0, "color": [shown[arm].colour for _, arm in lines]}}
    for place, reason in enumerate(ranked([*REASONS, *reasons], REASONS)):
        fill = {"facecolor": _GREYS[place // 5 % 4], "hatch": _HATCHES[place % 5]}
        style[reason] = {**fill, "edgecolor": FAINT, "lw": 0.4}
    for outcome, left in (share.cumsum(axis=1) - share).items():
        axes.barh(places, share[outcome], left=left, height=0.78, **style[outcome])
    for place, pair, prompts in zip(places, share["pair"], table["prompts"].sum(axis=1), strict=True):
        beside(axes, place, f"{pair:.0f} % of {prompts:,.0f}", 4)
    axes.set(xlim=(0, 100), xlabel="share of prompts (%), by their difficulty; at the right those with a pair")
    patches = [Patch(facecolor=INK, label="pair (colour of its arm)")]
    patches += [Patch(label=reason, **style[reason]) for reason in reasons]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(4, len(patches)), handleheight=1.1)
    return finish(figure, title or "Share of prompts with a pair, and reasons for none")


@use_style()
def shared_prefix(rows: Any, *, title: str | None = None) -> Figure:
    """What the two sides of a pair share: the distribution in each arm, one step a pair.

    rows  {"arm", "shared_prefix_fraction"}, tokens shared over tokens of the shorter side, in [0, 1]
    """
    frame = pd.DataFrame(records(rows, "shared_prefix", "arm", "shared_prefix_fraction"))
    figure = Figure(figsize=(WIDTH, 3.2))
    axes = figure.add_subplot()
    shown = looks(frame["arm"])
    legend = handles(shown.values())
    for handle, (arm, look) in zip(legend, shown.items(), strict=True):
        values = 100 * frame.loc[frame["arm"] == arm, "shared_prefix_fraction"]
        sns.ecdfplot(x=values, stat="percent", color=look.colour, ls=look.line, lw=1.8, ax=axes)
        axes.plot(values.median(), 50, look.marker, color=look.colour, ms=7, mec="white", mew=0.8, zorder=4)
        pairs = f"{len(values):,} pair{'s' * (len(values) != 1)}"
        handle.set_label(f"{look.label}: median {values.median():.0f} % ({pairs})")
    axes.set(xlim=(-1, 101), ylim=(0, 102), ylabel="pairs that share at most this (%)")
    axes.set_xlabel("shared prefix (% of the tokens of the shorter response)")
    axes.grid()
    axes.legend(handles=legend, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return finish(figure, title or "Shared prefix of the two responses of a pair")
