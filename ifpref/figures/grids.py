"""Tables that are looked at: gains by difficulty, which response meets which constraint, how alike the arms' pairs are.

    heat_map([{"train": "easy", "evaluated": "hard", "estimate": 3.1, "low": 0.4, "high": 5.8}, ...])
    verdict_grid([{"sample": 0, "constraint": "keywords:existence", "met": True, "score": 0.5}, ...])
    balance(curation.balance.balance(made.rows, prompts))

The building block is `cells`, seaborn's heat map with words in it: every number can be read, colour finds the
large ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from seaborn.utils import relative_luminance

from ifpref.figures.arms import FACTORS, looks, ranked, short_ids
from ifpref.figures.rows import Row, bounds, counted, has_interval, no_interval, number, records, signed, word
from ifpref.figures.style import INK, SMALL, WIDTH, Figure, finish, use_style

MET, NOT_MET = "#009E73", "#f3e3dc"
MAIN_GROUPS = ("prompts", "scores", "tokens", "finish", "sharing")
_BALANCED = 0.1  # a standardised difference within it is commonly called balanced


@use_style()
def heat_map(
    rows: Any,
    lines: str = "train",
    columns: str = "evaluated",
    *,
    panels: str | None = None,
    names: tuple[str, str] = ("trained on", "evaluated on"),
    title: str | None = None,
) -> Figure:
    """Gains in a grid: by the difficulty of training prompts and of evaluation prompts, say; one or several panels.

    rows    {lines, columns, "estimate", "low", "high"}, with "prompts" and "reason" where they are known; a cell
            without a row has no colour and says so
    lines, columns, panels  keys of the rows; and `names`, what the axes say of the first two
    """
    rows = records(rows, "heat_map", lines, columns, "estimate", "low", "high", *([panels] if panels else []))
    levels = list(FACTORS["difficulty"])
    heads, sides = (ranked((word(row[key]) for row in rows), levels) for key in (columns, lines))
    shown = list(dict.fromkeys(row[panels] for row in rows)) if panels else [None]
    there = {(row[panels] if panels else None, word(row[lines]), word(row[columns])): row for row in rows}
    most = max((abs(v) for row in rows if math.isfinite(v := number(row, "estimate"))), default=0.1) or 0.1
    named = {head: [row for row in rows if word(row[columns]) == head] for head in heads}
    above = [_with_prompts(looks(heads)[head].label, some, rows) for head, some in named.items()]
    with_bounds = len(shown) == 1 and max(len(heads), len(sides)) <= 6
    each = (0.72 if with_bounds else 0.3) * len(sides)
    width = min(WIDTH, max(4.4, 2.6 + 1.25 * len(heads)))
    figure = Figure(figsize=(width, 1.5 + each + (0.4 + each) * (len(shown) - 1)))
    for axes, panel in zip(figure.subplots(len(shown), 1, squeeze=False)[:, 0], shown, strict=True):
        grid = [[there.get((panel, side, head), {"reason": "not run"}) for head in heads] for side in sides]
        values = np.array([[number(row, "estimate") for row in line] for line in grid])
        words = [["–" if math.isnan(value) else signed(value) for value in line] for line in values]
        place = "bottom" if with_bounds else "center"
        cells(
            axes,
            values,
            words,
            list(short_ids(sides).values()),
            above if panel == shown[-1] else [],
            most=most,
            weight="bold",
            va=place,
        )
        if with_bounds:
            _add_bounds(axes, [row for line in grid for row in line])
        axes.set(ylabel=names[0], title=looks([panel])[panel].label if panel else "")
    figure.supxlabel(f"{names[1]}; in percentage points{', with intervals' if with_bounds else ''}", fontsize=9)
    return finish(figure, title or "Gain over the base")


def _add_bounds(axes: Axes, rows: Sequence[Row]) -> None:
    """Below each number its interval, or why there is none."""
    for number_there, row in zip(list(axes.texts), rows, strict=True):
        x, y = number_there.get_position()
        said = bounds(row) if has_interval(row) else no_interval(row)
        axes.text(x, y + 0.08, said, ha="center", va="top", fontsize=SMALL, color=number_there.get_color())


def _with_prompts(head: str, rows: Sequence[Row], of_all: Sequence[Row]) -> str:
    """A column's name, with its number of prompts where that is one, and not that of all columns."""
    counts, everywhere = ({counted(row, "prompts") for row in some} for some in (rows, of_all))
    return f"{head}\n{counts.pop()} prompts" if len(counts) == 1 < len(everywhere) else head


