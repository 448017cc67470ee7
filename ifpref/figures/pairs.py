"""What curation gives: yields, balance of the arms, shared prefixes, and what a search finds as it goes on.

yields(curation.balance.yields(made.outcomes, prompts))
balance(curation.balance.balance(made.rows, prompts))
shared_prefix([{"arm": "mcts", "shared_prefix_fraction": 0.41}, ...])           # one row a pair
search_progress([{"curation": "mcts", "simulation": 3, "mean_score": 0.61, "best_score": 0.8, "distinct": 2.9}])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ifpref.figures.rows import Row, number, records, signed
from ifpref.figures.style import (
    FACTORS,
    FAINT,
    INK,
    SMALL,
    WIDTH,
    Figure,
    Look,
    finish,
    handles,
    looks,
    ranked,
    short_ids,
    upon,
    use_style,
    zero_line,
)

MAIN_GROUPS = ("prompts", "scores", "tokens", "finish", "sharing")
_FAR = 1.0  # standardised differences beyond it stand at the edge, with their number: one of 5 would flatten the rest
_GREYS = ("#f2f2f2", "#cfcfcf", "#e4e4e4", "#b4b4b4")
_HATCHES = ("", "////", "....", "xxxx", "----", "\\\\\\\\", "oo", "++", "||||")


@use_style()
def yields(rows: Any, *, title: str | None = None) -> Figure:
    """What became of the prompts of each arm, by their difficulty: the share with a pair, and why the others have none.

    rows  of `ifpref.curation.balance.yields`
    """
    needed = ("curation", "contrast", "difficulty", "prompt_difficulty", "outcome", "prompts", "share")
    rows = records(rows, "yields", *needed)
    arm_of = ["/".join(str(row[factor]) for factor in FACTORS) for row in rows]
    shown = looks(arm_of)
    levels = ranked((str(row["prompt_difficulty"]) for row in rows), list(FACTORS["difficulty"]))
    total: dict[str, int] = {}
    for row in rows:
        total[row["outcome"]] = total.get(row["outcome"], 0) + row["prompts"]
    reasons = sorted(
        (outcome for outcome in total if outcome != "pair"), key=lambda outcome: (-total[outcome], outcome)
    )
    style = {
        reason: {"facecolor": _GREYS[i % len(_GREYS)], "hatch": _HATCHES[i % len(_HATCHES)]}
        for i, reason in enumerate(reasons)
    }
    asked = {(str(row["prompt_difficulty"]), name) for row, name in zip(rows, arm_of, strict=True)}
    # An arm of one difficulty has no line among the prompts of another.
    lines = [(level, arm) for level in levels for arm in shown if (level, arm) in asked]
    places = {line: place + 0.8 * levels.index(line[0]) for place, line in enumerate(lines)}
    figure = Figure(figsize=(WIDTH, 1.5 + 0.27 * (max(places.values()) + 1) + 0.17 * math.ceil(len(reasons) / 3)))
    axes = figure.add_subplot()
    labels = {}
    for (level, arm), place in places.items():
        here = {
            row["outcome"]: row
            for row, name in zip(rows, arm_of, strict=True)
            if name == arm and row["prompt_difficulty"] == level
        }
        labels[place] = shown[arm].label
        left = 0.0
        for outcome in ("pair", *reasons):
            width = 100 * here[outcome]["share"] if outcome in here else 0.0
            if outcome == "pair":
                axes.barh(place, width, height=0.78, color=shown[arm].colour)
                _share(axes, width, place, shown[arm])
            elif width:
                axes.barh(place, width, left=left, height=0.78, edgecolor=FAINT, lw=0.4, **style[outcome])
            left += width
        number_of = sum(row["prompts"] for row in here.values())
        axes.text(101, place, f"{number_of:,}", va="center", fontsize=SMALL, color=FAINT)
    away = -16 - 5 * max(len(look.label) for look in shown.values())  # points, left of the arms' names
    for level in levels:
        middle = fmean(place for (name, _), place in places.items() if name == level)
        across = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "xytext": (away, 0)}
        axes.annotate(level, (0, middle), ha="right", va="center", weight="bold", fontsize=8, **across)
    axes.set_yticks(list(labels), list(labels.values()))
    axes.set_ylim(max(places.values()) + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of prompts (%), by their difficulty; their number at the right")
    patches = [Patch(facecolor=INK, label="pair (colour of its arm)")]
    patches += [Patch(edgecolor=FAINT, lw=0.4, label=reason, **style[reason]) for reason in reasons]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(4, len(patches)), handleheight=1.1)
    return finish(figure, title or "Share of prompts with a pair, and reasons for none")


@use_style()
def balance(rows: Any, *, title: str | None = None) -> Figure:
    """How alike the pairs of the arms are: standardised mean differences to the first arm ("love plot").

    rows  of `ifpref.curation.balance.balance`; groups `MAIN_GROUPS` on the left, "separates" on the right
    """
    rows = records(rows, "balance", "group", "quantity", "arm", "smd", "difference")
    shown = looks(row["arm"] for row in rows)
    first, *others = shown
    if not others:
        raise ValueError(f"balance: one arm, {first}; needed: two or more, the first of which is the reference")
    rows = [row for row in rows if str(row["arm"]) != first]
    main = [row for row in rows if row["group"] in MAIN_GROUPS]
    separates = [row for row in rows if row["group"] == "separates"]
    panels = [(name, part) for name, part in (("pairs", main), ("separates", separates)) if part]
    lines = [_balance_lines(part) for _, part in panels]
    if not panels:
        raise ValueError(f"balance: no rows of the groups {', '.join(MAIN_GROUPS)} or separates")
    figure = Figure(figsize=(WIDTH, 1.35 + 0.2 * max(max(places.values()) for places, _ in lines)))
    for column, ((name, part), (places, headings)) in enumerate(zip(panels, lines, strict=True), start=1):
        axes = figure.add_subplot(1, len(panels), column)
        axes.axvspan(-0.1, 0.1, color="#e9edf1", zorder=0)
        zero_line(axes)
        for bound in (-0.1, 0.1):
            axes.axvline(bound, color=FAINT, lw=0.8, ls=(0, (3, 2)), zorder=0.6)
        said: dict[tuple[str, str, str], int] = {}
        for row in part:
            lift = (others.index(str(row["arm"])) - (len(others) - 1) / 2) * 0.8 / len(others)
            spot = (row["group"], row["quantity"], _side(row))
            said[spot] = said.get(spot, -1) + 1
            turn = said[spot] % 2 if len(others) > 2 else 0  # two arms are far enough apart for their words
            _difference(axes, row, places[spot[:2]] + lift, shown[str(row["arm"])], turn)
        ids = short_ids(quantity for _, quantity in places)
        axes.set_yticks(list(places.values()), [ids[quantity] for _, quantity in places], fontsize=SMALL)
        for height, group in headings:
            across = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "xytext": (-4, 0)}
            words = group if name == "pairs" else "separated in the pair"
            axes.annotate(words, (0, height), ha="right", va="center", weight="bold", fontsize=SMALL, **across)
        axes.set_ylim(max(places.values()) + 0.7, -0.7)
        axes.set_xlim(-_FAR - 0.12, _FAR + 0.12)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"standardised mean difference\nto {shown[first].label} (lines at \N{PLUS-MINUS SIGN}0.1)")
    figure.legend(handles=handles((shown[arm] for arm in others), line=False), loc="outside lower center", ncols=4)
    return finish(figure, title or f"Balance: pairs of each arm against those of {shown[first].label}")


@use_style()
def shared_prefix(rows: Any, *, title: str | None = None) -> Figure:
    """What the two sides of a pair share: the distribution in each arm, one step a pair.

    rows  {"arm", "shared_prefix_fraction"}, tokens shared over tokens of the shorter side, in [0, 1]
    """
    rows = records(rows, "shared_prefix", "arm", "shared_prefix_fraction")
    shown = looks(row["arm"] for row in rows)
    figure = Figure(figsize=(WIDTH, 3.2))
    axes = figure.add_subplot()
    for arm, look in shown.items():
        values = sorted(100 * number(row, "shared_prefix_fraction") for row in rows if str(row["arm"]) == arm)
        steps = [100 * (place + 1) / len(values) for place in range(len(values))]
        axes.step([0, *values, 100], [0, *steps, 100], where="post", color=look.colour, ls=look.line, lw=1.8)
        middle = median(values)
        label = f"{look.label}: median {middle:.0f} % ({len(values):,} {'pair' if len(values) == 1 else 'pairs'})"
        axes.plot(middle, 50, look.marker, color=look.colour, ms=7, mec="white", mew=0.8, zorder=4, clip_on=False)
        axes.plot([], [], color=look.colour, ls=look.line, marker=look.marker, label=label)
    axes.set_xlim(-1, 101)
    axes.set_ylim(0, 102)
    axes.grid(visible=True)
    axes.set_xlabel("shared prefix (% of the tokens of the shorter response)")
    axes.set_ylabel("pairs that share at most this (%)")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return finish(figure, title or "Shared prefix of the two responses of a pair")


_PROGRESS = (
    ("mean_score", "mean score of the response"),
    ("best_score", "best score so far"),
    ("distinct", "distinct responses so far"),
)


@use_style()
def search_progress(rows: Any, *, title: str | None = None) -> Figure:
    """What the first 1, 2, ... responses to a prompt find, by tree search and by rejection sampling.

    rows  {"curation", "simulation", "mean_score", "best_score", "distinct"}, one a prompt and simulation, or means over
          prompts with their bounds as "best_score_low", "best_score_high" and so on. Of rows by prompt the mean is
          drawn, with the normal 95 % interval of the mean over prompts.
    """
    rows = records(rows, "search_progress", "curation", "simulation", *(key for key, _ in _PROGRESS))
    shown = looks(row["curation"] for row in rows)
    figure = Figure(figsize=(WIDTH, 2.75))
    most = 1
    for column, (key, name) in enumerate(_PROGRESS, start=1):
        axes = figure.add_subplot(1, 3, column)
        for arm, look in shown.items():
            by_simulation: dict[int, list[Row]] = {}
            for row in rows:
                if str(row["curation"]) == arm:
                    by_simulation.setdefault(int(row["simulation"]), []).append(row)
            most = max(most, *map(len, by_simulation.values()))
            simulations = sorted(by_simulation)
            means = [_mean(by_simulation[simulation], key) for simulation in simulations]
            middle, low, high = zip(*means, strict=True)
            axes.plot(simulations, middle, color=look.colour, ls=look.line, marker=look.marker, ms=4, markevery=3)
            axes.fill_between(simulations, low, high, color=look.colour, alpha=0.18, lw=0)
        axes.set_title(name)
        axes.set_xlabel("responses to a prompt")
        axes.grid(axis="y", visible=True)
        axes.xaxis.get_major_locator().set_params(integer=True)
    count = f"{most:,} prompts; bands: 95 % intervals of the means" if most > 1 else None
    figure.legend(handles=handles(shown.values()), loc="outside lower center", ncols=5, title=count, title_fontsize=8)
    return finish(figure, title or "Responses found by search and by sampling")


# ---- the parts


def _share(axes: Axes, width: float, place: float, look: Look) -> None:
    """The number of a bar, inside where there is room."""
    inside = width > 12
    spot = {"x": width - 1 if inside else width + 1, "ha": "right" if inside else "left"}
    box = None if inside else {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    axes.text(
        y=place,
        s=f"{width:.0f} %",
        va="center",
        fontsize=SMALL,
        color=upon(look.colour) if inside else INK,
        bbox=box,
        **spot,
    )


def _balance_lines(rows: Sequence[Row]) -> tuple[dict[tuple[str, str], float], list[tuple[float, str]]]:
    """The height of each quantity, by its group and name, and the headings."""
    places: dict[tuple[str, str], float] = {}
    headings, height = [], 0.0
    for group in ranked((row["group"] for row in rows), MAIN_GROUPS):
        headings.append((height, group))
        for quantity in dict.fromkeys(row["quantity"] for row in rows if row["group"] == group):
            height += 1
            places[group, quantity] = height
        height += 1.3
    return places, headings


def _side(row: Row) -> str:
    """Where a difference has words beside its mark: at an edge, at the centre, or nowhere."""
    value = number(row, "smd")
    if math.isnan(value):
        return "" if number(row, "difference") == 0 else "centre"
    return "" if abs(value) <= _FAR else "right" if value > 0 else "left"


def _difference(axes: Axes, row: Row, place: float, look: Look, turn: int) -> None:
    """One standardised difference; beyond the axis at its edge, with the number; open where there is no variance.

    turn  1 where the arm before it has words on this side: these stand beside those, not upon them. Words have the
          colour of their mark
    """
    note = {"va": "center", "fontsize": 6.5, "color": look.colour}
    value = number(row, "smd")
    if math.isnan(value):
        axes.plot(0, place, look.marker, mfc="white", mec=look.colour, ms=5)
        if _side(row):
            words = "no pairs" if math.isnan(number(row, "difference")) else "no variance"
            axes.annotate(words, (0, place), xytext=(7 + 44 * turn, 0), textcoords="offset points", **note)
        return
    axes.plot(max(-_FAR, min(_FAR, value)), place, look.marker, color=look.colour, ms=5, mec="white", mew=0.4)
    if abs(value) > _FAR:
        away = 7 + 28 * turn
        side = {"xytext": (-away, 0), "ha": "right"} if value > 0 else {"xytext": (away, 0), "ha": "left"}
        arrow = f"{signed(value)} \N{RIGHTWARDS ARROW}" if value > 0 else f"\N{LEFTWARDS ARROW} {signed(value)}"
        axes.annotate(arrow, (math.copysign(_FAR, value), place), textcoords="offset points", **side, **note)


def _mean(rows: Sequence[Row], key: str) -> tuple[float, float, float]:
    """Mean and bounds over prompts, or those that the one row brings along."""
    if len(rows) == 1:
        return number(rows[0], key), number(rows[0], f"{key}_low"), number(rows[0], f"{key}_high")
    values = [number(row, key) for row in rows]
    middle, half = fmean(values), 1.96 * stdev(values) / math.sqrt(len(values))
    return middle, middle - half, middle + half