@use_style()
def verdict_grid(rows: Any, *, title: str | None = None) -> Figure:
    """Which response meets which constraint: ticks and crosses, a line a response, with its score.

    rows  {"sample", "constraint", "met": bool, "score"}, the constraints of a sample in the order of the prompt. An id
          may come twice in a prompt: columns are places, not names.
    """
    rows = records(rows, "verdict_grid", "sample", "constraint", "met", "score")
    samples: dict[Any, list[Row]] = {}
    for row in rows:
        samples.setdefault(row["sample"], []).append(row)
    columns = [str(row["constraint"]) for row in next(iter(samples.values()))]
    for sample, mine in samples.items():
        if [str(row["constraint"]) for row in mine] != columns:
            raise ValueError(
                f"verdict_grid: sample {sample} has {[row['constraint'] for row in mine]}, the first has {columns}; "
                "needed: the same constraints in the same order"
            )
    met = np.array([[bool(row["met"]) for row in mine] for mine in samples.values()])  # (samples, constraints)
    signs = np.where(met, "\N{CHECK MARK}", "\N{BALLOT X}")
    scores = [number(mine[0], "score") for mine in samples.values()]
    lines = [f"{sample}   {score:.2f}" for sample, score in zip(samples, scores, strict=True)]
    names = [f"{short_ids(columns)[id]}  {share}/{len(met)}" for id, share in zip(columns, met.sum(0), strict=True)]
    figure = Figure(figsize=(min(WIDTH, max(4.4, 2.2 + 0.75 * len(columns))), 1.6 + 0.24 * len(samples)))
    axes = figure.add_subplot()
    cells(axes, np.where(met, 1.0, -1.0), signs, lines, names, cmap=ListedColormap([NOT_MET, MET]))
    axes.xaxis.tick_top()
    axes.set_xticks(axes.get_xticks(), names, rotation=25, ha="left", rotation_mode="anchor")
    for label, score in zip(axes.get_yticklabels(), scores, strict=True):
        label.set_weight("bold" if score == 1 else "normal")
    axes.set(xlabel="constraint, and by how many responses it is met", ylabel="response, and its score")
    perfect = sum(score == 1 for score in scores)
    return finish(figure, title or f"{len(met)} responses to one prompt, {perfect} of them perfect")


@use_style()
def balance(rows: Any, *, title: str | None = None) -> Figure:
    """How alike the pairs of the arms are: standardised mean differences to the first arm.

    rows  of `ifpref.curation.balance.balance`; groups `MAIN_GROUPS` on the left, "separates" on the right
    """
    rows = records(rows, "balance", "group", "quantity", "arm", "smd", "difference")
    shown = looks(row["arm"] for row in rows)
    first, *others = shown
    if not others:
        raise ValueError(f"balance: one arm, {first}; needed: two or more, the first of which is the reference")
    there = {(row["group"], row["quantity"], str(row["arm"])): row for row in rows}
    panels = []
    for groups in (MAIN_GROUPS, ("separates",)):
        lines: list[tuple[str, str | None]] = []  # a group and a quantity of it; a heading has no quantity
        for group in groups:
            quantities = dict.fromkeys(quantity for one, quantity, _ in there if one == group)
            lines += [(group, quantity) for quantity in (None, *quantities)] if quantities else []
        panels += [lines] if lines else []
    figure = Figure(figsize=(WIDTH, 1.2 + 0.17 * max(map(len, panels))))
    for axes, lines in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        grid = [[there.get((*line, arm), {}) for arm in others] for line in lines]
        names = short_ids(quantity for _, quantity in lines if quantity)
        names |= {None: "separated in the pair"} if lines[0][0] == "separates" else {}
        labels = [names.get(quantity, group) for group, quantity in lines]
        columns = [shown[arm].label.replace("_", "_\n") for arm in others]
        values = np.array([[number(row, "smd") for row in line] for line in grid])
        words = [[_difference(row) if row else "" for row in line] for line in grid]
        cells(axes, values, words, labels, columns, least=_BALANCED, most=1.5)
        axes.xaxis.tick_top()
        for label, (_, quantity) in zip(axes.get_yticklabels(), lines, strict=True):
            label.set_weight("normal" if quantity else "bold")
    key = f"standardised mean difference to {shown[first].label}; coloured: beyond \N{PLUS-MINUS SIGN}{_BALANCED}"
    figure.supxlabel(key, fontsize=9)
    return finish(figure, title or f"Balance: pairs of each arm against those of {shown[first].label}")


def cells(
    axes: Axes,
    values: np.ndarray,
    words: Any,
    lines: Sequence[str],
    columns: Sequence[str],
    *,
    most: float = 1.0,
    least: float = 0.0,
    cmap: Any = "PuOr_r",
    **style: Any,
) -> None:
    """A heat map with words in its cells, the first line on top; a cell without words is left out.

    values  (lines, columns): numbers around 0, white where they are NaN or at most `least` in size, darkest from `most`
    style   of the words
    """
    words, known = np.array(words), np.where(np.abs(values) > least, values, 0.0)
    span = most / 0.85  # the ends of the colour map are too dark for ink
    colours = {"cmap": cmap, "vmin": -span, "vmax": span, "cbar": False, "linewidths": 1.5}
    labels = {"xticklabels": columns, "yticklabels": lines, "annot_kws": {"fontsize": 8, **style}}
    sns.heatmap(known, annot=words, fmt="", mask=words == "", ax=axes, **colours, **labels)
    said = axes.collections[0].get_facecolors()[words.ravel() != ""]
    for one, colour in zip(axes.texts, said, strict=True):  # seaborn writes in white on colours too light for it
        one.set_color("white" if relative_luminance(colour) < 0.3 else INK)
    axes.tick_params(length=0, rotation=0)


def _difference(row: Row) -> str:
    """A standardised difference as its cell says it."""
    if math.isfinite(number(row, "smd")):
        return signed(number(row, "smd"), 2)
    if math.isnan(number(row, "difference")):
        return "no pairs"
    return "equal" if number(row, "difference") == 0 else "no variance"
